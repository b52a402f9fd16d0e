//! The index of a sealed segment, looked up in its file.

use std::sync::Arc;

use super::build::{ANCHOR, ENTRY, FEED, HEAD, MAGIC};
use super::{Anchor, Index, Kind, List, hash, pages};
use crate::fault::Fault;
use crate::format::header::Header;
use crate::format::trims::{Counts, Feeds};
use crate::format::{VERSION, i64_at, u16_at, u32_at, u64_at, u128_at};
use crate::storage::File;

#[derive(Debug)]
pub(crate) struct SealedIndex {
    file: Arc<dyn File>,
    nonce: u64,
    pub(crate) records: u64,
    pub(crate) last_position: u64,
    pub(crate) first_recorded_at: i64,
    pub(crate) last_recorded_at: i64,
    anchors: Vec<Anchor>,
    feeds: Section,
    buckets: Section,
    entries: Section,
    postings: Section,
}

#[derive(Clone, Copy, Debug)]
struct Section {
    start: u64,
    count: u64,
}

impl SealedIndex {
    /// Reads the header and the anchors; fails with [`Fault::Index`] if it is not right, or not of this segment.
    pub(crate) fn open(file: Arc<dyn File>, segment: &Header, len: u64) -> Result<Self, Fault> {
        let nonce = segment.nonce;
        let head = pages::read(&*file, nonce, 0, HEAD)?;
        let right = head[..8] == *MAGIC
            && u32_at(&head, 8) == VERSION
            && u128_at(&head, 16) == segment.incarnation
            && u64_at(&head, 32) == nonce
            && u64_at(&head, 40) == len;
        if !right {
            return Err(Fault::Index);
        }
        let section = |field| Section {
            start: u64_at(&head, field),
            count: u64_at(&head, field + 8),
        };
        let anchors = section(80);
        let bytes = pages::read(&*file, nonce, anchors.start, size(anchors.count)? * ANCHOR)?;
        Ok(Self {
            nonce,
            records: u64_at(&head, 48),
            last_position: u64_at(&head, 56),
            first_recorded_at: i64_at(&head, 64),
            last_recorded_at: i64_at(&head, 72),
            anchors: bytes.chunks_exact(ANCHOR).map(anchor).collect(),
            feeds: section(96),
            buckets: section(112),
            entries: section(128),
            postings: section(144),
            file,
        })
    }

    /// Counts of its feeds.
    pub(crate) fn feeds(&self) -> Result<Feeds, Fault> {
        let len = size(self.buckets.start - self.feeds.start)?;
        let bytes = self.read(self.feeds.start, len)?;
        let mut rows = &bytes[..];
        let mut feeds = Feeds::new();
        for _ in 0..self.feeds.count {
            let row: &[u8; FEED] = rows.first_chunk().ok_or(Fault::Index)?;
            let counts = Counts {
                through: u64_at(row, 0),
                events: u64_at(row, 8),
                batches: u64_at(row, 16),
                subjects: u64_at(row, 24),
            };
            let end = FEED + usize::from(row[32]);
            feeds.insert(rows.get(FEED..end).ok_or(Fault::Index)?.into(), counts);
            rows = &rows[end..];
        }
        Ok(feeds)
    }

    fn read(&self, from: u64, len: usize) -> Result<Vec<u8>, Fault> {
        pages::read(&*self.file, self.nonce, from, len)
    }
}

impl Index for SealedIndex {
    fn find(&self, kind: Kind, key: &[u8]) -> Result<Option<List>, Fault> {
        let hash = hash(kind, key);
        let bucket = hash & (self.buckets.count - 1);
        let bounds = self.read(self.buckets.start + bucket * 4, 8)?;
        let (start, end) = (u32_at(&bounds, 0), u32_at(&bounds, 4));
        let bytes = self.read(
            self.entries.start + u64::from(start),
            (end - start) as usize,
        )?;
        let mut rest = &bytes[..];
        while let Some(entry) = rest.first_chunk::<ENTRY>() {
            let key_end = ENTRY + usize::from(u16_at(entry, 12));
            let is_it = u32_at(entry, 0) == (hash >> 32) as u32
                && entry[14] == kind as u8
                && rest.get(ENTRY..key_end) == Some(key);
            if is_it {
                let (len, start) = (u32_at(entry, 4), u32_at(entry, 8));
                return Ok(Some(List { start, len }));
            }
            rest = rest.get(key_end.next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(None)
    }

    fn postings(&self, list: List, from: u32, len: u32, into: &mut Vec<u32>) -> Result<(), Fault> {
        if list.len == 1 {
            into.push(list.start);
            return Ok(());
        }
        let first = u64::from(list.start) + u64::from(from);
        let bytes = self.read(self.postings.start + first * 4, len as usize * 4)?;
        into.extend(bytes.chunks_exact(4).map(|posting| u32_at(posting, 0)));
        Ok(())
    }

    fn anchors_before(&self, behind: &dyn Fn(&Anchor) -> bool) -> usize {
        self.anchors.partition_point(|anchor| !behind(anchor))
    }

    fn anchor(&self, number: usize) -> Option<Anchor> {
        self.anchors.get(number).copied()
    }
}

fn anchor(bytes: &[u8]) -> Anchor {
    Anchor {
        offset: u32_at(bytes, 0),
        commit_end: u32_at(bytes, 4),
        position: u64_at(bytes, 8),
        recorded_at: i64_at(bytes, 16),
    }
}

fn size(number: u64) -> Result<usize, Fault> {
    usize::try_from(number).ok().ok_or(Fault::Index)
}
