//! How long the events of a project are kept.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::parameters;
use crate::openapi::schemas::at;

pub(crate) fn path() -> Value {
    let found = "How long events are kept; null is no bound.";
    json!({
        "parameters": [parameters::project()],
        "get": Operation::new("getRetention", "upkeep", "How long events are kept")
            .json(found, at("Retention"))
            .if_none_match()
            .refuses(&["not-found", "damaged"])
            .described(),
        "put": Operation::new("replaceRetention", "upkeep", "Say how long events are kept")
            .body(&[("application/json", at("NewRetention"))])
            .json(found, at("Retention"))
            .if_match()
            .refuses(&["not-found", "damaged", "no-space"])
            .described(),
    })
}
