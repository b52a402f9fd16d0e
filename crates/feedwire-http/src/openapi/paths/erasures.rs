//! Erasures and their receipts.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::parameters;
use crate::openapi::schemas::at;

pub(crate) fn all() -> Value {
    let location = json!({
        "Location": {
            "description": "Where the receipt is read again.",
            "required": true,
            "schema": { "type": "string", "format": "uri-reference" },
        },
    });
    let summary = "Erase a subject, a feed, or a subject in a feed";
    let mut asked = Operation::new("erase", "upkeep", summary)
        .body(&[("application/json", at("NewErasure"))])
        .answer(
            202,
            "The events are hidden, and will be gone from disk.",
            location,
            &[("application/json", at("Receipt"))],
        )
        .refuses(&["not-found", "damaged", "no-space"])
        .described();
    asked["responses"]["202"]["links"] = json!({
        "receipt": {
            "operationId": "getErasure",
            "parameters": { "project": "$request.path.project", "id": "$response.body#/id" },
        },
    });
    json!({ "parameters": [parameters::project()], "post": asked })
}

pub(crate) fn one() -> Value {
    json!({
        "parameters": [parameters::project(), parameters::erasure()],
        "get": Operation::new("getErasure", "upkeep", "The receipt of an erasure")
            .json("How far it is.", at("Receipt"))
            .if_none_match()
            .refuses(&["not-found", "damaged"])
            .described(),
    })
}
