//! The header that a segment begins with.

use super::{VERSION, crc32c, i64_at, put, u32_at, u64_at, u128_at};

pub(crate) const LEN: usize = 128;
const MAGIC: &[u8; 8] = b"FWSEGM\r\n";

/// What the recorded time is behind which a segment begins, when nothing was recorded yet.
pub(crate) const NO_TIME: i64 = i64::MIN;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) incarnation: u128,
    pub(crate) nonce: u64,
    pub(crate) first_position: u64,
    pub(crate) recorded_at: i64,
    pub(crate) previous_first: u64,
    pub(crate) previous_end: u64,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        put(&mut bytes, 0, *MAGIC);
        put(&mut bytes, 8, VERSION.to_le_bytes());
        put(&mut bytes, 16, self.incarnation.to_le_bytes());
        put(&mut bytes, 32, self.nonce.to_le_bytes());
        put(&mut bytes, 40, self.first_position.to_le_bytes());
        put(&mut bytes, 48, self.recorded_at.to_le_bytes());
        put(&mut bytes, 56, self.previous_first.to_le_bytes());
        put(&mut bytes, 64, self.previous_end.to_le_bytes());
        let crc = checksum(&bytes);
        put(&mut bytes, 12, crc.to_le_bytes());
        bytes
    }

    /// `None` if the bytes are not a header that was written whole.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LEN] = bytes.first_chunk()?;
        let right = bytes[..8] == *MAGIC
            && u32_at(bytes, 8) == VERSION
            && u32_at(bytes, 12) == checksum(bytes);
        right.then(|| Self {
            incarnation: u128_at(bytes, 16),
            nonce: u64_at(bytes, 32),
            first_position: u64_at(bytes, 40),
            recorded_at: i64_at(bytes, 48),
            previous_first: u64_at(bytes, 56),
            previous_end: u64_at(bytes, 64),
        })
    }
}

fn checksum(bytes: &[u8; LEN]) -> u32 {
    let mut covered = *bytes;
    covered[12..16].fill(0);
    crc32c(&covered)
}
