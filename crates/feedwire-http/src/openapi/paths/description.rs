//! `/openapi.json`: this description.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;

pub(crate) fn path() -> Value {
    json!({
        "get": Operation::new("describe", "operation", "This description")
            .json("OpenAPI 3.1.", json!({ "type": "object", "required": ["openapi", "info", "paths"] }))
            .described(),
    })
}
