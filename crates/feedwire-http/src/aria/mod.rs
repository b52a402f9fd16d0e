//! The routes of the `aria` dialect: the change feed and the load feed.

mod feeds;
mod refuse;

use feedwire_core::Right;
use feedwire_dialects::Zone;

use crate::access::Rule;
use crate::quota;
use crate::routes::{Dialect, Route, Served, methods};

const READ: Rule = Rule::Home(Right::Read);

/// How the feeds of Aria's API are told.
#[derive(Clone, Debug)]
pub struct Aria {
    /// The zone of the times of events, and of times that say none themselves.
    pub zone: Zone,
    /// Whether the end of the connection alone ends a feed: then nothing but events is on it, which is what the vendor's client reads.
    pub is_close_delimited: bool,
}

impl Default for Aria {
    fn default() -> Self {
        Self {
            zone: Zone::UTC,
            is_close_delimited: false,
        }
    }
}

/// How this dialect has it said who asks.
pub(crate) const DIALECT: Dialect = Dialect {
    prefix: "/aria",
    key_headers: None,
    token_header: None,
    every_project: None,
    child: |_| Ok(None),
    standings: quota::headers,
    refuse: refuse::refusal,
};

const fn route(path: &'static str, methods: fn() -> Vec<Served>) -> Route {
    Route::of(&DIALECT, path, methods)
}

/// The routes of this dialect.
pub(crate) const ROUTES: &[Route] = &[
    route("/aria/feeds/change", methods!(GET, READ => feeds::change)),
    route("/aria/feeds/load", methods!(GET, READ => feeds::load)),
];
