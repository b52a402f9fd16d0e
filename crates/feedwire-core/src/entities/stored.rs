//! What is kept of entities in the view `entities`, as bytes. Names and subjects have no NUL, so that it can stand between them.
//!
//! | key | value |
//! |---|---|
//! | 0 feed | how many entities the feed has |
//! | 1 feed NUL subject | the position of the last change, when that was recorded and when it happened (i64, microseconds since 1970), the version of the subject, and the payload of a `load` event |
//!
//! Positions, versions and numbers are u64; all integers are little-endian.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{Place, Record, Stamp, Unavailable, Write};
use feedwire_event::{ChangeKind, FeedName, Position, Subject, Timestamp, Version, payload};

use super::{Entity, EntityKey};

/// What the keys of counts start with.
pub(super) const COUNTS: &[u8] = b"\0";
/// What the keys of entities start with.
pub(super) const ENTITIES: &[u8] = b"\x01";

/// What of a value is not payload.
const HEAD_BYTES: usize = 32;

/// What the keys of a feed's entities start with.
pub(super) fn of_feed(feed: &str) -> BytesMut {
    let mut key = BytesMut::from(ENTITIES);
    key.put_slice(feed.as_bytes());
    key.put_u8(0);
    key
}

/// The key of an entity.
pub(super) fn key(feed: &str, subject: &str) -> Bytes {
    let len = ENTITIES.len() + feed.len() + 1 + subject.len();
    let mut key = Vec::with_capacity(len);
    key.extend_from_slice(ENTITIES);
    key.extend_from_slice(feed.as_bytes());
    key.push(0);
    key.extend_from_slice(subject.as_bytes());
    key.into()
}

impl EntityKey {
    pub(super) fn stored(&self) -> Bytes {
        key(self.feed.as_str(), self.subject.as_str())
    }
}

/// The entity that `key` is of.
pub(super) fn read_key(key: &[u8]) -> Result<EntityKey, Unavailable> {
    let read = || {
        let text = std::str::from_utf8(key.strip_prefix(ENTITIES)?).ok()?;
        let (feed, subject) = text.split_once('\0')?;
        Some(EntityKey {
            feed: FeedName::new(feed).ok()?,
            subject: Subject::new(subject).ok()?,
        })
    };
    read().ok_or_else(|| unreadable(key))
}

/// What is kept of the state that `record`, a change, made.
pub(super) fn value(record: &Record) -> Result<Bytes, payload::Error> {
    let stamp = record.stamp();
    let load = payload::encode_load(record.payload_bytes(), stamp.position)?;
    let mut value = BytesMut::with_capacity(HEAD_BYTES + load.len());
    value.put_u64_le(stamp.position.get());
    value.put_i64_le(stamp.recorded_at.as_micros());
    value.put_i64_le(stamp.time.as_micros());
    value.put_u64_le(stamp.version.0);
    value.put_slice(&load);
    Ok(value.freeze())
}

/// The position in a value.
pub(super) fn position(value: &[u8]) -> Option<Position> {
    Position::new(value.first_chunk().copied().map(u64::from_le_bytes)?)
}

/// The entity that `value` tells of.
pub(super) fn entity(key: &EntityKey, value: &[u8]) -> Result<Entity, Unavailable> {
    let read = || {
        let (mut head, load) = value.split_at_checked(HEAD_BYTES)?;
        let position = Position::new(head.get_u64_le())?;
        let stamp = Stamp {
            position,
            recorded_at: Timestamp::from_micros(head.get_i64_le()),
            time: Timestamp::from_micros(head.get_i64_le()),
            version: Version(head.get_u64_le()),
            place: Place { index: 0, count: 1 },
        };
        let tags = [
            key.feed.as_str(),
            ChangeKind::Load.as_str(),
            key.subject.as_str(),
        ];
        let bytes = [
            tags[0].as_bytes(),
            tags[1].as_bytes(),
            tags[2].as_bytes(),
            load,
        ]
        .concat();
        Some(Entity(Record::new(
            stamp,
            tags.map(str::len),
            bytes.into(),
        )?))
    };
    read().ok_or_else(|| unreadable(&key.stored()))
}

/// What all keys of a feed's entities are before, and those of the feeds behind it are not.
pub(super) fn behind_feed(feed: &str) -> Bytes {
    let mut key = BytesMut::from(ENTITIES);
    key.put_slice(feed.as_bytes());
    key.put_u8(1);
    key.freeze()
}

/// The key of how many entities `feed` has.
pub(super) fn count_key(feed: &FeedName) -> Bytes {
    let mut key = BytesMut::from(COUNTS);
    key.put_slice(feed.as_str().as_bytes());
    key.freeze()
}

/// The number in a value.
pub(super) fn read_number(value: &[u8]) -> Result<u64, Unavailable> {
    let number = value.try_into().map(u64::from_le_bytes);
    number.map_err(Unavailable::new)
}

/// `feed` has `count` entities.
pub(super) fn count(feed: &FeedName, count: u64) -> Write {
    Write {
        key: count_key(feed),
        value: (count > 0).then(|| Bytes::copy_from_slice(&count.to_le_bytes())),
    }
}

/// The feed of one of [`COUNTS`], and how many entities it has.
pub(super) fn read_count(key: &[u8], value: &[u8]) -> Result<(FeedName, u64), Unavailable> {
    let read = || {
        let name = std::str::from_utf8(key.strip_prefix(COUNTS)?).ok()?;
        let count = u64::from_le_bytes(value.try_into().ok()?);
        Some((FeedName::new(name).ok()?, count))
    };
    read().ok_or_else(|| unreadable(key))
}

pub(super) fn unreadable(key: &[u8]) -> Unavailable {
    Unavailable::new(format!(
        "what is stored of entities under {:?} cannot be read",
        Bytes::copy_from_slice(key)
    ))
}
