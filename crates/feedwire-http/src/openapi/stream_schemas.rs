//! What bodies about streams are made of.

use feedwire_core::limits::EXPRESSION_BYTES_MAX;
use feedwire_core::stream::{DELIVERIES, DISPLAY_NAME_CHARS_MAX, IN_FLIGHT, MEMBERS};
use feedwire_dialects::stream_body::{RECEIPTS_MAX, THROUGH_MAX};
use serde_json::{Value, json};

use super::schemas::{
    NO_CONTROL, at, count, list, moment, name, or_null, position, subject, text, time,
};

pub(super) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("StreamFilter", filter()),
        ("NewStream", new_stream()),
        ("StreamChange", object(&[], changeable())),
        ("Stream", stream(&json!({}))),
        ("StreamDetails", details()),
        ("Streams", streams()),
        ("Ack", ack()),
        ("Nack", nack()),
        ("Settled", settled()),
        ("Seek", object(&["to"], json!({ "to": place() }))),
        (
            "Sought",
            object(
                &["position"],
                json!({ "position": position("Behind which it goes on.") }),
            ),
        ),
        ("WhichLetters", which()),
        (
            "LettersChosen",
            object(&["count"], json!({ "count": count("How many.") })),
        ),
        ("DeadLetters", letters()),
        ("Heartbeat", heartbeat()),
        ("LostEvents", lost()),
        ("StreamEvent", sent()),
        ("MemberEvent", member_event()),
    ]
}

pub(super) fn object(required: &[&str], properties: impl Into<Value>) -> Value {
    let properties: Value = properties.into();
    let mut object =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// What is not there, or null, is not given.
pub(super) fn optional(properties: Value) -> Value {
    let Value::Object(properties) = properties else {
        panic!("properties are an object");
    };
    let optional = properties
        .into_iter()
        .map(|(name, schema)| (name, or_null(schema)));
    Value::Object(optional.collect())
}

/// A span of so many seconds as `digits` allow; other ways to write it are read too.
fn seconds(digits: &str) -> Value {
    json!({
        "type": "string",
        "pattern": format!("^({digits})s$"),
        "description": "Whole seconds, such as `90s`; `1m 30s` and the like are read too.",
    })
}

pub(super) fn between(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// A place in the log, in the past of it.
pub(super) fn place() -> Value {
    json!({
        "anyOf": [
            moment(&["start", "now"]),
            { "type": "string", "pattern": "^[0-9]{1,15}$" },
        ],
        "description": "`start`, `now`, a time that is past, a span ago, or behind a position that there is.",
    })
}

fn filter() -> Value {
    let label = json!({ "type": "string", "pattern": "^[^=]" });
    let mut filter = json!({
        "feeds": list(name()),
        "types": list(name()),
        "subjects": list(subject()),
        "labels": list(label),
        "expression": { "type": "string", "minLength": 1, "maxLength": EXPRESSION_BYTES_MAX },
    });
    for values in ["feeds", "types", "subjects"] {
        let words = format!("Only events with one of these {values}; without any, all.");
        filter[values]["description"] = words.into();
    }
    filter["labels"]["description"] =
        "Only events whose subject has all of these when they are sent: a key, or key=value."
            .into();
    filter["expression"]["description"] =
        "Only events of which this is true when they are read for the members, as with the parameter `filter` of readings."
            .into();
    object(&[], optional(filter))
}

fn changeable() -> Value {
    let mut members = between(*MEMBERS.start() as u64, *MEMBERS.end() as u64);
    members["description"] = "Most members at once; no more than there are partitions.".into();
    let mut deliveries = between((*DELIVERIES.start()).into(), (*DELIVERIES.end()).into());
    deliveries["description"] = "How often an event is sent; null is for ever.".into();
    optional(json!({
        "display_name": {
            "type": "string",
            "maxLength": DISPLAY_NAME_CHARS_MAX,
            "pattern": NO_CONTROL,
            "description": "What people call it.",
        },
        "filter": at("StreamFilter"),
        "members_max": members,
        "heartbeat": seconds("[1-9]|[1-5][0-9]|60"),
        "checkpoint_lifetime": seconds("[6-9][0-9]|[1-9][0-9]{2,6}"),
        "ack_timeout": seconds("[1-9][0-9]{0,3}"),
        "max_in_flight": between(*IN_FLIGHT.start() as u64, *IN_FLIGHT.end() as u64),
        "max_deliveries": deliveries,
        "on_failure": { "enum": ["wait", "go_on"] },
    }))
}

fn new_stream() -> Value {
    let mut properties = changeable();
    properties["name"] = name();
    properties["start"] = or_null(place());
    properties["mode"] = or_null(json!({ "enum": ["explicit", "delivered"] }));
    properties["partitions"] =
        or_null(json!({ "enum": [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] }));
    object(&["name"], properties)
}

pub(super) fn lag() -> Value {
    json!({
        "type": "object",
        "required": ["events", "seconds"],
        "properties": {
            "events": count("How many events are not settled."),
            "seconds": { "type": "number", "minimum": 0 },
        },
    })
}

/// A stream, with what else is told of it.
fn stream(more: &Value) -> Value {
    let mut properties = json!({
        "name": name(),
        "display_name": text("What people call it."),
        "filter": at("StreamFilter"),
        "start": text("`start`, or the position that it starts behind."),
        "mode": { "enum": ["explicit", "delivered"] },
        "partitions": count("How many partitions it has."),
        "members_max": count("Most members at once."),
        "heartbeat": text("How often a member has a heartbeat."),
        "checkpoint_lifetime": text("How long checkpoints are kept without any member."),
        "ack_timeout": text("How long an acknowledgement is waited for."),
        "max_in_flight": count("Most events at one member that are not acknowledged."),
        "max_deliveries": or_null(count("How often an event is sent; null is for ever.")),
        "on_failure": { "enum": ["wait", "go_on"] },
        "created_at": time("When it was made."),
        "updated_at": time("When it was changed."),
        "member_count": count("How many members there are."),
        "lag": lag(),
        "counted": position("Up to where its events are counted."),
        "head": position("The last position of the log."),
        "lost_at_most": count("How many positions retention has taken from it."),
        "dead_letters": count("How many events were put aside."),
        "subjects_aside": count("How many subjects have failed and go on by themselves."),
    });
    let required: Vec<String> = {
        let all = properties.as_object_mut().expect("it is an object");
        all.extend(more.as_object().expect("it is an object").clone());
        all.keys().cloned().collect()
    };
    json!({ "type": "object", "required": required, "properties": properties })
}

fn details() -> Value {
    let number = |words| or_null(count(words));
    let member = json!({
        "type": "object",
        "required": ["member", "partitions", "in_flight"],
        "properties": {
            "member": count("Its number."),
            "partitions": count("How many it holds."),
            "in_flight": count("How many events it has."),
        },
    });
    let partition = json!({
        "type": "object",
        "required": ["partition", "checkpoint", "member", "generation", "in_flight", "lag"],
        "properties": {
            "partition": count("Its number."),
            "checkpoint": position("Up to where all is settled."),
            "member": number("Who holds it."),
            "generation": number("That of its lease."),
            "in_flight": count("How many events are at the member."),
            "lag": lag(),
        },
    });
    stream(&json!({
        "members": { "type": "array", "items": member },
        "partition_details": { "type": "array", "items": partition },
    }))
}

pub(super) fn next() -> Value {
    or_null(text("What to ask for as `after` for more."))
}

fn streams() -> Value {
    json!({
        "type": "object",
        "required": ["streams", "next"],
        "properties": {
            "streams": { "type": "array", "items": at("Stream") },
            "next": next(),
        },
    })
}

fn receipts(most: usize) -> Value {
    json!({
        "type": "array",
        "maxItems": most,
        "items": { "type": "string", "pattern": "^(0|[1-9][0-9]{0,3})\\.(0|[1-9][0-9]{0,14})\\.(0|[1-9][0-9]{0,14})$" },
    })
}

fn ack() -> Value {
    let named = json!({ "receipts": receipts(RECEIPTS_MAX), "through": receipts(THROUGH_MAX) });
    let mut ack = object(&[], optional(named));
    let given =
        |name: &str| json!({ "required": [name], "properties": { name: { "type": "array" } } });
    ack["anyOf"] = json!([given("receipts"), given("through")]);
    ack
}

fn nack() -> Value {
    let delay = or_null(seconds("0|[1-9][0-9]{0,3}"));
    object(
        &["receipts"],
        json!({ "receipts": receipts(RECEIPTS_MAX), "delay": delay }),
    )
}

fn settled() -> Value {
    json!({
        "type": "object",
        "required": ["settled", "refused"],
        "properties": {
            "settled": count("How many events it was about."),
            "refused": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["receipt", "reason"],
                    "properties": {
                        "receipt": text("The receipt."),
                        "reason": { "enum": ["stale", "unknown"] },
                    },
                },
            },
        },
    })
}

fn which() -> Value {
    let positions =
        json!({ "type": "array", "maxItems": RECEIPTS_MAX, "items": position("Of an event.") });
    json!({
        "anyOf": [
            object(
                &["positions"],
                json!({ "positions": positions, "all": { "enum": [false, null] } }),
            ),
            object(
                &["all"],
                json!({ "positions": { "type": "null" }, "all": { "const": true } }),
            ),
        ],
    })
}

fn letters() -> Value {
    let letter = json!({
        "type": "object",
        "required": ["position", "partition", "deliveries", "buried_at", "redriven", "event"],
        "properties": {
            "position": position("Where its event is."),
            "partition": count("The partition that it is in."),
            "deliveries": count("How often it was sent."),
            "buried_at": time("When it was put aside."),
            "redriven": { "type": "boolean" },
            "reason": text("Why it failed, where that is known."),
            "event": or_null(at("Event")),
        },
    });
    json!({
        "type": "object",
        "required": ["dead_letters", "next"],
        "properties": {
            "dead_letters": { "type": "array", "items": letter },
            "next": next(),
        },
    })
}

/// What a member is told beside events.
fn heartbeat() -> Value {
    let partition = json!({
        "type": "object",
        "required": ["partition", "generation", "lag"],
        "properties": {
            "partition": count("Its number."),
            "generation": count("That of its lease."),
            "lag": count("How many of its events are not settled."),
            "leaving": {
                "const": true,
                "description": "It goes to another member once what was sent of it is settled; where it does.",
            },
        },
    });
    json!({
        "type": "object",
        "required": ["members", "lag", "partitions"],
        "properties": {
            "members": {
                "type": "object",
                "required": ["count", "max"],
                "properties": {
                    "count": count("How many members there are."),
                    "max": count("How many there may be."),
                },
            },
            "lag": lag(),
            "partitions": { "type": "array", "items": partition },
        },
    })
}

fn lost() -> Value {
    json!({
        "type": "object",
        "required": ["lost_at_most", "first"],
        "properties": {
            "lost_at_most": count("How many positions retention has taken, at most."),
            "first": position("The first that is still there."),
        },
    })
}

fn sent() -> Value {
    let more = json!({
        "type": "object",
        "properties": {
            "receipt": text("What it is acknowledged by; of streams in mode `explicit`."),
            "attempt": count("The how-manieth time it is sent; of streams in mode `explicit`."),
        },
    });
    json!({ "allOf": [at("Event"), more] })
}

/// One frame of a member that is sent Server-Sent Events.
fn member_event() -> Value {
    let told = |schema: Value| {
        json!({ "properties": { "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": schema,
        } } })
    };
    let named = |event: &str| json!({ "properties": { "event": { "const": event } }, "required": ["event"] });
    let overloaded =
        json!({ "anyOf": [at("problem.stream-full"), at("problem.too-many-requests")] });
    json!({
        "type": "object",
        "required": ["data"],
        "properties": {
            "id": text("The receipt of an event."),
            "event": {
                "enum": ["message", "heartbeat", "lost", "overloaded"],
                "default": "message",
                "description": "`overloaded` is the last of a stream; on events there is none, which clients take for `message`.",
            },
            "data": { "type": "string" },
        },
        "if": named("heartbeat"),
        "then": told(at("Heartbeat")),
        "else": {
            "if": named("lost"),
            "then": told(at("LostEvents")),
            "else": {
                "if": named("overloaded"),
                "then": told(overloaded),
                "else": told(at("StreamEvent")),
            },
        },
    })
}
