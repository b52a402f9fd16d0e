//! The routes of the native API.

mod batches;
mod erasures;
mod feeds;
mod labels;
mod publish;
mod read;
mod refuse;
mod retention;

use http::Method;

use self::refuse::Refused;
use crate::answer::{Answer, Pending};
use crate::openapi::paths;
use crate::routes::Route;

/// What is done by method: the answers of these handlers, or what the native API says where there is none.
macro_rules! methods {
    ($($method:ident: $handler:path),+) => {
        || vec![$((Method::$method, |asked, body| answered($handler(asked, body)))),+]
    };
}

/// The routes of the native API.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "/v1/projects/{project}/feeds",
        methods: methods!(GET: feeds::list),
        description: paths::feeds::path,
    },
    Route {
        path: "/v1/projects/{project}/feeds/{feed}",
        methods: methods!(GET: read::read, HEAD: read::head),
        description: paths::read::path,
    },
    Route {
        path: "/v1/projects/{project}/feeds/{feed}/events",
        methods: methods!(POST: publish::publish),
        description: paths::publish::path,
    },
    Route {
        path: "/v1/projects/{project}/subjects/{subject}/labels",
        methods: methods!(GET: labels::show, PUT: labels::replace),
        description: paths::labels::path,
    },
    Route {
        path: "/v1/projects/{project}/retention",
        methods: methods!(GET: retention::show, PUT: retention::replace),
        description: paths::retention::path,
    },
    Route {
        path: "/v1/projects/{project}/erasures",
        methods: methods!(POST: erasures::ask),
        description: paths::erasures::all,
    },
    Route {
        path: "/v1/projects/{project}/erasures/{id}",
        methods: methods!(GET: erasures::show),
        description: paths::erasures::one,
    },
];

fn answered(answer: impl Future<Output = Result<Answer, Refused>> + Send + 'static) -> Pending {
    Box::pin(async { answer.await.unwrap_or_else(Answer::from) })
}
