//! Entities: put, patched and deleted, and how they are.

use feedwire_core::limits::EXPRESSION_BYTES_MAX;
use feedwire_dialects::entity_body::MERGE_PATCH;
use feedwire_dialects::native::request::PAGE_EVENTS_MAX;
use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::parameters::{self, header, list, query};
use crate::openapi::schemas::{at, count, name, some_tags, subject};

const TAG: &str = "entities";

/// What a change may be refused with.
const REFUSALS: &[&str] = &[
    "not-found",
    "precondition-failed",
    "event-too-large",
    "batch-too-large",
    "damaged",
    "no-space",
];

pub(crate) fn all() -> Value {
    json!({
        "parameters": [parameters::project(), parameters::readable_feed()],
        "get": listed(),
        "post": put_many(),
    })
}

fn listed() -> Value {
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": PAGE_EVENTS_MAX });
    let label = json!({ "type": "string", "pattern": "^[^=]" });
    let filter = json!({ "type": "string", "minLength": 1, "maxLength": EXPRESSION_BYTES_MAX });
    let after = "Go on behind this one, which `next` named.";
    Operation::new("listEntities", TAG, "The entities of a feed, as they are")
        .parameter(query("after", after, subject()))
        .parameter(query("limit", "How many at most.", limit))
        .parameter(list("subjects", "Only these.", subject()))
        .parameter(list(
            "labels",
            "Only those whose subject has all of these now: a key, or key=value.",
            label,
        ))
        .parameter(list(
            "feeds",
            "Of `_all`: only those of these feeds.",
            name(),
        ))
        .parameter(query(
            "filter",
            "Only those of which this is true, in the Common Expression Language.",
            filter,
        ))
        .json("In the order of their feeds and subjects.", at("Entities"))
        .refuses(&["not-found", "damaged"])
        .described()
}

fn put_many() -> Value {
    let lines = json!({
        "type": "string",
        "description": "An entity a line: `{\"subject\":…,\"data\":{…},\"ids\":{…},\"time\":…}`. Of any length: batches are put as they arrive.",
    });
    let content = [
        ("application/x-ndjson", lines.clone()),
        ("application/ndjson", lines.clone()),
        ("application/jsonl", lines),
    ];
    let progress = json!({
        "put": count("How many lines are put."),
        "created": count("How many of them were not there before."),
        "updated": count("How many are another."),
        "unchanged": count("How many were so already."),
        "last": { "type": ["integer", "null"], "description": "The position of the last change." },
        "line": count("Which line, from 1."),
    });
    Operation::new("putEntities", TAG, "Put many entities")
        .description("The answer comes when they are on disk and can be read.")
        // In place of that of the path: nothing is put to all feeds.
        .parameter(parameters::feed())
        .body(&content)
        .json("They are so.", at("EntitiesPut"))
        .refuses(REFUSALS)
        .problems_with(progress)
        .described()
}

pub(crate) fn one() -> Value {
    let tag = json!({
        "description": "The position of its last change.",
        "schema": { "type": "string", "pattern": "^\"[0-9]{1,16}\"$" },
    });
    let answer = |operation: Operation| {
        let found = operation.json("What became of it.", at("EntityChange"));
        conditions(found).refuses(REFUSALS).described()
    };
    let mut put = answer(
        Operation::new("putEntity", TAG, "Say what an entity is")
            .description("Where it is so already nothing is published.")
            .body(&[("application/json", at("PutEntity"))])
            .answer(
                201,
                "It was not there before.",
                json!({}),
                &[("application/json", at("EntityChange"))],
            ),
    );
    let patches = [
        (MERGE_PATCH, at("PatchEntity")),
        ("application/json", at("PatchEntity")),
    ];
    let mut patch = answer(
        Operation::new("patchEntity", TAG, "Say what of an entity is another")
            .description("A merge patch (RFC 7396) of what is put; `time` and `source` are those of the change.")
            .body(&patches)
            .answer(
                201,
                "It was not there before.",
                json!({}),
                &[("application/json", at("EntityChange"))],
            ),
    );
    for operation in [&mut put, &mut patch] {
        for status in ["200", "201"] {
            operation["responses"][status]["headers"]["ETag"] = tag.clone();
        }
    }
    let mut show = Operation::new("getEntity", TAG, "An entity as it is")
        .json("The entity.", at("Entity"))
        .if_none_match()
        .refuses(&["not-found", "precondition-failed", "damaged"])
        .described();
    for status in ["200", "304"] {
        show["responses"][status]["headers"]["ETag"] = tag.clone();
    }
    json!({
        "parameters": [parameters::project(), parameters::feed(), parameters::subject_in_path()],
        "get": show,
        "put": put,
        "patch": patch,
        "delete": answer(Operation::new("deleteEntity", TAG, "Say that an entity is no more")),
    })
}

/// On what a change may depend.
fn conditions(operation: Operation) -> Operation {
    let tag = "Only if its last change is at one of these positions, in quotes, or with `*` if it is there; else 412.";
    let none = "Only if it is not there, else 412; not with If-Match.";
    let any = json!({ "type": "string", "pattern": "^([ \t]*[*][ \t]*|[ \t,]*)$" });
    operation
        .parameter(header("If-Match", tag, some_tags()))
        .parameter(header("If-None-Match", none, any))
}
