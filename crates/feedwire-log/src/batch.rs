//! A batch on its way into the log, encoded outside of any lock.

use hashbrown::HashSet;

use crate::format::record::{self, FIRST_OF_FEED, FIRST_OF_SUBJECT, HEAD, Head, Stamp, UNTIMED};
use crate::format::{commit, crc32c};

/// A record on its way into the log.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// Its feed, at most 255 bytes.
    pub feed: &'a [u8],
    /// Its type, at most 255 bytes.
    pub ty: &'a [u8],
    /// Its subject, at most 65,535 bytes; empty is none.
    pub subject: &'a [u8],
    /// When it happened, in microseconds since 1970; `None` is when it is recorded.
    pub time: Option<i64>,
    /// Its payload.
    pub payload: &'a [u8],
}

impl NewRecord<'_> {
    /// What it takes in a segment.
    fn bytes(&self) -> usize {
        let tags = self.feed.len() + self.ty.len() + self.subject.len();
        HEAD + tags + self.payload.len()
    }
}

/// Why records do not make a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("a batch has at least one record")]
    Empty,
    /// There are more than 65,535.
    #[error("a batch has at most 65,535 records")]
    TooMany,
    /// A tag is longer than its length can say, or the batch is larger than 15 MiB with 48 bytes a record.
    #[error("record {0} of the batch is too large, or the batch is with it")]
    TooLarge(usize),
}

/// A batch has at most this many bytes with the heads of its records, so that it fits a commit with room to spare.
const BYTES_MAX: usize = 15 << 20;

/// Records that are appended together, encoded with place-holders for what [`crate::Log::submit`] gives them.
#[derive(Debug)]
pub struct Batch {
    /// Room for the header of a commit, so that a batch that is alone in its commit is written from here; then records.
    pub(crate) bytes: Vec<u8>,
    count: u16,
}

impl Batch {
    /// Encodes `records`; the costly part of appending, so that it is done outside of any lock.
    pub fn new<'a>(
        records: impl IntoIterator<Item = NewRecord<'a>, IntoIter: Clone>,
    ) -> Result<Self, Error> {
        let records = records.into_iter();
        let whole: usize = records.clone().map(|record| record.bytes()).sum();
        let mut bytes = Vec::with_capacity(commit::LEN + whole.min(BYTES_MAX));
        bytes.extend([0; commit::LEN]);
        let is_alone = records.clone().nth(1).is_none();
        let mut seen = HashSet::new();
        let mut last_feed = None;
        let mut count = 0_u16;
        for record in records {
            let index = count;
            count = index.checked_add(1).ok_or(Error::TooMany)?;
            let too_large = Error::TooLarge(usize::from(index));
            let mut head = head(&record, index).ok_or_else(|| too_large.clone())?;
            if bytes.len() + head.len() > BYTES_MAX {
                return Err(too_large);
            }
            // Neighbours mostly share their feed, and comparing it is cheaper than looking it up.
            let is_same_feed = last_feed.replace(record.feed) == Some(record.feed);
            if !is_same_feed && (is_alone || seen.insert((record.feed, None))) {
                head.flags |= FIRST_OF_FEED;
            }
            if !record.subject.is_empty()
                && (is_alone || seen.insert((record.feed, Some(record.subject))))
            {
                head.flags |= FIRST_OF_SUBJECT;
            }
            push(&mut bytes, &head, &record);
        }
        if count == 0 {
            return Err(Error::Empty);
        }
        let mut batch = Self { bytes, count };
        batch.each_head(|_, head| head[42..44].copy_from_slice(&count.to_le_bytes()));
        Ok(batch)
    }

    /// How many records it has.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// A batch always has a record: `false`.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How much of [`crate::Options::queue_bytes`] it takes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Gives its records consecutive positions from `first` on, a recorded time and their versions.
    pub(crate) fn stamp(&mut self, first: u64, recorded_at: i64, versions: &[u64]) {
        self.each_head(|index, head| {
            let stamp = Stamp {
                position: first + index as u64,
                recorded_at,
                version: versions[index],
            };
            record::stamp(head, stamp);
        });
    }

    fn each_head(&mut self, mut change: impl FnMut(usize, &mut [u8; HEAD])) {
        let mut rest = &mut self.bytes[commit::LEN..];
        for index in 0..usize::from(self.count) {
            let len = Head::decode(rest)
                .expect("the batch was encoded here")
                .len();
            let (record, behind) = rest.split_at_mut(len);
            let head = record.first_chunk_mut();
            change(index, head.expect("the batch was encoded here"));
            rest = behind;
        }
    }
}

/// `None` if a length does not fit.
fn head(record: &NewRecord<'_>, index: u16) -> Option<Head> {
    let payload_len = u32::try_from(record.payload.len()).ok()?;
    let head = Head {
        payload_len,
        flags: if record.time.is_none() { UNTIMED } else { 0 },
        position: 0,
        recorded_at: 0,
        time: record.time.unwrap_or_default(),
        version: 0,
        index,
        count: 0,
        feed_len: u8::try_from(record.feed.len()).ok()?,
        type_len: u8::try_from(record.ty.len()).ok()?,
        subject_len: u16::try_from(record.subject.len()).ok()?,
    };
    (record.payload.len() < record::PAYLOAD_END).then_some(head)
}

fn push(bytes: &mut Vec<u8>, head: &Head, record: &NewRecord<'_>) {
    let start = bytes.len();
    bytes.extend([0; HEAD]);
    for part in [record.feed, record.ty, record.subject, record.payload] {
        bytes.extend_from_slice(part);
    }
    let crc = crc32c(&bytes[start + HEAD..]);
    bytes[start..start + HEAD].copy_from_slice(&head.encode(crc));
}
