//! The routes of the `validic` dialect: streams that connections share, and the replay of what was recorded.

mod members;
mod refuse;
mod replay;
mod streams;

use feedwire_core::Right;

use crate::access::Rule;
use crate::quota;
use crate::routes::{Dialect, Route, Served, methods};

const STREAMS: Rule = Rule::Home(Right::Streams);

/// The variable of the routes, by its place.
const ID: usize = 0;

/// How this dialect has it said who asks.
pub(crate) const DIALECT: Dialect = Dialect {
    prefix: "/validic",
    key_headers: None,
    token_header: Some("token"),
    every_project: None,
    child: |_| Ok(None),
    standings: quota::headers,
    refuse: refuse::refusal,
};

const fn route(path: &'static str, methods: fn() -> Vec<Served>) -> Route {
    Route::of(&DIALECT, path, methods)
}

const ALL: fn() -> Vec<Served> =
    methods!(GET, STREAMS => streams::list; POST, STREAMS => streams::create);
const ONE: fn() -> Vec<Served> = methods!(
    GET, STREAMS => streams::show;
    PUT, STREAMS => streams::rename;
    DELETE, STREAMS => streams::delete
);

/// The routes of this dialect. The vendor's pages have some of them with a slash at the end, too.
pub(crate) const ROUTES: &[Route] = &[
    route("/validic/streams", ALL),
    route("/validic/streams/", ALL),
    route("/validic/streams/{id}", ONE),
    route("/validic/streams/{id}/", ONE),
    route(
        "/validic/streams/{id}/connect",
        methods!(GET, STREAMS => members::connect),
    ),
    route(
        "/validic/replay",
        methods!(GET, Rule::Home(Right::Read) => replay::replay),
    ),
];
