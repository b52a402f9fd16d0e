//! Which records of a segment have a feed, a type or a subject, and where positions and times stand in it.

mod build;
mod live;
mod matches;
mod pages;
mod postings;
mod sealed;

use crate::fault::Fault;

pub(crate) use build::encode;
pub(crate) use live::LiveIndex;
pub(crate) use matches::Matches;
pub(crate) use postings::Direction;
pub(crate) use sealed::SealedIndex;

/// What a key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Feed = 0,
    Type = 1,
    Subject = 2,
}

/// A record from which reading can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) offset: u32,
    /// Where the records of its commit end.
    pub(crate) commit_end: u32,
    pub(crate) position: u64,
    pub(crate) recorded_at: i64,
}

/// Anchors are at least this many bytes apart: what a look-up by position reads in vain at most, but for one record.
const ANCHOR_BYTES: u32 = 32 << 10;

/// Offsets of the records that have a key, in the index that it was looked up in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    start: u32,
    pub(crate) len: u32,
}

/// A segment's index. Offsets that it returns are below what was indexed when it was asked.
pub(crate) trait Index {
    fn find(&self, kind: Kind, key: &[u8]) -> Result<Option<List>, Fault>;

    /// Postings of `list` from its `from`-th on, `len` of them, onto the end of `into`.
    fn postings(&self, list: List, from: u32, len: u32, into: &mut Vec<u32>) -> Result<(), Fault>;

    /// How many anchors stand before the first one for which `behind` holds.
    fn anchors_before(&self, behind: &dyn Fn(&Anchor) -> bool) -> usize;

    fn anchor(&self, number: usize) -> Option<Anchor>;
}

fn hash(kind: Kind, key: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(key, kind as u64)
}
