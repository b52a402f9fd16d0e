//! `log.meta`: format version and incarnation.

use super::{VERSION, crc32c, put, u32_at, u128_at};

pub(crate) const NAME: &str = "log.meta";
pub(crate) const LEN: usize = 32;
const MAGIC: &[u8; 8] = b"FWMETA\r\n";

/// Why bytes are not a right `log.meta`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Format(u32),
    Bytes(&'static str),
}

pub(crate) fn encode(incarnation: u128) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    put(&mut bytes, 0, *MAGIC);
    put(&mut bytes, 8, VERSION.to_le_bytes());
    put(&mut bytes, 12, incarnation.to_le_bytes());
    let crc = crc32c(&bytes[..28]);
    put(&mut bytes, 28, crc.to_le_bytes());
    bytes
}

pub(crate) fn decode(bytes: &[u8]) -> Result<u128, Wrong> {
    if bytes.len() != LEN || bytes[..8] != *MAGIC {
        return Err(Wrong::Bytes("not the description of a log"));
    }
    if u32_at(bytes, 28) != crc32c(&bytes[..28]) {
        return Err(Wrong::Bytes("the checksum does not match"));
    }
    match u32_at(bytes, 8) {
        VERSION => Ok(u128_at(bytes, 12)),
        found => Err(Wrong::Format(found)),
    }
}
