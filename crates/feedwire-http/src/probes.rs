//! What a supervisor or a load balancer asks: whether the process is up, and whether it serves.

use feedwire_dialects::native::error;
use http::Method;

use crate::access::Rule;
use crate::answer::{self, Answer, at_once};
use crate::edge::Edge;
use crate::native;
use crate::openapi::paths;
use crate::routes::{Route, Served};

/// The routes of the probes, which belong to no dialect.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        // Who answers is up: a process that only stops slowly is not to be killed for it.
        path: "/healthz",
        dialect: &native::DIALECT,
        methods: || {
            vec![Served {
                method: Method::GET,
                rule: Rule::Open,
                handle: |_, _| at_once(answer::ok()),
            }]
        },
        description: Some(paths::probes::up),
    },
    Route {
        path: "/readyz",
        dialect: &native::DIALECT,
        methods: || {
            vec![Served {
                method: Method::GET,
                rule: Rule::Open,
                handle: |asked, _| at_once(ready(&asked.edge)),
            }]
        },
        description: Some(paths::probes::ready),
    },
];

/// Ready until the server or its core begins to stop.
fn ready(edge: &Edge) -> Answer {
    if edge.stop().is_cancelled() || !edge.core().is_open() {
        return answer::problem(&error::stopping());
    }
    answer::ok()
}
