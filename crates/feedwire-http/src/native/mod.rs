//! The routes of the native API.

mod batches;
mod feeds;
mod labels;
mod publish;
mod read;
mod refuse;

use axum::Router;
use axum::routing::{get, post};

use crate::edge::Edge;

/// The routes of the native API, ready to be shared by every connection.
pub(crate) fn routes(edge: Edge) -> Router {
    Router::new()
        .route("/v1/projects/{project}/feeds", get(feeds::list))
        .route(
            "/v1/projects/{project}/feeds/{feed}",
            get(read::read).head(read::head),
        )
        .route(
            "/v1/projects/{project}/feeds/{feed}/events",
            post(publish::publish),
        )
        .route(
            "/v1/projects/{project}/subjects/{subject}/labels",
            get(labels::show).put(labels::replace),
        )
        .method_not_allowed_fallback(refuse::method)
        .fallback(refuse::address)
        .with_state(edge)
}
