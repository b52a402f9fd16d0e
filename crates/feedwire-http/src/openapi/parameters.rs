//! Parameters that more than one operation has, and how one is written.

use feedwire_dialects::native::request::LIST_MAX;
use serde_json::{Value, json};

use super::schemas::{bounded_id, name, subject};

/// A parameter in the query.
pub(super) fn query(name: &str, description: &str, schema: Value) -> Value {
    parameter("query", name, description, schema)
}

/// A list in the query: repeated, or parted by commas.
pub(super) fn list(name: &str, description: &str, items: Value) -> Value {
    let mut list = query(name, description, super::schemas::list(items));
    list["style"] = "form".into();
    list["explode"] = true.into();
    list
}

/// A header.
pub(super) fn header(name: &str, description: &str, schema: Value) -> Value {
    parameter("header", name, description, schema)
}

fn parameter(place: &str, name: &str, description: &str, schema: Value) -> Value {
    let mut found = json!({ "in": place, "name": name, "description": description });
    found["schema"] = schema;
    found
}

/// Which part of a list is asked for.
pub(super) fn part(after: Value) -> [Value; 2] {
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": LIST_MAX });
    [
        query("after", "Only what comes behind this one.", after),
        query("limit", "How many at most.", limit),
    ]
}

/// The headers of an answer about what was made.
pub(super) fn location() -> Value {
    json!({ "Location": { "description": "Where it is read.", "required": true, "schema": { "type": "string" } } })
}

/// A variable of a path.
pub(super) fn in_path(name: &str, description: &str, schema: Value) -> Value {
    path(name, description, schema)
}

fn path(name: &str, description: &str, schema: Value) -> Value {
    let mut found = parameter("path", name, description, schema);
    found["required"] = true.into();
    found
}

pub(super) fn project() -> Value {
    path(
        "project",
        "The project; the first start makes `default`.",
        name(),
    )
}

/// A feed that can be written to.
pub(super) fn feed() -> Value {
    path(
        "feed",
        "The feed; it exists from its first event on.",
        name(),
    )
}

/// A feed that can be read: `_all` is every feed of the project.
pub(super) fn readable_feed() -> Value {
    let schema = json!({ "anyOf": [name(), { "const": feedwire_api::ALL_FEEDS }] });
    path(
        "feed",
        "The feed; `_all` is every feed of the project.",
        schema,
    )
}

pub(super) fn subject_in_path() -> Value {
    path(
        "subject",
        "The subject; a `/` in it is written `%2F`.",
        subject(),
    )
}

pub(super) fn erasure() -> Value {
    path("id", "The id of the erasure.", bounded_id())
}
