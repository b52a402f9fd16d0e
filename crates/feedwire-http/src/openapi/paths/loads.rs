//! Load jobs.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::parameters;
use crate::openapi::schemas::{at, bounded_id};

const TAG: &str = "entities";

fn of_load() -> Value {
    let id = parameters::in_path("id", "The id of the load job.", bounded_id());
    json!([parameters::project(), id])
}

pub(crate) fn start() -> Value {
    let words = "The present state of each entity is written as an event of type `load` to the feed `_load.` and the name of its feed.";
    json!({
        "parameters": [parameters::project(), parameters::readable_feed()],
        "post": Operation::new("startLoad", TAG, "Load the entities of a feed, or of many")
            .description(words)
            .body(&[("application/json", at("NewLoad"))])
            .answer(201, "It is run when those before it are done.", parameters::location(), &[("application/json", at("Load"))])
            .refuses(&["not-found", "too-many-loads", "damaged", "no-space"])
            .described(),
    })
}

pub(crate) fn all() -> Value {
    json!({
        "parameters": [parameters::project()],
        "get": Operation::new("listLoads", TAG, "The load jobs of the project")
            .json("In the order in which they were started.", at("Loads"))
            .refuses(&["not-found", "damaged"])
            .described(),
    })
}

pub(crate) fn one() -> Value {
    json!({
        "parameters": of_load(),
        "get": Operation::new("getLoad", TAG, "How far a load job is")
            .json("The load job.", at("Load"))
            .refuses(&["not-found", "damaged"])
            .described(),
    })
}

pub(crate) fn cancel() -> Value {
    json!({
        "parameters": of_load(),
        "post": Operation::new("cancelLoad", TAG, "Have a load job end")
            .description("What it has written stays. One that has ended stays as it ended.")
            .json("The load job.", at("Load"))
            .refuses(&["not-found", "damaged", "no-space"])
            .described(),
    })
}
