//! Every route of the server, as the files that have the handlers list them.

use axum::Router;
use axum::routing::MethodRouter;
use serde_json::Value;

use crate::edge::Edge;
use crate::{metrics, native, openapi, probes};

/// What is at an address.
#[derive(Debug)]
pub(crate) struct Route {
    /// The address, as axum takes it.
    pub(crate) path: &'static str,
    /// What it does, by method.
    pub(crate) methods: fn() -> MethodRouter<Edge>,
    /// The same as OpenAPI describes it: a path item.
    pub(crate) description: fn() -> Value,
}

/// Every route there is, at whichever listener.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    at_listener().chain([&metrics::ROUTE])
}

/// The routes of the listener that clients call; metrics may have one of their own.
pub(crate) fn at_listener() -> impl Iterator<Item = &'static Route> {
    let native = native::ROUTES.iter();
    native.chain(probes::ROUTES).chain([&openapi::ROUTE])
}

/// `routes`, and a problem at every other address and for every other method.
pub(crate) fn router(routes: impl IntoIterator<Item = &'static Route>, edge: &Edge) -> Router {
    let mut all = Router::new();
    for route in routes {
        all = all.route(route.path, (route.methods)());
    }
    all.method_not_allowed_fallback(native::refuse_method)
        .fallback(native::refuse_address)
        .with_state(edge.clone())
}
