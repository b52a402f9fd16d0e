//! A record: 48 bytes of head, then feed, type, subject and payload one behind the other.

use super::{crc32c, i64_at, put, u16_at, u32_at, u64_at};

/// The length of the head, and so the least length of a record.
pub(crate) const HEAD: usize = 48;

/// Payloads are shorter than this: their length has 24 bits.
pub(crate) const PAYLOAD_END: usize = 1 << 24;

pub(crate) const FIRST_OF_FEED: u8 = 1;
pub(crate) const FIRST_OF_SUBJECT: u8 = 2;
pub(crate) const UNTIMED: u8 = 4;
pub(crate) const GAP: u8 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) payload_len: u32,
    pub(crate) flags: u8,
    pub(crate) position: u64,
    pub(crate) recorded_at: i64,
    pub(crate) time: i64,
    pub(crate) version: u64,
    pub(crate) index: u16,
    pub(crate) count: u16,
    pub(crate) feed_len: u8,
    pub(crate) type_len: u8,
    pub(crate) subject_len: u16,
}

/// What the log gives a record when it takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) position: u64,
    pub(crate) recorded_at: i64,
    pub(crate) version: u64,
}

impl Head {
    /// The head in its bytes, with `crc` in the place of the checksum.
    pub(crate) fn encode(&self, crc: u32) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        put(&mut bytes, 0, crc.to_le_bytes());
        let lengths = self.payload_len | u32::from(self.flags) << 24;
        put(&mut bytes, 4, lengths.to_le_bytes());
        put(&mut bytes, 8, self.position.to_le_bytes());
        put(&mut bytes, 16, self.recorded_at.to_le_bytes());
        put(&mut bytes, 24, self.time.to_le_bytes());
        put(&mut bytes, 32, self.version.to_le_bytes());
        put(&mut bytes, 40, self.index.to_le_bytes());
        put(&mut bytes, 42, self.count.to_le_bytes());
        put(&mut bytes, 44, [self.feed_len, self.type_len]);
        put(&mut bytes, 46, self.subject_len.to_le_bytes());
        bytes
    }

    /// The head in its bytes, as it stands on disk before `body`.
    pub(crate) fn seal(&self, body: &[u8]) -> [u8; HEAD] {
        let mut bytes = self.encode(crc32c(body));
        finish(&mut bytes);
        bytes
    }

    /// Reads the fields without looking at the checksum.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEAD] = bytes.first_chunk()?;
        let lengths = u32_at(bytes, 4);
        Some(Self {
            payload_len: lengths & 0xff_ffff,
            flags: lengths.to_le_bytes()[3],
            position: u64_at(bytes, 8),
            recorded_at: i64_at(bytes, 16),
            time: i64_at(bytes, 24),
            version: u64_at(bytes, 32),
            index: u16_at(bytes, 40),
            count: u16_at(bytes, 42),
            feed_len: bytes[44],
            type_len: bytes[45],
            subject_len: u16_at(bytes, 46),
        })
    }

    /// The length of tags and payload.
    pub(crate) const fn body_len(&self) -> usize {
        self.subject_end() + self.payload_len as usize
    }

    /// The length of the record.
    pub(crate) const fn len(&self) -> usize {
        HEAD + self.body_len()
    }

    pub(crate) const fn feed_end(&self) -> usize {
        self.feed_len as usize
    }

    pub(crate) const fn type_end(&self) -> usize {
        self.feed_end() + self.type_len as usize
    }

    pub(crate) const fn subject_end(&self) -> usize {
        self.type_end() + self.subject_len as usize
    }

    pub(crate) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The last position of its batch.
    pub(crate) fn batch_last(&self) -> u64 {
        self.batch_first() + u64::from(self.count).saturating_sub(1)
    }

    /// The first position of its batch.
    pub(crate) fn batch_first(&self) -> u64 {
        self.position.saturating_sub(u64::from(self.index))
    }
}

/// Fills in what a record got from the log. Its checksum holds that of the body until then.
pub(crate) fn stamp(head: &mut [u8; HEAD], stamp: Stamp) {
    put(head, 8, stamp.position.to_le_bytes());
    put(head, 16, stamp.recorded_at.to_le_bytes());
    if head[7] & UNTIMED != 0 {
        put(head, 24, stamp.recorded_at.to_le_bytes());
    }
    put(head, 32, stamp.version.to_le_bytes());
    finish(head);
}

/// Turns the checksum of the body into that of the record.
fn finish(head: &mut [u8; HEAD]) {
    let crc = whole(head, u32_at(head, 0));
    put(head, 0, crc.to_le_bytes());
}

fn whole(head: &[u8; HEAD], body_crc: u32) -> u32 {
    let mut covered = [0; HEAD];
    covered[..HEAD - 4].copy_from_slice(&head[4..]);
    put(&mut covered, HEAD - 4, body_crc.to_le_bytes());
    crc32c(&covered)
}

/// What stands at the beginning of some bytes.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// A record that is right.
    Right(Head),
    /// There would have to be this many bytes to tell.
    Short(usize),
    /// No record, or a damaged one.
    Wrong,
}

/// Reads a record and compares it with its checksum.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let (Some(head), Some(raw)) = (Head::decode(bytes), bytes.first_chunk::<HEAD>()) else {
        return Parsed::Short(HEAD);
    };
    let Some(body) = bytes.get(HEAD..head.len()) else {
        return Parsed::Short(head.len());
    };
    if whole(raw, crc32c(body)) != u32_at(bytes, 0) {
        return Parsed::Wrong;
    }
    Parsed::Right(head)
}
