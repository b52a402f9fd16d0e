//! The metrics.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;

pub(crate) fn path() -> Value {
    let text = json!({ "type": "string" });
    let content = [
        ("text/plain", text.clone()),
        ("application/openmetrics-text", text),
    ];
    json!({
        "get": Operation::new("metrics", "operation", "What is counted, for monitoring")
            .answer(200, "As Prometheus reads it; `Accept` picks the form.", json!({}), &content)
            .described(),
    })
}
