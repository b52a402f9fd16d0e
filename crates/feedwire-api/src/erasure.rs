//! Erasing a subject or a feed, and what is told about it.

use serde::{Deserialize, Serialize};

/// What `POST …/erasures` takes: a subject, a feed, or a subject in a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewErasure {
    /// The subject; without one, everything in the feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The feed; without one, the subject in every feed, and its labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
}

/// What `POST …/erasures` and `GET …/erasures/{id}` answer: what was asked to be erased, and how far that is.
///
/// Backups of the server's folder are not covered: what is erased stays in those that were made before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Names the erasure.
    pub id: String,
    /// The feed; `None` is every feed.
    pub feed: Option<String>,
    /// The subject; `None` is every subject, and events without one.
    pub subject: Option<String>,
    /// The position up to which events are erased: the last one when it was asked for.
    pub through: u64,
    /// When it was asked for, RFC 3339. From then on the events are shown to nobody.
    pub asked_at: String,
    /// When they were gone from disk, RFC 3339; `None` while they are only hidden.
    pub erased_at: Option<String>,
    /// How many events were taken from disk; `None` while they are only hidden.
    pub events: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_not_sent() {
        let erasure = NewErasure {
            subject: Some("a".into()),
            feed: None,
        };
        let text = serde_json::to_string(&erasure).expect("JSON");
        assert_eq!(text, r#"{"subject":"a"}"#);
    }
}
