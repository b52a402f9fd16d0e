//! `trims`: how far the log and each of its feeds were trimmed.

use std::collections::BTreeMap;

use super::{VERSION, crc32c, put, u32_at, u64_at, u128_at};

pub(crate) const NAME: &str = "trims";
const MAGIC: &[u8; 8] = b"FWTRIM\r\n";
const HEAD: usize = 40;
const ROW: usize = 33;

/// Counts of a feed in a segment, or of what was trimmed of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// The position of its last record.
    pub(crate) through: u64,
    pub(crate) events: u64,
    pub(crate) batches: u64,
    pub(crate) subjects: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.through = self.through.max(other.through);
        self.events += other.events;
        self.batches += other.batches;
        self.subjects += other.subjects;
    }
}

/// Counts by feed.
pub(crate) type Feeds = BTreeMap<Box<[u8]>, Counts>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trims {
    /// The first position that is retained.
    pub(crate) first: u64,
    pub(crate) feeds: Feeds,
}

impl Default for Trims {
    fn default() -> Self {
        Self {
            first: 1,
            feeds: Feeds::new(),
        }
    }
}

impl Trims {
    pub(crate) fn encode(&self, incarnation: u128) -> Vec<u8> {
        let mut bytes = vec![0; HEAD];
        put(&mut bytes, 0, *MAGIC);
        put(&mut bytes, 8, VERSION.to_le_bytes());
        let feeds = u32::try_from(self.feeds.len()).expect("feeds fit the memory that holds them");
        put(&mut bytes, 12, feeds.to_le_bytes());
        put(&mut bytes, 16, incarnation.to_le_bytes());
        put(&mut bytes, 32, self.first.to_le_bytes());
        for (feed, counts) in &self.feeds {
            let Counts {
                through,
                events,
                batches,
                subjects,
            } = *counts;
            for number in [through, events, batches, subjects] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.push(u8::try_from(feed.len()).expect("a feed has at most 255 bytes"));
            bytes.extend(feed);
        }
        let crc = crc32c(&bytes);
        bytes.extend(crc.to_le_bytes());
        bytes
    }

    /// `None` if the bytes are not what was written for this log.
    pub(crate) fn decode(bytes: &[u8], incarnation: u128) -> Option<Self> {
        let (bytes, crc) = bytes.split_last_chunk::<4>()?;
        let right = bytes.len() >= HEAD
            && crc32c(bytes) == u32::from_le_bytes(*crc)
            && bytes[..8] == *MAGIC
            && u32_at(bytes, 8) == VERSION
            && u128_at(bytes, 16) == incarnation;
        if !right {
            return None;
        }
        let mut feeds = Feeds::new();
        let mut rows = &bytes[HEAD..];
        for _ in 0..u32_at(bytes, 12) {
            let row: &[u8; ROW] = rows.first_chunk()?;
            let counts = Counts {
                through: u64_at(row, 0),
                events: u64_at(row, 8),
                batches: u64_at(row, 16),
                subjects: u64_at(row, 24),
            };
            let end = ROW + usize::from(row[32]);
            feeds.insert(rows.get(ROW..end)?.into(), counts);
            rows = &rows[end..];
        }
        let first = u64_at(bytes, 32);
        rows.is_empty().then_some(Self { first, feeds })
    }
}
