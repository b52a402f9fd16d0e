//! The routes of the `serialized` dialect: polled event feeds, aggregates and tenants.

mod aggregates;
mod deleting;
mod feeds;
mod refuse;
mod saving;
mod tenants;

use feedwire_core::Right;

use crate::access::Rule;
use crate::routes::{Dialect, Route, Served, methods};

const READ: Rule = Rule::Child(Right::Read);
const PUBLISH: Rule = Rule::Child(Right::Publish);
const ERASE: Rule = Rule::Child(Right::Admin);
const ADMIN: Rule = Rule::Home(Right::Admin);

/// The variables of the routes, by their places.
const TYPE: usize = 0;
const ID: usize = 1;
const TENANT: usize = 0;

/// How this dialect has it said who asks.
pub(crate) const DIALECT: Dialect = Dialect {
    prefix: "/serialized",
    key_headers: Some(("serialized-access-key", "serialized-secret-access-key")),
    token_header: None,
    every_project: None,
    child: tenants::named,
    standings: refuse::standings,
    refuse: refuse::refusal,
};

const fn route(path: &'static str, methods: fn() -> Vec<Served>) -> Route {
    Route::of(&DIALECT, path, methods)
}

/// The routes of this dialect.
pub(crate) const ROUTES: &[Route] = &[
    route("/serialized/feeds", methods!(GET, READ => feeds::list)),
    route(
        "/serialized/feeds/count",
        methods!(GET, READ => feeds::count_all),
    ),
    route(
        "/serialized/feeds/{type}",
        methods!(GET, READ => feeds::read; HEAD, READ => feeds::head),
    ),
    route(
        "/serialized/feeds/{type}/count",
        methods!(GET, READ => feeds::count),
    ),
    route(
        "/serialized/aggregates/{type}",
        methods!(GET, READ => aggregates::list; DELETE, ERASE => deleting::of_type),
    ),
    route(
        "/serialized/aggregates/{type}/events",
        methods!(POST, PUBLISH => saving::bulk),
    ),
    route(
        "/serialized/aggregates/{type}/{id}",
        methods!(
            GET, READ => aggregates::load;
            HEAD, READ => aggregates::exists;
            DELETE, ERASE => deleting::of_one
        ),
    ),
    route(
        "/serialized/aggregates/{type}/{id}/events",
        methods!(POST, PUBLISH => saving::one),
    ),
    route(
        "/serialized/tenants",
        methods!(GET, ADMIN => tenants::list; POST, ADMIN => tenants::add),
    ),
    route(
        "/serialized/tenants/{tenant}",
        methods!(PUT, ADMIN => tenants::change; DELETE, ADMIN => tenants::put_away),
    ),
    route(
        "/serialized/tenants/{tenant}/undelete",
        methods!(POST, ADMIN => tenants::take_up),
    ),
];
