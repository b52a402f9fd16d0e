//! A record as it is read.

use bytes::Bytes;

/// A record of a log. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the log, from 1.
    pub position: u64,
    /// When it was recorded, in microseconds since 1970; never before the record at an earlier position.
    pub recorded_at: i64,
    /// When it happened, in microseconds since 1970; `recorded_at` where the producer did not say.
    pub time: i64,
    /// The version of its subject, as it was submitted.
    pub version: u64,
    /// Its index in its batch, counted from 0.
    pub index: u16,
    /// How many records its batch has.
    pub count: u16,
    pub(crate) feed_len: u8,
    pub(crate) type_len: u8,
    pub(crate) subject_len: u16,
    pub(crate) bytes: Bytes,
}

impl Record {
    /// Its feed.
    pub fn feed(&self) -> &[u8] {
        &self.bytes[..self.type_start()]
    }

    /// Its type.
    pub fn ty(&self) -> &[u8] {
        &self.bytes[self.type_start()..self.subject_start()]
    }

    /// Its subject; empty if it has none.
    pub fn subject(&self) -> &[u8] {
        &self.bytes[self.subject_start()..self.payload_start()]
    }

    /// Its payload.
    pub fn payload(&self) -> Bytes {
        self.bytes.slice(self.payload_start()..)
    }

    /// Feed, type, subject and payload, one behind the other.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The lengths of feed, type and subject in [`Record::bytes`].
    pub fn tag_lens(&self) -> [usize; 3] {
        [
            usize::from(self.feed_len),
            usize::from(self.type_len),
            usize::from(self.subject_len),
        ]
    }

    fn type_start(&self) -> usize {
        usize::from(self.feed_len)
    }

    fn subject_start(&self) -> usize {
        self.type_start() + usize::from(self.type_len)
    }

    fn payload_start(&self) -> usize {
        self.subject_start() + usize::from(self.subject_len)
    }
}
