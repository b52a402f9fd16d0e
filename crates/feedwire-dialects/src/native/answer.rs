//! What the native API answers beside events: what was published, feeds, labels, retention, receipts of erasures.

use feedwire_api::{Feed, SubjectLabels, Uploaded};
use feedwire_core::{FeedCount, Feeds, Published, Receipt};
use feedwire_engine::Retention;
use feedwire_event::{
    Attribute, Event, FeedName, Labels, Position, ProjectName, Subject, Timestamp, Version,
};

pub use crate::ascii::json;
use crate::span;

/// What the publisher of `events`, one batch, is told.
pub fn published(events: &[(FeedName, Event)], published: &Published) -> feedwire_api::Published {
    let mut subjects = events.iter().map(|(_, event)| event.subject.as_ref());
    let first = subjects.next().flatten();
    let is_one = first.is_some() && subjects.all(|subject| subject == first);
    let version = published.versions.first().filter(|_| is_one);
    feedwire_api::Published {
        first: published.first.get(),
        last: published.last.get(),
        count: events.len() as u64,
        recorded_at: published.recorded_at.to_text(),
        version: version.map(|Version(version)| *version),
        duplicate: published.is_repeat,
    }
}

/// How far a body of many batches has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The first position.
    pub first: Position,
    /// The last position.
    pub last: Position,
    /// How many events.
    pub count: u64,
    /// How many of them were there already.
    pub duplicates: u64,
    /// How many batches of others.
    pub batches: u64,
    /// When the last of them was recorded.
    pub recorded_at: Timestamp,
}

impl Progress {
    /// What `published` says of its batch.
    pub fn of(published: &Published) -> Self {
        let count = published.versions.len() as u64;
        Self {
            first: published.first,
            last: published.last,
            count,
            duplicates: if published.is_repeat { count } else { 0 },
            batches: u64::from(!published.is_repeat),
            recorded_at: published.recorded_at,
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            count: self.count + other.count,
            duplicates: self.duplicates + other.duplicates,
            batches: self.batches + other.batches,
            recorded_at: self.recorded_at.max(other.recorded_at),
        }
    }

    /// The same, with `duplicates` more events that are there already.
    #[must_use]
    pub fn with_duplicates(self, duplicates: u64) -> Self {
        Self {
            count: self.count + duplicates,
            duplicates: self.duplicates + duplicates,
            ..self
        }
    }
}

/// What the publisher of a body of many batches is told.
pub fn uploaded(progress: &Progress) -> Uploaded {
    Uploaded {
        first: progress.first.get(),
        last: progress.last.get(),
        count: progress.count,
        duplicates: progress.duplicates,
        batches: progress.batches,
        recorded_at: progress.recorded_at.to_text(),
    }
}

/// The feeds of a project.
pub fn feeds(feeds: &Feeds) -> feedwire_api::Feeds {
    let feed = |count: &FeedCount| Feed {
        name: count.name.to_string(),
        events: count.events,
        batches: count.batches,
        subjects: count.subjects,
        last: count.last.get(),
    };
    feedwire_api::Feeds {
        feeds: feeds.feeds.iter().map(feed).collect(),
        head: feeds.head.get(),
    }
}

/// The labels of a subject.
pub fn labels(labels: &Labels) -> SubjectLabels {
    let pairs = labels
        .iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    SubjectLabels {
        labels: pairs.collect(),
    }
}

/// How long events are kept.
pub fn retention(retention: Retention) -> feedwire_api::Retention {
    feedwire_api::Retention {
        age: retention.age.map(span::write),
        bytes: retention.bytes,
    }
}

/// By what, and until when, a deletion is confirmed.
pub fn deletion(token: &str, expires_at: Timestamp) -> feedwire_api::Deletion {
    feedwire_api::Deletion {
        delete_token: token.to_owned(),
        expires_at: expires_at.to_string(),
    }
}

/// What was asked to be erased, and how far that is.
pub fn receipt(receipt: &Receipt) -> feedwire_api::Receipt {
    feedwire_api::Receipt {
        id: receipt.id.as_str().to_owned(),
        feed: receipt.erasure.feed.as_ref().map(FeedName::to_string),
        subject: receipt.erasure.subject.as_ref().map(Subject::to_string),
        through: receipt.erasure.through.get(),
        asked_at: receipt.asked_at.to_string(),
        erased_at: receipt.erased.map(|(at, _)| at.to_string()),
        events: receipt.erased.map(|(_, events)| events),
    }
}

/// Where the receipt is read again.
pub fn receipt_address(project: &ProjectName, receipt: &Receipt) -> String {
    format!("/v1/projects/{project}/erasures/{}", receipt.id.as_str())
}

#[cfg(test)]
mod tests {
    use feedwire_core::Erased;
    use feedwire_engine::Erasure;
    use feedwire_event::EventId;
    use insta::assert_snapshot;

    use super::*;

    fn batch(first: u64, last: u64) -> Published {
        let position = |value| Position::new(value).expect("a position");
        let versions = (first..=last).map(|_| Version(7)).collect();
        let recorded_at = "2026-11-21T08:00:00Z".parse().expect("a time");
        Published {
            first: position(first),
            last: position(last),
            recorded_at,
            versions,
            is_repeat: false,
        }
    }

    fn told(body: &str, published: &Published) -> String {
        let feed = FeedName::new("f").expect("a name");
        let events = super::super::body::events(body.as_bytes(), &feed).expect("events");
        serde_json::to_string(&super::published(&events, published)).expect("JSON")
    }

    #[test]
    fn a_version_is_told_where_all_events_have_one_subject() {
        assert_snapshot!(told(r#"[{"type":"t","subject":"a"},{"type":"t","subject":"a"}]"#, &batch(101, 102)), @r#"{"first":101,"last":102,"count":2,"recorded_at":"2026-11-21T08:00:00Z","version":7}"#);
        assert_snapshot!(told(r#"[{"type":"t","subject":"a"},{"type":"t","subject":"b"}]"#, &batch(101, 102)), @r#"{"first":101,"last":102,"count":2,"recorded_at":"2026-11-21T08:00:00Z"}"#);
        assert_snapshot!(told(r#"{"type":"t"}"#, &batch(101, 101)), @r#"{"first":101,"last":101,"count":1,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    }

    #[test]
    fn batches_are_added_up() {
        let progress = Progress::of(&batch(1, 1000)).and(Progress::of(&batch(1005, 1007)));
        assert_snapshot!(serde_json::to_string(&uploaded(&progress)).expect("JSON"), @r#"{"first":1,"last":1007,"count":1003,"batches":2,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    }

    #[test]
    fn a_repetition_is_told_as_one() {
        let repeat = Published {
            is_repeat: true,
            ..batch(101, 101)
        };
        assert_snapshot!(told(r#"{"type":"t"}"#, &repeat), @r#"{"first":101,"last":101,"count":1,"recorded_at":"2026-11-21T08:00:00Z","duplicate":true}"#);
        let progress = Progress::of(&batch(200, 201)).and(Progress::of(&repeat));
        let progress = progress.with_duplicates(3);
        assert_snapshot!(serde_json::to_string(&uploaded(&progress)).expect("JSON"), @r#"{"first":101,"last":201,"count":6,"duplicates":4,"batches":1,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    }

    #[test]
    fn a_bound_that_is_not_set_is_told_as_null() {
        let told = |retention| serde_json::to_string(&super::retention(retention)).expect("JSON");
        assert_snapshot!(told(Retention::default()), @r#"{"age":null,"bytes":null}"#);
        let age = Some(std::time::Duration::from_hours(36));
        assert_snapshot!(told(Retention { age, bytes: Some(123) }), @r#"{"age":"1d 12h","bytes":123}"#);
    }

    #[test]
    fn a_receipt_says_what_is_hidden_and_then_what_is_gone() {
        let mut receipt = Receipt {
            id: EventId::new("id-7").expect("an id"),
            erasure: Erasure {
                feed: None,
                subject: Subject::new("N14228").ok(),
                through: Position::new(456).expect("a position"),
            },
            asked_at: "2026-11-21T08:00:00Z".parse().expect("a time"),
            takes: std::collections::BTreeMap::new(),
            counted_to: Position::ZERO,
            takes_labels: true,
            erased: None,
        };
        let told =
            |receipt: &Receipt| serde_json::to_string(&super::receipt(receipt)).expect("JSON");
        assert_snapshot!(told(&receipt), @r#"{"id":"id-7","feed":null,"subject":"N14228","through":456,"asked_at":"2026-11-21T08:00:00Z","erased_at":null,"events":null}"#);
        receipt.erased = Some((receipt.asked_at, 12));
        assert_snapshot!(told(&receipt), @r#"{"id":"id-7","feed":null,"subject":"N14228","through":456,"asked_at":"2026-11-21T08:00:00Z","erased_at":"2026-11-21T08:00:00Z","events":12}"#);
        let project = ProjectName::new("default").expect("a name");
        assert_eq!(
            receipt_address(&project, &receipt),
            "/v1/projects/default/erasures/id-7"
        );
    }

    #[test]
    fn feeds_are_told_with_their_counts() {
        let count = FeedCount {
            name: FeedName::new("flights").expect("a name"),
            events: 12,
            batches: 3,
            runs: 5,
            subjects: 4,
            last: Position::new(101).expect("a position"),
            erased: Erased::default(),
        };
        let told = super::feeds(&Feeds {
            head: count.last,
            feeds: vec![count],
        });
        assert_snapshot!(serde_json::to_string(&told).expect("JSON"), @r#"{"feeds":[{"name":"flights","events":12,"batches":3,"subjects":4,"last":101}],"head":101}"#);
    }
}
