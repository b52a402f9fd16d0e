//! The labels of a subject.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::parameters;
use crate::openapi::schemas::at;

pub(crate) fn path() -> Value {
    let found = "The labels as they are now.";
    json!({
        "parameters": [parameters::project(), parameters::subject_in_path()],
        "get": Operation::new("getLabels", "subjects", "The labels of a subject")
            .json(found, at("Labels"))
            .if_none_match()
            .refuses(&["not-found", "damaged"])
            .described(),
        "put": Operation::new("replaceLabels", "subjects", "Replace all labels of a subject")
            .body(&[("application/json", at("Labels"))])
            .json(found, at("Labels"))
            .if_match()
            .refuses(&["not-found", "damaged", "no-space"])
            .described(),
    })
}
