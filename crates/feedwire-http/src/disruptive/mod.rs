//! The routes of the `disruptive` dialect: live streams of what devices tell, their history, devices and an emulator of them, and Data
//! Connectors, which push.

mod connectors;
mod devices;
mod emulator;
mod history;
mod labels;
mod moving;
mod projects;
mod reach;
mod refuse;
mod streaming;

use feedwire_core::Right;
use feedwire_dialects::disruptive::request::EVERY_PROJECT;

use crate::access::Rule;
use crate::quota;
use crate::routes::{Dialect, Route, Served, methods};

const READ: Rule = Rule::Each(Right::Read);
const PUBLISH: Rule = Rule::Project(Right::Publish);
const ERASE: Rule = Rule::Project(Right::Admin);
const CONNECT: Rule = Rule::Project(Right::Connectors);

/// The variables of the routes behind the project, by their places.
const DEVICE: usize = 1;
const CONNECTOR: usize = 1;

/// How this dialect has it said who asks.
pub(crate) const DIALECT: Dialect = Dialect {
    prefix: "/disruptive",
    key_headers: None,
    token_header: None,
    every_project: Some(EVERY_PROJECT),
    child: |_| Ok(None),
    standings: quota::headers,
    refuse: refuse::refusal,
};

const fn route(path: &'static str, methods: fn() -> Vec<Served>) -> Route {
    Route::of(&DIALECT, path, methods)
}

/// What the address of a stream ends with.
const STREAM: &str = "devices:stream";

/// The routes of this dialect.
pub(crate) const ROUTES: &[Route] = &[
    route(
        "/disruptive/v2/projects",
        methods!(GET, Rule::Known => projects::list),
    ),
    route(
        "/disruptive/v2/projects/{project}",
        methods!(GET, Rule::Project(Right::Read) => projects::show),
    ),
    route(
        "/disruptive/v2/projects/{project}/devices",
        methods!(GET, READ => devices::list; POST, PUBLISH => emulator::create),
    ),
    route(
        "/disruptive/v2/projects/{project}/devices:stream",
        methods!(GET, READ => streaming::stream),
    ),
    route(
        "/disruptive/v2/projects/{project}/devices:batchUpdate",
        methods!(POST, Rule::Each(Right::Publish) => labels::update),
    ),
    route(
        "/disruptive/v2/projects/{project}/devices:transfer",
        methods!(POST, PUBLISH => moving::transfer),
    ),
    route(
        "/disruptive/v2/projects/{project}/devices/{device}",
        methods!(GET, READ => devices::show; DELETE, ERASE => emulator::delete),
    ),
    route(
        "/disruptive/v2/projects/{project}/devices/{device}:publish",
        methods!(POST, PUBLISH => emulator::publish),
    ),
    route(
        "/disruptive/v2/projects/{project}/devices/{device}/events",
        methods!(GET, READ => history::page),
    ),
    route(
        "/disruptive/v2/projects/{project}/dataconnectors",
        methods!(GET, CONNECT => connectors::list; POST, CONNECT => connectors::create),
    ),
    route(
        "/disruptive/v2/projects/{project}/dataconnectors/{connector}",
        methods!(
            GET, CONNECT => connectors::show;
            PATCH, CONNECT => connectors::change;
            DELETE, CONNECT => connectors::delete
        ),
    ),
    route(
        "/disruptive/v2/projects/{project}/dataconnectors/{connector}:metrics",
        methods!(GET, CONNECT => connectors::metrics),
    ),
    route(
        "/disruptive/v2/projects/{project}/dataconnectors/{connector}:sync",
        methods!(POST, CONNECT => connectors::sync),
    ),
];
