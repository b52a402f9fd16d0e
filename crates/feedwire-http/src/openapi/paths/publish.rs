//! Publishing.

use feedwire_api::CLOUDEVENTS_BATCH;
use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::parameters::{self, header};
use crate::openapi::schemas::{at, count, name};

pub(crate) fn path() -> Value {
    json!({
        "parameters": [parameters::project(), parameters::feed()],
        "post": publish(),
    })
}

fn publish() -> Value {
    let lines = json!({
        "type": "string",
        "description": "An event a line; blank lines are passed over. Of any length: batches are published as they arrive.",
    });
    let content = [
        (
            "application/json",
            json!({ "oneOf": [at("NewEvent"), at("NewBatch")] }),
        ),
        ("application/cloudevents+json", at("NewEvent")),
        (
            CLOUDEVENTS_BATCH,
            json!({ "anyOf": [at("NewBatch"), { "const": [] }] }),
        ),
        ("application/x-ndjson", lines.clone()),
        ("application/ndjson", lines.clone()),
        ("application/jsonl", lines),
        ("*/*", data()),
    ];
    let answers = json!({ "anyOf": [at("Published"), at("Uploaded")] });
    let progress = json!({
        "appended": count("Of a body of lines: how many events are published."),
        "last": {
            "type": ["integer", "null"],
            "description": "Of a body of lines: the position of the last one that is.",
        },
    });
    Operation::new(
        "publish",
        "events",
        "Publish an event, a batch, or a body of lines",
    )
    .description("The answer comes when the events are on disk and can be read.")
    .parameter(expect())
    .parameter(idempotency_key())
    .parameters(binary_mode())
    .body(&content)
    .json("They are on disk.", answers)
    .answer(204, "An empty batch of CloudEvents.", json!({}), &[])
    .refuses(&[
        "not-found",
        "invalid-event",
        "conflict",
        "partly-known",
        "idempotency-key-reused",
        "event-too-large",
        "batch-too-large",
        "damaged",
        "no-space",
    ])
    .problems_with(progress)
    .described()
}

/// The data of one event, in CloudEvents' binary mode.
fn data() -> Value {
    json!({ "description": "With headers such as `ce-type`: the data of one event, whose attributes they are." })
}

fn idempotency_key() -> Value {
    let words = "Names the request within its feed: sent again, it is answered in the same way. Printable ASCII, in quotes or bare.";
    let schema = json!({ "type": "string", "minLength": 1, "maxLength": 255 });
    header("Idempotency-Key", words, schema)
}

/// Attributes of the one event of the binary mode; each of the first four says that this is meant.
fn binary_mode() -> impl Iterator<Item = Value> {
    let text = json!({ "type": "string", "minLength": 1 });
    let attributes = [
        ("ce-type", "Required in this mode.", name()),
        ("ce-id", "As in JSON.", text.clone()),
        ("ce-source", "As in JSON.", text.clone()),
        ("ce-specversion", "The version.", json!({ "const": "1.0" })),
        ("ce-subject", "As in JSON.", text),
        (
            "ce-time",
            "As in JSON.",
            json!({ "type": "string", "format": "date-time" }),
        ),
        (
            "ce-liveonly",
            "As in JSON.",
            json!({ "enum": ["true", "false"] }),
        ),
    ];
    attributes.into_iter().map(|(attribute, what, schema)| {
        let words = format!(
            "CloudEvents' binary mode: an attribute, percent-encoded where it is not printable ASCII. Extensions are headers of the same form. {what}"
        );
        header(attribute, &words, schema)
    })
}

fn expect() -> Value {
    let words = "Publish only if the subject, one and the same of all events, has had nothing, is at this version, or has its last event at this position.";
    let number = "(0|[1-9][0-9]{0,14})";
    let schema = json!({
        "type": "string",
        "pattern": format!("^(none|version:{number}|position:{number})$"),
    });
    parameters::query("expect", words, schema)
}
