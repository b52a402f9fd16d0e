//! What each file of routes is at: a path of the document for every route.

pub(crate) mod connectors;
pub(crate) mod credentials;
pub(crate) mod description;
pub(crate) mod entities;
pub(crate) mod erasures;
pub(crate) mod feeds;
pub(crate) mod labels;
pub(crate) mod loads;
pub(crate) mod metrics;
pub(crate) mod oauth;
pub(crate) mod probes;
pub(crate) mod projects;
pub(crate) mod publish;
pub(crate) mod read;
pub(crate) mod retention;
pub(crate) mod streams;

use serde_json::{Value, json};

/// The chapters that operations are told in.
pub(super) fn tags() -> Value {
    json!([
        { "name": "events", "description": "Publishing events, reading and following them." },
        { "name": "entities", "description": "The present states of things, and loading them." },
        { "name": "streams", "description": "Feeds that several connections share, with the place kept by the server." },
        { "name": "connectors", "description": "Streams that the server pushes to a URL." },
        { "name": "subjects", "description": "What is kept of subjects." },
        { "name": "upkeep", "description": "How long events are kept, and erasing them." },
        { "name": "access", "description": "Projects, credentials and tokens: who may do what." },
        { "name": "operation", "description": "For those who run the server." },
    ])
}
