//! The probes.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;

pub(crate) fn up() -> Value {
    json!({
        "get": answers_ok(Operation::new("isUp", "operation", "Whether the process is up")),
    })
}

pub(crate) fn ready() -> Value {
    json!({
        "get": answers_ok(Operation::new("isReady", "operation", "Whether it serves; not while it stops")),
    })
}

fn answers_ok(operation: Operation) -> Value {
    let ok = json!({ "type": "string", "const": "ok" });
    let content = [("text/plain", ok)];
    operation
        .answer(200, "It is.", json!({}), &content)
        .described()
}
