//! The feeds of a project.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::parameters;
use crate::openapi::schemas::at;

pub(crate) fn path() -> Value {
    json!({
        "parameters": [parameters::project()],
        "get": Operation::new("listFeeds", "events", "The feeds with their counts")
            .json("In order of their names.", at("Feeds"))
            .if_none_match()
            .refuses(&["not-found", "damaged"])
            .described(),
    })
}
