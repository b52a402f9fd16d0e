//! The header of a commit: what one sync covered.

use super::{aligned, crc32c, i64_at, put, u32_at, u64_at};

pub(crate) const LEN: usize = 64;

/// A commit gathers batches up to this many bytes, so that none waits long for its neighbours.
pub(crate) const BYTES_MAX: usize = 16 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Records,
    Mark,
    Footer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) kind: Kind,
    pub(crate) body_len: u32,
    pub(crate) offset: u64,
    pub(crate) synced: u64,
    /// Of the first record; of a mark, the next one to be given; of a footer, the first of the next segment.
    pub(crate) position: u64,
    pub(crate) records: u32,
    pub(crate) recorded_at: i64,
    /// Of a footer, the CRC-64 of all before it.
    pub(crate) checksum: u64,
}

impl Commit {
    /// A commit without records that proves everything before it.
    pub(crate) fn mark(offset: u64, next_position: u64, recorded_at: i64) -> Self {
        Self {
            kind: Kind::Mark,
            body_len: 0,
            offset,
            synced: offset,
            position: next_position,
            records: 0,
            recorded_at,
            checksum: 0,
        }
    }

    pub(crate) fn encode(&self, nonce: u64) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        put(&mut bytes, 0, nonce.to_le_bytes());
        put(&mut bytes, 12, self.body_len.to_le_bytes());
        put(&mut bytes, 16, self.offset.to_le_bytes());
        put(&mut bytes, 24, self.synced.to_le_bytes());
        put(&mut bytes, 32, self.position.to_le_bytes());
        put(&mut bytes, 40, self.records.to_le_bytes());
        put(&mut bytes, 44, self.kind.code().to_le_bytes());
        put(&mut bytes, 48, self.recorded_at.to_le_bytes());
        put(&mut bytes, 56, self.checksum.to_le_bytes());
        let crc = checksum(&bytes);
        put(&mut bytes, 8, crc.to_le_bytes());
        bytes
    }

    /// `None` if there is no commit of the segment with this nonce, made for this offset.
    pub(crate) fn decode(bytes: &[u8], nonce: u64, offset: u64) -> Option<Self> {
        let bytes: &[u8; LEN] = bytes.first_chunk()?;
        let right = u64_at(bytes, 0) == nonce
            && u64_at(bytes, 16) == offset
            && u32_at(bytes, 8) == checksum(bytes);
        let commit = right.then_some(Self {
            kind: Kind::from_code(u32_at(bytes, 44))?,
            body_len: u32_at(bytes, 12),
            offset,
            synced: u64_at(bytes, 24),
            position: u64_at(bytes, 32),
            records: u32_at(bytes, 40),
            recorded_at: i64_at(bytes, 48),
            checksum: u64_at(bytes, 56),
        })?;
        let has_records = commit.kind == Kind::Records;
        let consistent = commit.synced <= offset
            && (commit.records > 0) == has_records
            && (commit.body_len > 0) == has_records;
        consistent.then_some(commit)
    }

    /// Where its records begin.
    pub(crate) const fn body(&self) -> u64 {
        self.offset + LEN as u64
    }

    /// Where its records end.
    pub(crate) const fn body_end(&self) -> u64 {
        self.body() + self.body_len as u64
    }

    /// Where the next commit stands.
    pub(crate) const fn end(&self) -> u64 {
        aligned(self.body_end())
    }
}

impl Kind {
    const fn code(self) -> u32 {
        match self {
            Self::Records => 0,
            Self::Mark => 1,
            Self::Footer => 2,
        }
    }

    const fn from_code(code: u32) -> Option<Self> {
        match code {
            0 => Some(Self::Records),
            1 => Some(Self::Mark),
            2 => Some(Self::Footer),
            _ => None,
        }
    }
}

fn checksum(bytes: &[u8; LEN]) -> u32 {
    let mut covered = *bytes;
    covered[8..12].fill(0);
    crc32c(&covered)
}
