//! The routes of the native API.

mod batches;
pub(crate) mod connectors;
mod credentials;
mod entities;
mod erasures;
mod feeds;
mod labels;
mod letters;
mod loads;
mod members;
mod paging;
mod projects;
mod publish;
mod pushed;
mod read;
mod refuse;
mod retention;
mod streams;

use feedwire_core::Right;

use crate::access::Rule;
use crate::answer;
use crate::openapi::paths;
use crate::quota;
use crate::routes::{Dialect, Route, methods};

const READ: Rule = Rule::Project(Right::Read);
const PUBLISH: Rule = Rule::Project(Right::Publish);
const STREAMS: Rule = Rule::Project(Right::Streams);
const CONNECTORS: Rule = Rule::Project(Right::Connectors);
const ADMIN: Rule = Rule::Project(Right::Admin);

/// The variables of the routes, by their places; the first is the project that a rule is about.
const FEED: usize = 1;
const SUBJECT: usize = 1;
const ENTITY: usize = 2;
const ID: usize = 1;
const NAME: usize = 1;

/// How the native API, and what is of none, has it said who asks.
pub(crate) const DIALECT: Dialect = Dialect {
    prefix: "/",
    key_headers: None,
    token_header: None,
    every_project: None,
    child: |_| Ok(None),
    standings: quota::headers,
    refuse: answer::refusal,
};

/// The routes of the native API.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "/v1/projects",
        dialect: &DIALECT,
        methods: methods!(GET, Rule::Known => projects::list; POST, Rule::Known => projects::create),
        description: Some(paths::projects::all),
    },
    Route {
        path: "/v1/projects/{project}",
        dialect: &DIALECT,
        methods: methods!(GET, Rule::Member => projects::show; DELETE, ADMIN => projects::delete),
        description: Some(paths::projects::one),
    },
    Route {
        path: "/v1/projects/{project}/limits",
        dialect: &DIALECT,
        methods: methods!(GET, Rule::Member => projects::limits; PUT, Rule::Member => projects::set_limits),
        description: Some(paths::projects::limits),
    },
    Route {
        path: "/v1/projects/{project}/credentials",
        dialect: &DIALECT,
        methods: methods!(GET, ADMIN => credentials::list; POST, ADMIN => credentials::create),
        description: Some(paths::credentials::all),
    },
    Route {
        path: "/v1/projects/{project}/credentials/{key_id}",
        dialect: &DIALECT,
        methods: methods!(
            GET, ADMIN => credentials::show;
            PATCH, ADMIN => credentials::change;
            DELETE, ADMIN => credentials::revoke
        ),
        description: Some(paths::credentials::one),
    },
    Route {
        path: "/v1/projects/{project}/credentials/{key_id}/rotate",
        dialect: &DIALECT,
        methods: methods!(POST, ADMIN => credentials::rotate),
        description: Some(paths::credentials::rotate),
    },
    Route {
        path: "/v1/projects/{project}/feeds",
        dialect: &DIALECT,
        methods: methods!(GET, READ => feeds::list),
        description: Some(paths::feeds::path),
    },
    Route {
        path: "/v1/projects/{project}/feeds/{feed}",
        dialect: &DIALECT,
        methods: methods!(GET, READ => read::read; HEAD, READ => read::head),
        description: Some(paths::read::path),
    },
    Route {
        path: "/v1/projects/{project}/feeds/{feed}/events",
        dialect: &DIALECT,
        methods: methods!(POST, PUBLISH => publish::publish),
        description: Some(paths::publish::path),
    },
    Route {
        path: "/v1/projects/{project}/feeds/{feed}/entities",
        dialect: &DIALECT,
        methods: methods!(GET, READ => entities::list; POST, PUBLISH => entities::put_many),
        description: Some(paths::entities::all),
    },
    Route {
        path: "/v1/projects/{project}/feeds/{feed}/entities/{subject}",
        dialect: &DIALECT,
        methods: methods!(
            GET, READ => entities::show;
            PUT, PUBLISH => entities::put;
            PATCH, PUBLISH => entities::patch;
            DELETE, PUBLISH => entities::delete
        ),
        description: Some(paths::entities::one),
    },
    Route {
        path: "/v1/projects/{project}/feeds/{feed}/loads",
        dialect: &DIALECT,
        methods: methods!(POST, ADMIN => loads::start),
        description: Some(paths::loads::start),
    },
    Route {
        path: "/v1/projects/{project}/loads",
        dialect: &DIALECT,
        methods: methods!(GET, ADMIN => loads::list),
        description: Some(paths::loads::all),
    },
    Route {
        path: "/v1/projects/{project}/loads/{id}",
        dialect: &DIALECT,
        methods: methods!(GET, ADMIN => loads::show),
        description: Some(paths::loads::one),
    },
    Route {
        path: "/v1/projects/{project}/loads/{id}/cancel",
        dialect: &DIALECT,
        methods: methods!(POST, ADMIN => loads::cancel),
        description: Some(paths::loads::cancel),
    },
    Route {
        path: "/v1/projects/{project}/subjects/{subject}/labels",
        dialect: &DIALECT,
        methods: methods!(GET, READ => labels::show; PUT, PUBLISH => labels::replace),
        description: Some(paths::labels::path),
    },
    Route {
        path: "/v1/projects/{project}/retention",
        dialect: &DIALECT,
        methods: methods!(GET, READ => retention::show; PUT, ADMIN => retention::replace),
        description: Some(paths::retention::path),
    },
    Route {
        path: "/v1/projects/{project}/erasures",
        dialect: &DIALECT,
        methods: methods!(POST, ADMIN => erasures::ask),
        description: Some(paths::erasures::all),
    },
    Route {
        path: "/v1/projects/{project}/erasures/{id}",
        dialect: &DIALECT,
        methods: methods!(GET, ADMIN => erasures::show),
        description: Some(paths::erasures::one),
    },
    Route {
        path: "/v1/projects/{project}/streams",
        dialect: &DIALECT,
        methods: methods!(GET, STREAMS => streams::list; POST, STREAMS => streams::create),
        description: Some(paths::streams::all),
    },
    Route {
        path: "/v1/projects/{project}/streams/{name}",
        dialect: &DIALECT,
        methods: methods!(
            GET, STREAMS => streams::show;
            PATCH, STREAMS => streams::change;
            DELETE, STREAMS => streams::delete
        ),
        description: Some(paths::streams::one),
    },
    Route {
        path: "/v1/projects/{project}/streams/{name}/connect",
        dialect: &DIALECT,
        methods: methods!(GET, STREAMS => members::connect),
        description: Some(paths::streams::connect),
    },
    Route {
        path: "/v1/projects/{project}/streams/{name}/ack",
        dialect: &DIALECT,
        methods: methods!(POST, STREAMS => members::ack),
        description: Some(paths::streams::ack),
    },
    Route {
        path: "/v1/projects/{project}/streams/{name}/nack",
        dialect: &DIALECT,
        methods: methods!(POST, STREAMS => members::nack),
        description: Some(paths::streams::nack),
    },
    Route {
        path: "/v1/projects/{project}/streams/{name}/seek",
        dialect: &DIALECT,
        methods: methods!(POST, STREAMS => streams::seek),
        description: Some(paths::streams::seek),
    },
    Route {
        path: "/v1/projects/{project}/streams/{name}/dead-letters",
        dialect: &DIALECT,
        methods: methods!(GET, STREAMS => letters::list),
        description: Some(paths::streams::letters),
    },
    Route {
        path: "/v1/projects/{project}/streams/{name}/dead-letters/redrive",
        dialect: &DIALECT,
        methods: methods!(POST, STREAMS => letters::redrive),
        description: Some(paths::streams::redrive),
    },
    Route {
        path: "/v1/projects/{project}/streams/{name}/dead-letters/drop",
        dialect: &DIALECT,
        methods: methods!(POST, STREAMS => letters::forget),
        description: Some(paths::streams::forget),
    },
    Route {
        path: "/v1/projects/{project}/connectors",
        dialect: &DIALECT,
        methods: methods!(GET, CONNECTORS => connectors::list; POST, CONNECTORS => connectors::create),
        description: Some(paths::connectors::all),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}",
        dialect: &DIALECT,
        methods: methods!(
            GET, CONNECTORS => connectors::show;
            PATCH, CONNECTORS => connectors::change;
            DELETE, CONNECTORS => connectors::delete
        ),
        description: Some(paths::connectors::one),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}/pause",
        dialect: &DIALECT,
        methods: methods!(POST, CONNECTORS => connectors::pause),
        description: Some(paths::connectors::pause),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}/resume",
        dialect: &DIALECT,
        methods: methods!(POST, CONNECTORS => connectors::resume),
        description: Some(paths::connectors::resume),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}/secret",
        dialect: &DIALECT,
        methods: methods!(POST, CONNECTORS => pushed::rotate),
        description: Some(paths::connectors::secret),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}/test",
        dialect: &DIALECT,
        methods: methods!(POST, CONNECTORS => pushed::test),
        description: Some(paths::connectors::test),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}/deliveries",
        dialect: &DIALECT,
        methods: methods!(GET, CONNECTORS => pushed::deliveries),
        description: Some(paths::connectors::deliveries),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}/metrics",
        dialect: &DIALECT,
        methods: methods!(GET, CONNECTORS => pushed::metrics),
        description: Some(paths::connectors::metrics),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}/replays",
        dialect: &DIALECT,
        methods: methods!(POST, CONNECTORS => pushed::replay),
        description: Some(paths::connectors::replays),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}/dead-letters",
        dialect: &DIALECT,
        methods: methods!(GET, CONNECTORS => pushed::letters),
        description: Some(paths::connectors::letters),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}/dead-letters/redrive",
        dialect: &DIALECT,
        methods: methods!(POST, CONNECTORS => pushed::redrive),
        description: Some(paths::connectors::redrive),
    },
    Route {
        path: "/v1/projects/{project}/connectors/{name}/dead-letters/drop",
        dialect: &DIALECT,
        methods: methods!(POST, CONNECTORS => pushed::forget),
        description: Some(paths::connectors::forget),
    },
];
