//! What a reading is about, and what it returns.

use bytes::Bytes;

use crate::Record;

/// A record is in scope if it has one of the feeds, one of the types and one of the subjects; an empty list asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Scope {
    /// The feeds; empty is every feed.
    pub feeds: Vec<Bytes>,
    /// The types; empty is every type.
    pub types: Vec<Bytes>,
    /// The subjects; empty is every subject, and records without one.
    pub subjects: Vec<Bytes>,
}

impl Scope {
    /// Every record of the log.
    pub fn all() -> Self {
        Self::default()
    }

    /// Whether every record is in scope.
    pub fn is_all(&self) -> bool {
        self.feeds.is_empty() && self.types.is_empty() && self.subjects.is_empty()
    }

    /// Whether `record` is in scope.
    pub fn has(&self, record: &Record) -> bool {
        let has = |list: &[Bytes], tag: &[u8]| list.is_empty() || list.iter().any(|t| t == tag);
        has(&self.feeds, record.feed())
            && has(&self.types, record.ty())
            && has(&self.subjects, record.subject())
    }
}

/// How much one reading returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The reading ends behind the batch that reaches this many records.
    pub records: usize,
    /// The reading ends behind the batch that reaches this many bytes of tags and payloads.
    pub bytes: usize,
}

/// Records read in one go. Of each batch it touches, a chunk has every record in scope beyond the asked position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Ascending when read forward, descending when read backward.
    pub records: Vec<Record>,
    /// Everything in scope up to here, this position included, is in this chunk or the ones before it. Read backward: down
    /// to here.
    pub through: u64,
    /// The last readable position, from the same moment as the records.
    pub head: u64,
}
