//! What bodies about entities and load jobs are made of.

use feedwire_core::limits::EXPRESSION_BYTES_MAX;
use feedwire_event::Position;
use feedwire_event::limits::{ENTITY_IDS_MAX, SOURCE_BYTES_MAX};
use serde_json::{Value, json};

use super::schemas::{at, bounded, count, list, name, or_null, position, subject, text, time};

pub(super) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("PutEntity", put()),
        ("PatchEntity", patch()),
        ("EntityChange", change()),
        ("EntitiesPut", put_many()),
        ("Entity", entity()),
        ("Entities", entities()),
        ("NewLoad", new_load()),
        ("Load", load()),
        ("Loads", loads()),
    ]
}

fn state() -> Value {
    json!({ "type": "object", "description": "The state, nested at most 128 deep, in which no member comes twice." })
}

fn ids() -> Value {
    json!({
        "type": "object",
        "description": "Names under which others know it.",
        "minProperties": 1,
        "maxProperties": ENTITY_IDS_MAX,
        "additionalProperties": { "type": ["string", "number"] },
    })
}

fn put() -> Value {
    json!({
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": state(),
            "ids": or_null(ids()),
            "time": or_null(time("When it became so.")),
            "source": or_null(bounded(1, SOURCE_BYTES_MAX)),
        },
        "additionalProperties": false,
    })
}

fn patch() -> Value {
    json!({
        "type": "object",
        "properties": {
            "data": { "type": "object", "description": "What of the state is another; what is null is taken away." },
            "ids": {
                "type": ["object", "null"],
                "description": "What of the ids is another; null takes all of them away.",
                "maxProperties": ENTITY_IDS_MAX,
                "additionalProperties": { "type": ["string", "number", "null"] },
            },
            "time": or_null(time("When it changed.")),
            "source": or_null(bounded(1, SOURCE_BYTES_MAX)),
        },
        "additionalProperties": false,
    })
}

fn change() -> Value {
    json!({
        "type": "object",
        "required": ["change", "position", "version", "recorded_at"],
        "properties": {
            "change": { "enum": ["create", "update", "delete", "none"], "description": "`none` where it was so before." },
            "position": or_null(position("The position of its last change; null where it is not there and was not.")),
            "version": or_null(count("The version of its subject with that.")),
            "recorded_at": or_null(time("When that was recorded.")),
        },
    })
}

fn put_many() -> Value {
    json!({
        "type": "object",
        "required": ["count", "created", "updated", "unchanged", "last", "recorded_at"],
        "properties": {
            "count": count("How many lines."),
            "created": count("How many were not there before."),
            "updated": count("How many are another."),
            "unchanged": count("How many were so already."),
            "last": or_null(position("The position of the last change.")),
            "recorded_at": or_null(time("When that was recorded.")),
        },
    })
}

fn entity() -> Value {
    json!({
        "type": "object",
        "required": ["feed", "subject", "position", "version", "time", "recorded_at", "data"],
        "properties": {
            "feed": name(),
            "subject": subject(),
            "position": position("The position of its last change."),
            "version": count("The version of its subject with that."),
            "time": time("When it became so."),
            "recorded_at": time("When that was recorded."),
            "ids": ids(),
            "labels": {
                "type": "object",
                "description": "The labels of its subject, where it has any; lists do not have them.",
                "additionalProperties": { "type": "string" },
            },
            "data": state(),
        },
    })
}

fn entities() -> Value {
    json!({
        "type": "object",
        "required": ["entities", "head"],
        "properties": {
            "entities": { "type": "array", "items": at("Entity") },
            "next": text("What to ask for next, as `after`; where there is more."),
            "head": position("The last position of the log when they were read."),
        },
    })
}

fn new_load() -> Value {
    json!({
        "type": "object",
        "properties": {
            "feeds": or_null(list(name())),
            "subjects": or_null(list(subject())),
            "labels": or_null(list(json!({ "type": "string", "pattern": "^[^=]" }))),
            "filter": or_null(expression()),
            "max_bytes": or_null(json!({
                "type": "integer",
                "minimum": 1,
                "maximum": Position::MAX.get(),
                "description": "How many bytes it may write.",
            })),
        },
        "additionalProperties": false,
    })
}

fn expression() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": EXPRESSION_BYTES_MAX,
        "description": "Only those of which this is true, in the Common Expression Language: `data.delay > 60`.",
    })
}

fn load() -> Value {
    let texts = |description: &str| json!({ "type": "array", "items": { "type": "string" }, "description": description });
    json!({
        "type": "object",
        "required": [
            "id", "feeds", "subjects", "labels", "filter", "phase", "error", "start", "total", "done", "written", "bytes", "max_bytes", "rate",
            "started_at", "ended_at",
        ],
        "properties": {
            "id": text("Names it."),
            "feeds": texts("The feeds of the entities."),
            "subjects": texts("The subjects; none is every one."),
            "labels": texts("The labels that subjects have to have."),
            "filter": { "type": ["string", "null"], "description": "What has to be true of the entities." },
            "phase": { "enum": ["waiting", "running", "done", "cancelled", "failed"] },
            "error": { "type": ["string", "null"], "description": "Why it failed." },
            "start": position("The position of the log when it was started: no state is older."),
            "total": count("How many entities its feeds had then."),
            "done": count("How many were looked at."),
            "written": count("How many passed, and were written."),
            "bytes": count("How many bytes that were."),
            "max_bytes": count("How many it may write."),
            "rate": { "type": "number", "minimum": 0, "description": "How many entities are looked at a second." },
            "started_at": time("When it was started."),
            "ended_at": or_null(time("When it ended.")),
        },
    })
}

fn loads() -> Value {
    json!({
        "type": "object",
        "required": ["loads"],
        "properties": { "loads": { "type": "array", "items": at("Load") } },
    })
}
