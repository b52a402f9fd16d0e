//! An event as a publisher sends it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// An event to publish. Only its type is required; what is missing is given to it on its way.
///
/// Written to JSON only: the server reads events with its own decoder, which says what is wrong with one and where.
#[derive(Clone, Debug, Serialize)]
pub struct NewEvent {
    /// What kind of thing happened.
    #[serde(rename = "type")]
    pub ty: String,
    /// What it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened, RFC 3339; without it, when the server recorded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// What tells it from the others of its source; without it, the client or the server gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it happened; without it, the feed's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether it reaches those alone who read the feed when it comes, and no one later.
    #[serde(skip_serializing_if = "is_false")]
    pub live_only: bool,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// Further attributes: names of `a-z 0-9` with strings, numbers or booleans.
    #[serde(flatten)]
    pub extensions: BTreeMap<String, Value>,
}

impl NewEvent {
    /// An event of the type `ty`.
    pub fn new(ty: impl Into<String>) -> Self {
        Self {
            ty: ty.into(),
            subject: None,
            time: None,
            id: None,
            source: None,
            live_only: false,
            data: None,
            extensions: BTreeMap::new(),
        }
    }

    /// The event with what it happened to.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// The event with what tells it from the others of its source.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The event with where it happened.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The event with when it happened, RFC 3339.
    #[must_use]
    pub fn time(mut self, time: impl Into<String>) -> Self {
        self.time = Some(time.into());
        self
    }

    /// The event for those alone who read the feed when it comes, and for no one later.
    #[must_use]
    pub fn live_only(mut self) -> Self {
        self.live_only = true;
        self
    }

    /// The event with `data`. Fails where `data` cannot be written as JSON.
    pub fn data<T: Serialize + ?Sized>(mut self, data: &T) -> serde_json::Result<Self> {
        self.data = Some(to_raw_value(data)?);
        Ok(self)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a field over by reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_not_sent() {
        let event = NewEvent::new("t").data(&[1]).expect("JSON");
        let text = serde_json::to_string(&event).expect("JSON");
        assert_eq!(text, r#"{"type":"t","data":[1]}"#);
        let event = NewEvent::new("t").time("2013-01-01T10:00:00Z");
        let event = event.id("7").source("/till/3");
        let text = serde_json::to_string(&event).expect("JSON");
        let all = r#"{"type":"t","time":"2013-01-01T10:00:00Z","id":"7","source":"/till/3"}"#;
        assert_eq!(text, all);
        let text = serde_json::to_string(&NewEvent::new("t").live_only()).expect("JSON");
        assert_eq!(text, r#"{"type":"t","live_only":true}"#);
    }

    #[test]
    fn extensions_stand_beside_the_attributes() {
        let mut event = NewEvent::new("t").subject("s");
        event.extensions.insert("traceid".into(), "4f".into());
        let text = serde_json::to_string(&event).expect("JSON");
        assert_eq!(text, r#"{"type":"t","subject":"s","traceid":"4f"}"#);
    }
}
