//! What is kept of a project beside what it holds: when it was made, and its limits.
//!
//! Stored in the server's own project, in the space `projects`, under the project's name:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version of this encoding, 2 |
//! | 8 | when it was made, i64 microseconds since 1970; the least one where that is not known |
//! | 8 | requests a second, u64; the largest one for no bound, as below |
//! | 8 | bytes published a second |
//! | 8 | readers at once |
//! | 8 | since when it is put away, i64 microseconds since 1970; the least one where it is not. Version 1 has none |
//!
//! Integers are little-endian. A project without an entry has no limits, and was made by a version that kept none. An entry without
//! a project is what a crash left of making or deleting one: it is overwritten when the name is taken.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{Space, Unavailable};
use feedwire_event::{ProjectName, Timestamp};

use crate::RateLimits;

const VERSION: u8 = 2;
/// Instead of a time.
const NONE: i64 = i64::MIN;
const NO_BOUND: u64 = u64::MAX;

/// What is kept of a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) created_at: Option<Timestamp>,
    pub(super) limits: RateLimits,
    /// Since when nobody may use it; `None` where it may be used.
    pub(super) away_since: Option<Timestamp>,
}

/// Where the records are.
pub(super) fn space() -> Space {
    Space {
        project: ProjectName::system(),
        name: "projects",
    }
}

impl Record {
    pub(super) fn encode(&self) -> Bytes {
        let RateLimits {
            requests_per_second,
            publish_bytes_per_second,
            readers,
        } = self.limits;
        let mut out = BytesMut::new();
        out.put_u8(VERSION);
        out.put_i64_le(micros(self.created_at));
        for limit in [requests_per_second, publish_bytes_per_second, readers] {
            out.put_u64_le(limit.unwrap_or(NO_BOUND));
        }
        out.put_i64_le(micros(self.away_since));
        out.freeze()
    }

    /// What is stored under `key`.
    pub(super) fn decode(key: &[u8], value: Bytes) -> Result<Self, Unavailable> {
        decode(value).ok_or_else(|| {
            let name = String::from_utf8_lossy(key);
            Unavailable::new(format!("what is stored of project {name} cannot be read"))
        })
    }
}

fn micros(time: Option<Timestamp>) -> i64 {
    time.map_or(NONE, Timestamp::as_micros)
}

fn time(micros: i64) -> Option<Timestamp> {
    (micros != NONE).then(|| Timestamp::from_micros(micros))
}

fn decode(mut value: Bytes) -> Option<Record> {
    let version = value.try_get_u8().ok()?;
    let created_at = time(value.try_get_i64_le().ok()?);
    let mut limit = || {
        let limit = value.try_get_u64_le().ok()?;
        Some((limit != NO_BOUND).then_some(limit))
    };
    let limits = RateLimits {
        requests_per_second: limit()?,
        publish_bytes_per_second: limit()?,
        readers: limit()?,
    };
    let away_since = match version {
        1 => None,
        VERSION => time(value.try_get_i64_le().ok()?),
        _ => return None,
    };
    value.is_empty().then_some(Record {
        created_at,
        limits,
        away_since,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_any_cut_of_it_or_other_version_is_refused() {
        let whole = Record {
            created_at: Some(Timestamp::from_micros(-7)),
            limits: RateLimits {
                requests_per_second: Some(0),
                publish_bytes_per_second: None,
                readers: Some(u64::MAX - 1),
            },
            away_since: Some(Timestamp::from_micros(9)),
        };
        for record in [whole, Record::default()] {
            let bytes = record.encode();
            assert_eq!(decode(bytes.clone()), Some(record));
            for len in 0..bytes.len() {
                assert_eq!(decode(bytes.slice(..len)), None, "cut at {len}");
            }
            let longer = [&bytes[..], b"x"].concat();
            assert_eq!(decode(longer.into()), None);
            let later = [&[VERSION + 1], &bytes[1..]].concat();
            assert_eq!(decode(later.into()), None);
            let first = [&[1], &bytes[1..bytes.len() - size_of::<i64>()]].concat();
            let there = Record {
                away_since: None,
                ..record
            };
            assert_eq!(decode(first.into()), Some(there));
        }
    }
}
