//! What a log lets go of: trimming and erasing.

use std::collections::BTreeSet;

use feedwire_event::{FeedName, Position, Timestamp, Version};

use super::records::{Records, batch_last};
use crate::{Erasure, FeedTrim, Record, Retention};

impl Records {
    pub(super) fn trim(&mut self, keep: Retention, now: Timestamp, not_past: Position) -> Position {
        let cutoff = keep.age.map(|age| now.before(age));
        loop {
            let Some(oldest) = self.retained.first() else {
                return self.first;
            };
            let end = batch_last(oldest);
            let old = cutoff.is_some_and(|cutoff| oldest.stamp().recorded_at < cutoff);
            let large = keep.bytes.is_some_and(|max| self.bytes() > max);
            if end > not_past || !(old || large) {
                return self.first;
            }
            self.trim_batch(end);
        }
    }

    fn trim_batch(&mut self, end: Position) {
        let count = self.retained.partition_point(|r| r.position() <= end);
        let batch: Vec<Record> = self.retained.drain(..count).collect();
        let mut feeds = BTreeSet::new();
        let mut born = BTreeSet::new();
        for record in &batch {
            let trim = self.trim_of(record);
            trim.through = record.position();
            trim.events += 1;
            if feeds.insert(record.feed()) {
                trim.batches += 1;
            }
            let first_batch = record.stamp().version == Version::NONE.next();
            if let Some(subject) = record.subject().filter(|_| first_batch)
                && born.insert((record.feed(), subject))
            {
                trim.subjects += 1;
            }
        }
        self.first = end.next();
    }

    fn trim_of(&mut self, record: &Record) -> &mut FeedTrim {
        let feed = FeedName::new(record.feed()).expect("it was a name when it was appended");
        let none = FeedTrim {
            feed: feed.clone(),
            through: Position::ZERO,
            events: 0,
            batches: 0,
            subjects: 0,
        };
        self.trims.entry(feed).or_insert(none)
    }

    pub(super) fn trims(&self) -> Vec<FeedTrim> {
        self.trims.values().cloned().collect()
    }

    /// `erasure` without what is still to come.
    fn of_now(&self, erasure: &Erasure) -> Erasure {
        Erasure {
            through: erasure.through.min(self.last()),
            ..erasure.clone()
        }
    }

    pub(super) fn forget(&mut self, erasure: &Erasure) {
        self.forgotten.push(self.of_now(erasure));
    }

    pub(super) fn erase(&mut self, erasure: &Erasure) -> u64 {
        self.heads.retain(|(feed, subject), head| {
            !erasure.names(feed, subject) || head.position > erasure.through
        });
        let before = self.retained.len();
        self.retained.retain(|record| !erasure.has(record));
        (before - self.retained.len()) as u64
    }
}
