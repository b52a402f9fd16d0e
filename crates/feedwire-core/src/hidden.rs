//! What is hidden from readings: what was asked to be erased since the project was opened, or was not yet gone then.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use feedwire_engine::{Erasure, Forgotten, Record};
use feedwire_event::{FeedName, Position, Subject};
use parking_lot::RwLock;

/// The feed that something is hidden in, `None` for every one, and the position up to which.
type HiddenIn = (Option<FeedName>, Position);

/// What is hidden, where and up to which position.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    any: AtomicBool,
    places: RwLock<Places>,
}

#[derive(Debug, Default)]
struct Places {
    of_subjects: HashMap<Subject, Vec<HiddenIn>>,
    of_all: Vec<HiddenIn>,
}

impl Hidden {
    /// Whether `record` is not to be shown. What is hidden in a feed is hidden in its load feed.
    pub(crate) fn hides(&self, record: &Record) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let places = self.places.read();
        let of_subject = record
            .subject()
            .and_then(|subject| places.of_subjects.get(subject));
        let mut hidden = places.of_all.iter().chain(of_subject.into_iter().flatten());
        let is_in = |feed: &FeedName| {
            let of = FeedName::loaded(record.feed());
            feed.as_str() == record.feed() || of == Some(feed.as_str())
        };
        hidden
            .any(|(feed, through)| record.position() <= *through && feed.as_ref().is_none_or(is_in))
    }

    /// The position up to which everything about `subject` in `feed` is hidden.
    pub(crate) fn through(&self, feed: &str, subject: &str) -> Position {
        let places = self.places.read();
        let of_subject = places.of_subjects.get(subject);
        let all = places.of_all.iter().chain(of_subject.into_iter().flatten());
        let of_feed = all.filter(|(of, _)| of.as_ref().is_none_or(|of| of.as_str() == feed));
        let through = of_feed.map(|(_, through)| *through).max();
        through.unwrap_or(Position::ZERO)
    }

    pub(crate) fn hide(&self, erasure: &Erasure) {
        let Erasure {
            feed,
            subject,
            through,
        } = erasure.clone();
        let mut places = self.places.write();
        let of = match subject {
            Some(subject) => places.of_subjects.entry(subject).or_default(),
            None => &mut places.of_all,
        };
        of.push((feed, through));
        self.any.store(true, Ordering::Release);
    }
}

impl Forgotten for Hidden {
    fn has(&self, record: &Record) -> bool {
        self.hides(record)
    }
}
