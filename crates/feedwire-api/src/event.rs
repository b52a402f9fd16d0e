//! An event as it is read: CloudEvents JSON with what the server adds.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// An event out of a page or a stream.
///
/// Read from JSON only: the server writes events from their stored bytes.
#[derive(Clone, Debug)]
pub struct Event {
    /// What tells it from the others of its source.
    pub id: String,
    /// Where it happened.
    pub source: String,
    /// What kind of thing happened.
    pub ty: String,
    /// What it happened to.
    pub subject: Option<String>,
    /// When it happened, by its producer, RFC 3339.
    pub time: String,
    /// The feed it is in.
    pub feed: String,
    /// Its place in the project's log.
    pub position: u64,
    /// When the server recorded it, RFC 3339.
    pub recorded_at: String,
    /// The version of its subject with this event's batch; `None` without a subject.
    pub version: Option<u64>,
    /// Whether it tells of an entity: a change of it, or how it is. No plain event says so.
    pub entity: bool,
    /// Whether it is for those alone who were there before it came.
    pub live_only: bool,
    /// Its data, the text of numbers untouched.
    pub data: Option<Box<RawValue>>,
    /// Data that is not JSON, in base64.
    pub data_base64: Option<String>,
    /// What it is acknowledged by: `partition.generation.position`, where a member of a stream was sent it.
    pub receipt: Option<String>,
    /// The how-manieth time it was sent, where it has a receipt.
    pub attempt: Option<u64>,
    /// Further attributes by name, each the text of a string, a number or a boolean. A number may be one that no type of
    /// Rust holds.
    pub extensions: BTreeMap<String, Box<RawValue>>,
}

// By hand because `flatten`, which the extensions would need, cannot hand raw JSON through.
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        let mut texts = BTreeMap::<String, String>::new();
        let (mut position, mut version) = (None, None);
        let (mut data, mut data_base64) = (None, None);
        let mut extensions = BTreeMap::new();
        let (mut entity, mut live_only) = (false, false);
        let (mut receipt, mut attempt) = (None, None);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "id" | "source" | "type" | "subject" | "time" | "feed" | "recordedat"
                | "specversion" => {
                    texts.insert(name, map.next_value()?);
                }
                "position" => position = Some(map.next_value()?),
                "version" => version = Some(map.next_value()?),
                "data" => data = Some(map.next_value()?),
                "data_base64" => data_base64 = Some(map.next_value()?),
                _ => {
                    let value: Box<RawValue> = map.next_value()?;
                    // Anything else is its producer's own: a log of an earlier version may have it.
                    match name.as_str() {
                        "entity" if value.get() == "true" => entity = true,
                        "liveonly" if value.get() == "true" => live_only = true,
                        "receipt" if is_receipt(value.get()) => receipt = Some(value),
                        "attempt" if value.get().parse::<u64>().is_ok() => attempt = Some(value),
                        _ => drop(extensions.insert(name, value)),
                    }
                }
            }
        }
        // What a stream adds comes in pairs.
        if receipt.is_none()
            && let Some(own) = attempt.take()
        {
            extensions.insert("attempt".to_owned(), own);
        }
        let mut required = |name| {
            texts
                .remove(name)
                .ok_or_else(|| de::Error::missing_field(name))
        };
        Ok(Event {
            id: required("id")?,
            source: required("source")?,
            ty: required("type")?,
            time: required("time")?,
            feed: required("feed")?,
            recorded_at: required("recordedat")?,
            subject: texts.remove("subject"),
            position: position.ok_or_else(|| de::Error::missing_field("position"))?,
            version,
            entity,
            live_only,
            data,
            data_base64,
            receipt: receipt.map(|text| text.get().trim_matches('"').to_owned()),
            attempt: attempt.and_then(|text| text.get().parse().ok()),
            extensions,
        })
    }
}

/// Whether `json` is the text of a receipt.
fn is_receipt(json: &str) -> bool {
    let text = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let parts = text.unwrap_or_default().split('.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.clone().count() == 3 && parts.into_iter().all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_with_its_extensions_and_its_data_untouched() {
        let text = r#"{"specversion":"1.0","id":"a","source":"/s","type":"t","subject":"x","time":"2013-01-01T10:00:00Z","feed":"f","position":7,"recordedat":"2013-01-01T10:00:01Z","version":2,"traceid":"4f","data":{"n":1.0}}"#;
        let event: Event = serde_json::from_str(text).expect("an event");
        assert_eq!((event.position, event.version), (7, Some(2)));
        assert!(!event.live_only);
        assert_eq!(event.extensions["traceid"].get(), r#""4f""#);
        assert_eq!(
            event.data.map(|d| d.get().to_owned()).as_deref(),
            Some(r#"{"n":1.0}"#)
        );
    }

    #[test]
    fn an_event_for_those_who_are_there_says_so() {
        let text = r#"{"id":"a","source":"/s","type":"t","time":"","feed":"f","position":7,"recordedat":"","liveonly":true}"#;
        let event: Event = serde_json::from_str(text).expect("an event");
        assert!(event.live_only && event.extensions.is_empty());
        let own = text.replace("true", "\"rarely\"");
        let event: Event = serde_json::from_str(&own).expect("an event");
        assert!(!event.live_only);
        assert_eq!(event.extensions["liveonly"].get(), r#""rarely""#);
    }

    #[test]
    fn an_event_of_an_entity_says_so() {
        let text = r#"{"id":"a","source":"/s","type":"update","time":"","feed":"f","position":7,"recordedat":"","entity":true,"ids":"{}"}"#;
        let event: Event = serde_json::from_str(text).expect("an event");
        assert!(event.entity && event.extensions.keys().eq(["ids"]));
        let plain = text.replace(r#""entity":true,"#, "");
        let event: Event = serde_json::from_str(&plain).expect("an event");
        assert!(!event.entity);
    }

    #[test]
    fn what_a_stream_adds_to_an_event_is_told_from_what_its_producer_has_of_that_name() {
        let check = |members: &str, receipt: Option<&str>, attempt, own: &[&str]| {
            let text = format!(
                r#"{{"id":"a","source":"/s","type":"t","time":"","feed":"f","position":7,"recordedat":"",{members}}}"#
            );
            let event: Event = serde_json::from_str(&text).expect("an event");
            assert_eq!(event.receipt.as_deref(), receipt, "{members}");
            assert_eq!(event.attempt, attempt, "{members}");
            assert!(event.extensions.keys().eq(own), "{members}");
        };
        let both = r#""receipt":"12.3.7","attempt":2"#;
        check(both, Some("12.3.7"), Some(2), &[]);
        check(
            r#""receipt":"4711","attempt":2"#,
            None,
            None,
            &["attempt", "receipt"],
        );
        check(
            r#""receipt":"1.2.","attempt":"2""#,
            None,
            None,
            &["attempt", "receipt"],
        );
        let beside = format!(r#""receipt":"mine","attempt":"first",{both}"#);
        check(&beside, Some("12.3.7"), Some(2), &["attempt", "receipt"]);
    }

    #[test]
    fn an_extension_that_rust_cannot_hold_is_read_as_its_text() {
        let text = r#"{"id":"a","source":"/s","type":"t","time":"","feed":"f","position":7,"recordedat":"","x":1e400,"y":"\ud800"}"#;
        let event: Event = serde_json::from_str(text).expect("an event");
        assert_eq!(event.extensions["x"].get(), "1e400");
        assert_eq!(event.extensions["y"].get(), r#""\ud800""#);
    }

    #[test]
    fn an_event_without_a_position_is_refused_by_name() {
        let text = r#"{"id":"a","source":"/s","type":"t","time":"","feed":"f","recordedat":""}"#;
        let error = serde_json::from_str::<Event>(text).expect_err("no position");
        assert!(error.to_string().contains("position"), "{error}");
    }
}
