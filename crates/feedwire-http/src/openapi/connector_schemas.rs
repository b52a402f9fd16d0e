//! What bodies about connectors are made of.

use feedwire_core::connectors::{BATCH_EVENTS, CONCURRENCY, REDIRECTS_MAX, URL_BYTES_MAX};
use feedwire_core::stream::DISPLAY_NAME_CHARS_MAX;
use feedwire_push::CUSTOM_HEADERS_MAX;
use serde_json::{Map, Value, json};

use super::schemas::{NO_CONTROL, at, count, name, or_null, position, text, time};
use super::stream_schemas::{between, lag, next, object, optional, place};

pub(super) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("NewConnector", new_connector()),
        ("ConnectorChange", object(&[], optional(changeable(true)))),
        ("Connector", told(&connector())),
        ("MadeConnector", made()),
        ("Connectors", connectors()),
        ("NewConnectorSecret", new_secret()),
        ("ConnectorSecret", secret_told()),
        ("NewReplay", new_replay()),
        ("ConnectorDelivery", delivery()),
        ("ConnectorDeliveries", deliveries()),
        ("ConnectorMetrics", metrics()),
    ]
}

/// What is told with all of its members.
fn told(properties: &Value) -> Value {
    let required: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// A span of so many of `unit` as `digits` allow; other ways to write it are read too.
fn span(digits: &str, unit: &str, description: &str) -> Value {
    json!({
        "type": "string",
        "pattern": format!("^({digits}){unit}$"),
        "description": format!("{description} `1m 30s` and the like are read too."),
    })
}

/// A span from nothing, or a tenth of a second, to a minute.
const TO_A_MINUTE: &str = "[1-9][0-9]{2,3}|[1-5][0-9]{4}|60000";

fn url() -> Value {
    json!({
        "type": "string",
        "maxLength": URL_BYTES_MAX,
        "pattern": "^https?://[!-~]+$",
        "description": "Where to. `http` and addresses that are not of the public internet are for whoever runs the server to let in.",
        "examples": ["https://receiver.invalid/events"],
    })
}

fn secret() -> Value {
    json!({
        "type": "string",
        "pattern": "^whsec_[A-Za-z0-9+/]{32}$",
        "description": "`whsec_` and the base64 of 24 random bytes, or of up to 64.",
    })
}

/// What can be changed later too.
fn changeable(may_take_away: bool) -> Value {
    let mut value = json!({ "type": "string", "pattern": "^([!-~]([ -~]*[!-~])?)?$" });
    let mut words = "What is added to its requests, such as a password that the receiver wants. Values are told nobody.".to_owned();
    if may_take_away {
        value = or_null(value);
        words += " Null takes one away, and those that are not named stay.";
    }
    let batch = between(*BATCH_EVENTS.start() as u64, *BATCH_EVENTS.end() as u64);
    let concurrency = between(*CONCURRENCY.start() as u64, *CONCURRENCY.end() as u64);
    let wait = "[1-9][0-9]{1,6}";
    let age = "[1-9][0-9]{0,5}";
    json!({
        "url": url(),
        "display_name": {
            "type": "string",
            "maxLength": DISPLAY_NAME_CHARS_MAX,
            "pattern": NO_CONTROL,
            "description": "What people call it.",
        },
        "filter": at("StreamFilter"),
        "format": {
            "enum": ["structured", "binary", "batch"],
            "description": "How its bodies look, as CloudEvents over HTTP has them.",
        },
        "batch_size": described(batch, "Most events of a request; more than one takes the format `batch`."),
        "linger": span(&format!("0|{TO_A_MINUTE}"), "ms", "How long an event waits for others to be in one request with it."),
        "concurrency": described(concurrency, "Most requests on their way at once."),
        "timeout": span(TO_A_MINUTE, "ms", "How long an answer is waited for."),
        "retry_first": span(wait, "ms", "How long the first wait before a retry may be."),
        "retry_most": span(wait, "ms", "How long any wait before a retry may be; no shorter than the first."),
        "retry_age": span(age, "s", "How long after its first failure an event is given up."),
        "disable_after": span(age, "s", "After how long without a success it is disabled."),
        "redirects": described(between(0, REDIRECTS_MAX.into()), "How many redirects a request follows."),
        "headers": {
            "type": "object",
            "maxProperties": CUSTOM_HEADERS_MAX,
            "propertyNames": { "pattern": "^[A-Za-z0-9-]{1,64}$" },
            "additionalProperties": value,
            "description": words,
        },
    })
}

fn described(mut schema: Value, words: &str) -> Value {
    schema["description"] = words.into();
    schema
}

fn new_connector() -> Value {
    let mut properties = optional(changeable(false));
    properties["name"] = name();
    properties["url"] = url();
    properties["stream"] = or_null(described(
        name(),
        "A stream that is there; without it, it has one of its own, of what `filter` and `start` say.",
    ));
    properties["start"] = or_null(place());
    properties["secret"] = or_null(secret());
    properties["paused"] = or_null(json!({ "type": "boolean" }));
    object(&["name", "url"], properties)
}

fn health() -> Value {
    told(&json!({
        "in_flight": count("How many requests are on their way."),
        "failing_since": or_null(time("Since when nothing has succeeded, where something has failed since.")),
        "failures": count("How many requests failed since one succeeded."),
        "succeeded_at": or_null(time("When one succeeded last, since the server was started.")),
        "held_until": or_null(time("When the next is sent at the earliest, where all of them wait for that.")),
        "hindrance": or_null(text("Why nothing is pushed, though it is to be.")),
        "requests": count("Requests since the server was started."),
        "failed_requests": count("Those of them that failed."),
        "delivered": count("Events that were delivered since the server was started."),
        "buried": count("Events that were put among the dead letters since then."),
    }))
}

fn connector() -> Value {
    let replay = told(&json!({
        "of": name(),
        "until": position("The last position."),
    }));
    json!({
        "name": name(),
        "display_name": text("What people call it."),
        "url": text("Where to."),
        "stream": name(),
        "owns_stream": { "type": "boolean", "description": "Whether its stream was made with it, and is deleted with it." },
        "filter": or_null(at("StreamFilter")),
        "format": { "enum": ["structured", "binary", "batch", "disruptive"] },
        "batch_size": count("Most events of a request."),
        "linger": text("How long an event waits for others."),
        "concurrency": count("Most requests on their way at once."),
        "timeout": text("How long an answer is waited for."),
        "retry_first": text("How long the first wait may be."),
        "retry_most": text("How long any wait may be."),
        "retry_age": text("How long after its first failure an event is given up."),
        "disable_after": text("After how long without a success it is disabled."),
        "redirects": count("How many redirects a request follows."),
        "headers": {
            "type": "array",
            "items": { "type": "string" },
            "description": "The names of the headers that are added.",
        },
        "signed": { "type": "boolean" },
        "previous_secret_until": or_null(time("Until when the secret before signs, too.")),
        "state": { "enum": ["active", "paused", "disabled", "done"] },
        "reason": or_null(text("Why it is disabled.")),
        "state_since": time("Since when."),
        "replay": or_null(replay),
        "health": health(),
        "lag": or_null(lag()),
        "dead_letters": or_null(count("How many events were put aside.")),
        "created_at": time("When it was made."),
        "updated_at": time("When it was changed."),
    })
}

fn made() -> Value {
    let mut made = told(&connector());
    made["properties"]["secret"] =
        text("What its requests are signed by, where none was given: it is told this once.");
    made
}

fn connectors() -> Value {
    told(&json!({
        "connectors": { "type": "array", "items": at("Connector") },
        "next": next(),
    }))
}

fn new_secret() -> Value {
    let overlap = span(
        "0|[1-9][0-9]{0,4}",
        "s",
        "How long both sign, at most `7d`; a day where it is not said.",
    );
    object(
        &[],
        optional(json!({ "secret": secret(), "overlap": overlap })),
    )
}

fn secret_told() -> Value {
    let mut told = told(&json!({
        "previous_until": or_null(time("Until when the one before signs, too.")),
    }));
    told["properties"]["secret"] = text("The new one, where none was given: it is told this once.");
    told
}

fn new_replay() -> Value {
    object(
        &["from"],
        json!({
            "from": place(),
            "until": or_null(described(place(), "Before which time, or up to which position; without it, to the end as it is now.")),
            "url": or_null(url()),
            "name": or_null(name()),
        }),
    )
}

fn delivery() -> Value {
    let events = told(&json!({
        "first": position("Of the first."),
        "last": position("Of the last."),
        "count": count("How many."),
    }));
    told(&json!({
        "id": text("What the receiver was told as `webhook-id`."),
        "occasion": { "enum": ["event", "test", "sync"] },
        "at": time("When it was sent."),
        "events": or_null(events),
        "attempt": count("The how-manieth time it was."),
        "delivered": { "type": "boolean" },
        "status": or_null(count("Of the answer; null where there was none.")),
        "answer": or_null(text("The beginning of the answer's body.")),
        "error": or_null(text("Why there was no answer.")),
        "latency_seconds": { "type": "number", "minimum": 0 },
    }))
}

fn deliveries() -> Value {
    told(&json!({ "deliveries": { "type": "array", "items": at("ConnectorDelivery") } }))
}

fn metrics() -> Value {
    told(&json!({
        "succeeded": count("Requests that were taken."),
        "failed": count("Requests that were not."),
        "latency_p99_seconds": { "type": "number", "minimum": 0 },
    }))
}
