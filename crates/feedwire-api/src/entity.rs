//! Entities: what is put, what became of it, and how they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What `PUT …/entities/{subject}` takes, and, with a subject, a line of `POST …/entities`; `PATCH` takes a merge patch of it.
#[derive(Clone, Debug, Serialize)]
pub struct PutEntity {
    /// What it is about, in a line of many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The state, a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// Names under which others know it: a JSON object of strings and numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Box<RawValue>>,
    /// When it became so, RFC 3339; without, it is when the server records it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Where it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What became of an entity that was put, patched or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityChange {
    /// `create`, `update` or `delete`; `none` where it was so before.
    pub change: String,
    /// The position of its last change; `None` where it is not there and was not.
    pub position: Option<u64>,
    /// The version of its subject with that change.
    pub version: Option<u64>,
    /// When that was recorded, RFC 3339.
    pub recorded_at: Option<String>,
}

/// The answer to a body of newline delimited JSON: every line is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntitiesPut {
    /// How many lines.
    pub count: u64,
    /// How many entities were not there before.
    pub created: u64,
    /// How many had another state or other ids.
    pub updated: u64,
    /// How many were so already: nothing was published of them.
    pub unchanged: u64,
    /// The position of the last change; `None` where there was none.
    pub last: Option<u64>,
    /// When that was recorded, RFC 3339.
    pub recorded_at: Option<String>,
}

/// An entity as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entity {
    /// Its feed.
    pub feed: String,
    /// What it is about.
    pub subject: String,
    /// The position of its last change.
    pub position: u64,
    /// The version of its subject with that change.
    pub version: u64,
    /// When it became so, by its producer, RFC 3339.
    pub time: String,
    /// When that was recorded, RFC 3339.
    pub recorded_at: String,
    /// Names under which others know it, where it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Box<RawValue>>,
    /// The labels of its subject as they are now, where it has any; lists do not have them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The state, the text of numbers untouched.
    pub data: Box<RawValue>,
}

/// A part of a list of entities, in the order of their feeds and subjects.
#[derive(Clone, Debug, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "that is what the member is named on the wire"
)]
pub struct Entities {
    /// The entities, each as an [`Entity`] reads it.
    pub entities: Vec<Box<RawValue>>,
    /// What to ask for next, as `after`; `None` at the end.
    #[serde(default)]
    pub next: Option<String>,
    /// The last position of the log when they were read: everything up to there is in them.
    pub head: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_is_read_with_its_state_untouched() {
        let text = r#"{"feed":"planes","subject":"N1","position":7,"version":2,"time":"","recorded_at":"","ids":{"n":1},"data":{"delay":2.50}}"#;
        let entity: Entity = serde_json::from_str(text).expect("an entity");
        assert_eq!(entity.data.get(), r#"{"delay":2.50}"#);
        assert!(entity.ids.is_some() && entity.labels.is_empty());
        let labelled = text.replace(r#""data""#, r#""labels":{"base":"EWR"},"data""#);
        for text in [text, &labelled] {
            let entity: Entity = serde_json::from_str(text).expect("an entity");
            assert_eq!(serde_json::to_string(&entity).expect("JSON"), text);
        }
    }
}
