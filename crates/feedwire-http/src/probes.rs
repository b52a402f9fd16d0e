//! What a supervisor or a load balancer asks: whether the process is up, and whether it serves.

use axum::extract::State;
use axum::routing::get;
use feedwire_dialects::native::error;

use crate::answer::{self, Answer};
use crate::edge::Edge;
use crate::openapi::paths;
use crate::routes::Route;

/// The routes of the probes, which belong to no dialect.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "/healthz",
        methods: || get(up),
        description: paths::probes::up,
    },
    Route {
        path: "/readyz",
        methods: || get(ready),
        description: paths::probes::ready,
    },
];

/// Who answers is up: a process that only stops slowly is not to be killed for it.
async fn up() -> Answer {
    answer::ok()
}

/// Ready until the server or its core begins to stop.
async fn ready(State(edge): State<Edge>) -> Answer {
    if edge.stop().is_cancelled() || !edge.core().is_open() {
        return answer::problem(&error::stopping());
    }
    answer::ok()
}
