//! What is appended: a batch of records, with what it expects of their subjects.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use feedwire_event::limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX};
use feedwire_event::{FeedName, Payload, Position, Subject, Timestamp, TypeName, Version};

use crate::{AppendError, Erasure, Head, Mark, MarkOf, Record};

/// An event on its way into a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// The feed it goes to.
    pub feed: FeedName,
    /// Its type.
    pub ty: TypeName,
    /// What it is about.
    pub subject: Option<Subject>,
    /// When it happened, by the producer; `None` is when it is recorded.
    pub time: Option<Timestamp>,
    /// Everything else, opaque to the engine.
    pub payload: Bytes,
}

impl NewRecord {
    /// Its size against the limits: tags and payload.
    pub fn bytes(&self) -> usize {
        let subject = self
            .subject
            .as_ref()
            .map_or(0, |subject| subject.as_str().len());
        self.feed.as_str().len() + self.ty.as_str().len() + subject + self.payload.len()
    }
}

/// What must be true of a subject for a batch to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The feed.
    pub feed: FeedName,
    /// The subject in it.
    pub subject: Subject,
    /// What it must be at.
    pub expected: Expected,
}

impl Expectation {
    /// Whether it holds where the subject's head is `head`.
    pub fn check(&self, head: Option<Head>) -> Result<(), AppendError> {
        let (version, position) = head.map_or((Version::NONE, Position::ZERO), |head| {
            (head.version, head.position)
        });
        let holds = match self.expected {
            Expected::Version(expected) => expected == version,
            Expected::Position(expected) => expected == position,
        };
        if holds {
            return Ok(());
        }
        Err(AppendError::Conflict {
            feed: self.feed.clone(),
            subject: self.subject.clone(),
            head,
        })
    }
}

/// Where a subject of a feed must stand before the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Its version; [`Version::NONE`] means that it has had nothing.
    Version(Version),
    /// The position of its last event; [`Position::ZERO`] means that it has had nothing.
    Position(Position),
}

/// Records that are there, and that nobody can read: they are about to be erased.
pub trait Forgotten: Debug + Send + Sync {
    /// Whether `record` is one.
    fn has(&self, record: &Record) -> bool;
}

impl Forgotten for Erasure {
    fn has(&self, record: &Record) -> bool {
        Self::has(self, record)
    }
}

/// Events that are appended together: all or none, one after the other.
#[derive(Clone, Debug)]
pub struct Batch {
    records: Vec<NewRecord>,
    expectations: Vec<Expectation>,
    marks: Vec<Mark>,
    forgotten: Option<Arc<dyn Forgotten>>,
}

/// Why records do not make a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// There is none.
    #[error("a batch has at least one event")]
    Empty,
    /// There are more than [`BATCH_EVENTS_MAX`].
    #[error("a batch has at most {BATCH_EVENTS_MAX} events, this one {0}")]
    TooMany(usize),
    /// Together they are larger than [`BATCH_BYTES_MAX`].
    #[error("a batch has at most {BATCH_BYTES_MAX} bytes, this one {0}")]
    TooLarge(usize),
    /// One is larger than [`EVENT_BYTES_MAX`].
    #[error("an event has at most {EVENT_BYTES_MAX} bytes, event {index} of the batch {bytes}")]
    EventTooLarge {
        /// Which, counted from 0.
        index: usize,
        /// Its size.
        bytes: usize,
    },
    /// Two expectations of one subject.
    #[error("a batch has at most one expectation of a subject, this one more of {0:?}")]
    ExpectedTwice(Subject),
    /// Two events that are known by one and the same id.
    #[error("event {index} of the batch has the source, the id and the subject of event {first}")]
    SameId {
        /// The first one with it, from 0.
        first: usize,
        /// The second one.
        index: usize,
    },
}

impl Batch {
    /// Checks the limits and takes the records as a batch.
    pub fn new(
        records: Vec<NewRecord>,
        expectations: Vec<Expectation>,
    ) -> Result<Self, BatchError> {
        if records.is_empty() {
            return Err(BatchError::Empty);
        }
        if records.len() > BATCH_EVENTS_MAX {
            return Err(BatchError::TooMany(records.len()));
        }
        let mut total = 0;
        for (index, record) in records.iter().enumerate() {
            let bytes = record.bytes();
            if bytes > EVENT_BYTES_MAX {
                return Err(BatchError::EventTooLarge { index, bytes });
            }
            total += bytes;
        }
        if total > BATCH_BYTES_MAX {
            return Err(BatchError::TooLarge(total));
        }
        let mut seen = HashSet::new();
        for Expectation { feed, subject, .. } in &expectations {
            if !seen.insert((feed, subject)) {
                return Err(BatchError::ExpectedTwice(subject.clone()));
            }
        }
        let marks = marks(&records)?;
        Ok(Self {
            records,
            expectations,
            marks,
            forgotten: None,
        })
    }

    /// The same, of which nothing that is `forgotten` is a repetition.
    #[must_use]
    pub fn forgetting(self, forgotten: Arc<dyn Forgotten>) -> Self {
        Self {
            forgotten: Some(forgotten),
            ..self
        }
    }

    /// The records in order: 1 to [`BATCH_EVENTS_MAX`].
    pub fn records(&self) -> &[NewRecord] {
        &self.records
    }

    /// What is expected, at most one of a subject.
    pub fn expectations(&self) -> &[Expectation] {
        &self.expectations
    }

    /// What a repetition of it is known by, record by record.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Whether nothing is a repetition of `record`, though it is there.
    pub(crate) fn forgets(&self, record: &Record) -> bool {
        self.forgotten.as_ref().is_some_and(|all| all.has(record))
    }
}

fn marks(records: &[NewRecord]) -> Result<Vec<Mark>, BatchError> {
    let mut marks = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let index = u16::try_from(index).expect("a batch has at most 1,000 records");
        marks.extend(Mark::of_record(
            index,
            record.feed.as_str(),
            record.subject.as_ref().map(Subject::as_str),
            &record.payload,
        ));
    }
    if marks.len() < 2 {
        return Ok(marks);
    }
    let mut seen = HashMap::with_capacity(marks.len());
    for mark in marks.iter().filter(|mark| mark.of == MarkOf::Id) {
        let index = usize::from(mark.index);
        let first = seen.insert(mark.hash(), index);
        // By chance, two ids can have one hash.
        if let Some(first) = first.filter(|first| have_one_id(&records[*first], &records[index])) {
            return Err(BatchError::SameId { first, index });
        }
    }
    Ok(marks)
}

fn have_one_id(one: &NewRecord, other: &NewRecord) -> bool {
    let id = |record: &NewRecord| {
        let payload = Payload::decode(&record.payload).ok()?;
        Some((payload.source.map(str::to_owned), payload.id.to_owned()))
    };
    one.feed == other.feed && one.subject == other.subject && id(one) == id(other)
}

#[cfg(test)]
mod tests {
    use feedwire_event::{Attribute, Event, EventId, Extensions, payload};

    use super::*;

    fn record(bytes: usize) -> NewRecord {
        NewRecord {
            feed: FeedName::new("f").expect("a name"),
            ty: TypeName::new("t").expect("a name"),
            subject: None,
            time: None,
            payload: vec![b'x'; bytes].into(),
        }
    }

    #[test]
    fn a_batch_holds_to_its_bounds() {
        let check = |records: Vec<NewRecord>, error: Option<BatchError>| {
            assert_eq!(Batch::new(records, Vec::new()).err(), error);
        };
        check(vec![], Some(BatchError::Empty));
        check(vec![record(1); BATCH_EVENTS_MAX], None);
        check(
            vec![record(1); BATCH_EVENTS_MAX + 1],
            Some(BatchError::TooMany(BATCH_EVENTS_MAX + 1)),
        );
        check(vec![record(EVENT_BYTES_MAX - 2); 16], None);
        let bytes = EVENT_BYTES_MAX + 1;
        check(
            vec![record(1), record(bytes - 2)],
            Some(BatchError::EventTooLarge { index: 1, bytes }),
        );
        check(
            vec![record(EVENT_BYTES_MAX - 2); 17],
            Some(BatchError::TooLarge(17 * EVENT_BYTES_MAX)),
        );
    }

    #[test]
    fn an_id_is_that_of_one_event() {
        let named = |feed: &str, id: &str, is_known: bool| {
            let event = Event {
                id: Some(EventId::new(id).expect("an id")),
                source: None,
                ty: TypeName::new("t").expect("a name"),
                subject: None,
                time: None,
                live_only: false,
                extensions: Extensions::default(),
                data: None,
            };
            let marks = payload::Marks {
                id: is_known,
                key: None,
            };
            NewRecord {
                feed: FeedName::new(feed).expect("a name"),
                payload: payload::encode(&event, marks, || unreachable!("it has an id")),
                ..record(0)
            }
        };
        let (a, b) = (named("f", "a", true), named("f", "b", true));
        let elsewhere = named("g", "b", true);
        let twice = vec![a.clone(), b.clone(), elsewhere.clone(), b.clone()];
        let error = Batch::new(twice, Vec::new()).expect_err("no batch");
        assert_eq!(error, BatchError::SameId { first: 1, index: 3 });
        let marks = |records| {
            Batch::new(records, Vec::new())
                .expect("a batch")
                .marks()
                .len()
        };
        assert_eq!(marks(vec![a, b, elsewhere]), 3);
        assert_eq!(marks(vec![named("f", "a", false); 2]), 0);
    }

    #[test]
    fn a_subject_is_expected_once() {
        let subject = Subject::new("s").expect("a subject");
        let expected = Expected::Version(Version::NONE);
        let feed = FeedName::new("f").expect("a name");
        let one = Expectation {
            feed,
            subject: subject.clone(),
            expected,
        };
        let two = Batch::new(vec![record(1)], vec![one.clone(), one]);
        assert_eq!(two.err(), Some(BatchError::ExpectedTwice(subject)));
    }
}
