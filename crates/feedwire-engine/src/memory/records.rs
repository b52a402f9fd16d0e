//! What a log is, in its plainest form: a vector of records and the heads of their subjects.

use std::collections::BTreeMap;

use bytes::{BufMut, BytesMut};
use feedwire_event::limits::MARKS_KEPT;
use feedwire_event::{FeedName, Position, Subject, Timestamp, Version};

use crate::{
    AppendError, Appended, Batch, Bounds, Chunk, Erasure, Expired, FeedTrim, Head, Incarnation,
    Judge, Limit, Mark, Marked, MinFree, NewRecord, Place, Record, Scope, Stamp, Verdict,
};

/// The content of a log.
#[derive(Debug)]
pub(super) struct Records {
    incarnation: Incarnation,
    bytes_max: Option<u64>,
    /// Ascending by position; erased ones are not there.
    pub(super) retained: Vec<Record>,
    pub(super) first: Position,
    last: Position,
    last_at: Timestamp,
    pub(super) heads: BTreeMap<(FeedName, Subject), Head>,
    /// What counts for nothing until the log is closed.
    pub(super) forgotten: Vec<Erasure>,
    pub(super) trims: BTreeMap<FeedName, FeedTrim>,
    marked: Marked,
}

impl Records {
    pub(super) fn new(bytes_max: Option<u64>) -> Self {
        Self {
            incarnation: Incarnation(fastrand::u128(..)),
            bytes_max,
            retained: Vec::new(),
            first: Position::ZERO.next(),
            last: Position::ZERO,
            last_at: Timestamp::MIN,
            heads: BTreeMap::new(),
            forgotten: Vec::new(),
            trims: BTreeMap::new(),
            marked: Marked::new(MARKS_KEPT),
        }
    }

    pub(super) fn last(&self) -> Position {
        self.last
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            incarnation: self.incarnation,
            first: self.first,
            last: self.last,
        }
    }

    pub(super) fn subject(&self, feed: &FeedName, subject: &Subject) -> Option<Head> {
        let head = self.heads.get(&(feed.clone(), subject.clone())).copied()?;
        (!self.is_forgotten(feed, subject, head)).then_some(head)
    }

    fn is_forgotten(&self, feed: &FeedName, subject: &Subject, head: Head) -> bool {
        let mut forgotten = self.forgotten.iter();
        forgotten.any(|erasure| erasure.names(feed, subject) && head.position <= erasure.through)
    }

    pub(super) fn subjects(
        &self,
        feed: &FeedName,
        after: Option<&Subject>,
        limit: usize,
    ) -> Vec<(Subject, Head)> {
        let heads = self.heads.iter().filter(|((of, subject), head)| {
            of == feed
                && after.is_none_or(|after| subject > after)
                && !self.is_forgotten(feed, subject, **head)
        });
        let listed = heads.map(|((_, subject), head)| (subject.clone(), *head));
        listed.take(limit).collect()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.retained.iter().map(|r| r.bytes() as u64).sum()
    }

    pub(super) fn append(
        &mut self,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<Appended, AppendError> {
        match self.judge(batch) {
            Verdict::New => {}
            Verdict::Repeat(appended) => return Ok(appended),
            Verdict::Refused(error) => return Err(error),
        }
        let count = batch.records().len() as u64;
        if Position::MAX.get() - self.last.get() < count {
            return Err(AppendError::Exhausted);
        }
        for expectation in batch.expectations() {
            let head = self.subject(&expectation.feed, &expectation.subject);
            expectation.check(head)?;
        }
        let bytes: u64 = batch.records().iter().map(|r| r.bytes() as u64).sum();
        if self.bytes_max.is_some_and(|max| self.bytes() + bytes > max) {
            return Err(AppendError::NoSpace(MinFree::default()));
        }
        Ok(self.push(batch, now.max(self.last_at)))
    }

    fn judge(&self, batch: &Batch) -> Verdict {
        let seen = batch
            .marks()
            .iter()
            .filter_map(|mark| Some((*mark, self.marked.look_up(mark)?)));
        let seen: Vec<(Mark, Position)> = seen.collect();
        let mut judge = Judge::new(batch, seen);
        let mut through = Position::ZERO;
        while let Some(position) = judge.next(through) {
            through = position;
            let start = self.retained.partition_point(|r| r.position() < position);
            let batch = self.retained[start..].iter();
            for record in batch.take_while(|r| batch_first(r) <= position) {
                judge.look(record);
                through = record.position();
            }
        }
        judge.verdict()
    }

    fn push(&mut self, batch: &Batch, recorded_at: Timestamp) -> Appended {
        let first = self.last.next();
        let last = self.last.plus(batch.records().len() as u64);
        let number = |n: usize| u16::try_from(n).expect("a batch has at most 1,000 records");
        let count = number(batch.records().len());
        let mut versions = Vec::new();
        for (index, record) in batch.records().iter().enumerate() {
            let position = first.plus(index as u64);
            let version = self.raise(record, first, position);
            versions.push(version);
            let stamp = Stamp {
                position,
                recorded_at,
                time: record.time.unwrap_or(recorded_at),
                version,
                place: Place {
                    index: number(index),
                    count,
                },
            };
            self.retained.push(stamped(record, stamp));
        }
        for mark in batch.marks() {
            let position = first.plus(u64::from(mark.index));
            self.marked.insert(mark, position, self.last);
        }
        self.last = last;
        self.last_at = recorded_at;
        Appended {
            first,
            last,
            recorded_at,
            versions,
            is_repeat: false,
        }
    }

    /// The version of the record's subject with the batch that starts at `first`.
    fn raise(&mut self, record: &NewRecord, first: Position, position: Position) -> Version {
        let Some(subject) = &record.subject else {
            return Version::NONE;
        };
        let head = self.subject(&record.feed, subject);
        let before = head.map_or(Version::NONE, |head| head.version);
        let version = match head {
            Some(head) if head.position >= first => before,
            _ => before.next(),
        };
        let key = (record.feed.clone(), subject.clone());
        self.heads.insert(key, Head { version, position });
        version
    }

    pub(super) fn read(
        &self,
        scope: &Scope,
        after: Position,
        limit: Limit,
    ) -> Result<Chunk, Expired> {
        self.check_retained(scope, after)?;
        let mut records: Vec<Record> = Vec::new();
        let mut room = Room(limit);
        let mut through = self.last;
        let start = self.retained.partition_point(|r| r.position() <= after);
        for record in self.retained[start..].iter().filter(|r| scope.has(r)) {
            let ended = records.last().filter(|last| !same_batch(last, record));
            if room.is_full()
                && let Some(last) = ended
            {
                through = batch_last(last);
                break;
            }
            room.take(record);
            records.push(record.clone());
        }
        let head = self.last;
        Ok(Chunk {
            records,
            through,
            head,
        })
    }

    pub(super) fn read_back(&self, scope: &Scope, before: Position, limit: Limit) -> Chunk {
        let mut records: Vec<Record> = Vec::new();
        let mut room = Room(limit);
        let mut through = self.first.min(before);
        let end = self.retained.partition_point(|r| r.position() < before);
        for record in self.retained[..end].iter().rev().filter(|r| scope.has(r)) {
            let ended = records.last().filter(|last| !same_batch(last, record));
            if room.is_full()
                && let Some(last) = ended
            {
                through = batch_first(last);
                break;
            }
            room.take(record);
            records.push(record.clone());
        }
        let head = self.last;
        Chunk {
            records,
            through,
            head,
        }
    }

    fn check_retained(&self, scope: &Scope, after: Position) -> Result<(), Expired> {
        let trims = scope.feeds.iter().filter_map(|feed| self.trims.get(feed));
        let lost = trims.filter(|trim| trim.through > after);
        let trimmed = if scope.feeds.is_empty() {
            Some(self.first.previous()).filter(|trimmed| *trimmed > after)
        } else {
            lost.map(|trim| trim.through).max()
        };
        let Some(trimmed) = trimmed else {
            return Ok(());
        };
        let first = trimmed.next();
        let kept = self.retained.iter().find(|r| r.position() >= first);
        Err(Expired {
            first,
            first_at: kept.map(|record| record.stamp().recorded_at),
            lost_at_most: trimmed.get() - after.get(),
        })
    }

    pub(super) fn seek(&self, time: Timestamp) -> Position {
        let earlier = |r: &&Record| r.stamp().recorded_at < time;
        let last = self.retained.iter().rev().find(earlier);
        last.map_or_else(|| self.first.previous(), Record::position)
    }
}

/// What is left of a limit.
struct Room(Limit);

impl Room {
    fn is_full(&self) -> bool {
        self.0.records == 0 || self.0.bytes == 0
    }

    fn take(&mut self, record: &Record) {
        self.0.records = self.0.records.saturating_sub(1);
        self.0.bytes = self.0.bytes.saturating_sub(record.bytes());
    }
}

fn batch_first(record: &Record) -> Position {
    let before = u64::from(record.stamp().place.index);
    Position::new(record.position().get() - before).expect("it is before a position")
}

pub(super) fn batch_last(record: &Record) -> Position {
    let place = record.stamp().place;
    batch_first(record).plus(u64::from(place.count) - 1)
}

fn same_batch(one: &Record, other: &Record) -> bool {
    batch_first(one) == batch_first(other)
}

fn stamped(record: &NewRecord, stamp: Stamp) -> Record {
    let feed = record.feed.as_str();
    let ty = record.ty.as_str();
    let subject = record.subject.as_ref().map_or("", Subject::as_str);
    let mut bytes = BytesMut::with_capacity(record.bytes());
    for tag in [feed, ty, subject] {
        bytes.put_slice(tag.as_bytes());
    }
    bytes.put_slice(&record.payload);
    let tags = [feed.len(), ty.len(), subject.len()];
    Record::new(stamp, tags, bytes.freeze()).expect("the lengths are those of the tags")
}
