//! The routes of the native API.

mod batches;
mod erasures;
mod feeds;
mod labels;
mod publish;
mod read;
mod refuse;
mod retention;

use axum::routing::{get, post};

use crate::openapi::paths;
use crate::routes::Route;

pub(crate) use refuse::{address as refuse_address, method as refuse_method};

/// The routes of the native API.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "/v1/projects/{project}/feeds",
        methods: || get(feeds::list),
        description: paths::feeds::path,
    },
    Route {
        path: "/v1/projects/{project}/feeds/{feed}",
        methods: || get(read::read).head(read::head),
        description: paths::read::path,
    },
    Route {
        path: "/v1/projects/{project}/feeds/{feed}/events",
        methods: || post(publish::publish),
        description: paths::publish::path,
    },
    Route {
        path: "/v1/projects/{project}/subjects/{subject}/labels",
        methods: || get(labels::show).put(labels::replace),
        description: paths::labels::path,
    },
    Route {
        path: "/v1/projects/{project}/retention",
        methods: || get(retention::show).put(retention::replace),
        description: paths::retention::path,
    },
    Route {
        path: "/v1/projects/{project}/erasures",
        methods: || post(erasures::ask),
        description: paths::erasures::all,
    },
    Route {
        path: "/v1/projects/{project}/erasures/{id}",
        methods: || get(erasures::show),
        description: paths::erasures::one,
    },
];
