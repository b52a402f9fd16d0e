//! What is appended: a batch of records, with what it expects of their subjects.

use std::collections::HashSet;

use bytes::Bytes;
use feedwire_event::limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX};
use feedwire_event::{FeedName, Position, Subject, Timestamp, TypeName, Version};

use crate::{AppendError, Head};

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

/// Events that are appended together: all or none, one after the other.
#[derive(Clone, Debug)]
pub struct Batch {
    records: Vec<NewRecord>,
    expectations: Vec<Expectation>,
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
        Ok(Self {
            records,
            expectations,
        })
    }

    /// The records in order: 1 to [`BATCH_EVENTS_MAX`].
    pub fn records(&self) -> &[NewRecord] {
        &self.records
    }

    /// What is expected, at most one of a subject.
    pub fn expectations(&self) -> &[Expectation] {
        &self.expectations
    }
}

#[cfg(test)]
mod tests {
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
