//! The routes of the native API.

mod batches;
mod erasures;
mod feeds;
mod labels;
mod publish;
mod read;
mod refuse;
mod retention;

use axum::Router;
use axum::routing::{get, post};

use crate::edge::Edge;

pub(crate) use refuse::method as refuse_method;

/// The routes of the native API.
pub(crate) fn routes() -> Router<Edge> {
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
        .route(
            "/v1/projects/{project}/retention",
            get(retention::show).put(retention::replace),
        )
        .route("/v1/projects/{project}/erasures", post(erasures::ask))
        .route("/v1/projects/{project}/erasures/{id}", get(erasures::show))
        .method_not_allowed_fallback(refuse::method)
        .fallback(refuse::address)
}
