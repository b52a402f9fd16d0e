//! What a reading has gathered, and when it has enough: always behind a whole batch.

use bytes::Bytes;

use crate::format::record::{GAP, Head};
use crate::index::Direction;
use crate::{Chunk, Limit, Record};

/// Records that are looked for at once, so that those near each other are read together.
const ROUND_MAX: usize = 1024;
const ROUND_MIN: usize = 16;

#[derive(Debug)]
pub(super) struct Collect {
    pub(super) direction: Direction,
    /// Records beyond this are wanted, this position not included.
    pub(super) from: u64,
    head: u64,
    limit: Limit,
    records: Vec<Record>,
    bytes: usize,
    /// The far end of the batch with which the limit was reached.
    last: Option<u64>,
    is_full: bool,
}

impl Collect {
    pub(super) const fn new(direction: Direction, from: u64, head: u64, limit: Limit) -> Self {
        Self {
            direction,
            from,
            head,
            limit,
            records: Vec::new(),
            bytes: 0,
            last: None,
            is_full: false,
        }
    }

    /// How many records to look for next.
    pub(super) fn wanted(&self) -> usize {
        let left = self.limit.records.saturating_sub(self.records.len());
        left.clamp(ROUND_MIN, ROUND_MAX)
    }

    /// How many bytes of tags and payloads are wanted.
    pub(super) const fn bytes_left(&self) -> usize {
        self.limit.bytes.saturating_sub(self.bytes)
    }

    /// Takes the next record of the walk; `false` if that or what follows is not wanted.
    pub(super) fn take(&mut self, head: &Head, body: impl FnOnce() -> Bytes) -> bool {
        let record = || (!head.has(GAP)).then(|| record(head, body()));
        self.take_at(head.position, head.batch_first(), head.batch_last(), record)
    }

    /// Takes a record that was read before, as [`Collect::take`].
    pub(super) fn take_again(&mut self, record: &Record) -> bool {
        let first = record.position - u64::from(record.index);
        let last = first + u64::from(record.count) - 1;
        self.take_at(record.position, first, last, || Some(record.clone()))
    }

    /// How many records were taken.
    pub(super) const fn len(&self) -> usize {
        self.records.len()
    }

    /// The records that were taken since there were `len`, ascending.
    pub(super) fn since(&self, len: usize) -> Vec<Record> {
        let mut records = self.records[len..].to_vec();
        if self.direction == Direction::Backward {
            records.reverse();
        }
        records
    }

    /// Whether every position from `first` to `last` is wanted, and can be shown.
    pub(super) const fn covers(&self, first: u64, last: u64) -> bool {
        let is_beyond = match self.direction {
            Direction::Forward => first > self.from,
            Direction::Backward => last < self.from,
        };
        is_beyond && last <= self.head
    }

    fn take_at(
        &mut self,
        position: u64,
        batch_first: u64,
        batch_last: u64,
        record: impl FnOnce() -> Option<Record>,
    ) -> bool {
        if !self.is_beyond(position, self.from) {
            return true;
        }
        if position > self.head {
            return false;
        }
        if self.last.is_some_and(|last| self.is_beyond(position, last)) {
            self.is_full = true;
            return false;
        }
        if let Some(record) = record() {
            self.bytes += record.bytes.len();
            self.records.push(record);
        }
        let is_reached = self.records.len() >= self.limit.records || self.bytes >= self.limit.bytes;
        if is_reached && self.last.is_none() && !self.records.is_empty() {
            self.last = Some(match self.direction {
                Direction::Forward => batch_last,
                Direction::Backward => batch_first,
            });
        }
        self.is_full = self.last == Some(position);
        !self.is_full
    }

    /// What was gathered; everything down or up to `end` was looked through, unless it was too much.
    pub(super) fn chunk(self, end: u64) -> Chunk {
        let through = if self.is_full { self.last } else { None };
        Chunk {
            records: self.records,
            through: through.unwrap_or(end),
            head: self.head,
        }
    }

    const fn is_beyond(&self, position: u64, other: u64) -> bool {
        match self.direction {
            Direction::Forward => position > other,
            Direction::Backward => position < other,
        }
    }
}

fn record(head: &Head, body: Bytes) -> Record {
    Record {
        position: head.position,
        recorded_at: head.recorded_at,
        time: head.time,
        version: head.version,
        index: head.index,
        count: head.count,
        feed_len: head.feed_len,
        type_len: head.type_len,
        subject_len: head.subject_len,
        bytes: body,
    }
}
