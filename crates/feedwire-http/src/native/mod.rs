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

use crate::answer::Answer;
use crate::openapi::paths;
use crate::routes::Route;

/// What is done by method: the answers of these handlers, or what the native API says where there is none.
macro_rules! methods {
    ($($method:ident: $handler:path),+) => {
        || vec![$((Method::$method, |asked, body| {
            // The handler is called within the box: a future that is made outside is copied into it.
            Box::pin(async { $handler(asked, body).await.unwrap_or_else(Answer::from) })
        })),+]
    };
}

/// The variables of the routes, by their places.
const PROJECT: usize = 0;
const FEED: usize = 1;
const SUBJECT: usize = 1;
const ID: usize = 1;

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
