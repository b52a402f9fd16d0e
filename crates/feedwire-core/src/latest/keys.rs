//! The keys of the view `latest`. Names and subjects have no NUL, so that it can stand between them.
//!
//! | key | value |
//! |---|---|
//! | 0 feed | the position up to which the feed is applied |
//! | 1 feed NUL subject NUL type | the position of the latest event |
//!
//! Positions are u64, little-endian.

use bytes::{BufMut, Bytes, BytesMut};
use feedwire_engine::{Unavailable, Write};
use feedwire_event::{FeedName, Position, TypeName};

/// What the keys of feeds start with.
pub(super) const FEEDS: &[u8] = b"\0";
/// What the keys of latest events start with.
pub(super) const EVENTS: &[u8] = b"\x01";

/// What the keys of a feed's latest events start with.
pub(super) fn of_feed(feed: &FeedName) -> BytesMut {
    let mut key = BytesMut::from(EVENTS);
    key.put_slice(feed.as_str().as_bytes());
    key.put_u8(0);
    key
}

/// What the keys of the latest events about `subject` start with.
pub(super) fn of_subject(feed: &FeedName, subject: &str) -> BytesMut {
    let mut key = of_feed(feed);
    key.put_slice(subject.as_bytes());
    key.put_u8(0);
    key
}

/// The latest event of a type about a subject is at `position`.
pub(super) fn event(feed: &FeedName, (subject, ty): (&str, &str), position: Position) -> Write {
    let mut key = of_subject(feed, subject);
    key.put_slice(ty.as_bytes());
    write(key, position)
}

/// `feed` is applied up to `through`.
pub(super) fn feed(feed: &FeedName, through: Position) -> Write {
    let mut key = BytesMut::from(FEEDS);
    key.put_slice(feed.as_str().as_bytes());
    write(key, through)
}

fn write(key: BytesMut, position: Position) -> Write {
    Write {
        key: key.freeze(),
        value: Some(Bytes::copy_from_slice(&position.get().to_le_bytes())),
    }
}

/// The feed of one of [`FEEDS`] and the position that stands there.
pub(super) fn read_feed(key: &[u8], value: &[u8]) -> Result<(FeedName, Position), Unavailable> {
    let name = key.strip_prefix(FEEDS).and_then(text);
    let feed = name.and_then(|name| FeedName::new(name).ok());
    Ok((feed.ok_or_else(|| unreadable(key))?, position(key, value)?))
}

/// The type of a latest event whose key starts with `subject`.
pub(super) fn read_type(subject: &[u8], key: &[u8]) -> Result<TypeName, Unavailable> {
    let name = key.strip_prefix(subject).and_then(text);
    let ty = name.and_then(|name| TypeName::new(name).ok());
    ty.ok_or_else(|| unreadable(key))
}

/// The position that stands under `key`.
pub(super) fn position(key: &[u8], value: &[u8]) -> Result<Position, Unavailable> {
    let number = value.try_into().map(u64::from_le_bytes);
    let position = number.ok().and_then(Position::new);
    position.ok_or_else(|| unreadable(key))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn unreadable(key: &[u8]) -> Unavailable {
    Unavailable::new(format!(
        "what is latest cannot be read where it is stored under {:?}",
        Bytes::copy_from_slice(key)
    ))
}

#[cfg(test)]
mod tests {
    use feedwire_event::Subject;

    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_anything_else_is_refused() {
        let name = FeedName::new("a").expect("a name");
        let subject = Subject::new("é b").expect("a subject");
        let at = Position::new(7).expect("a position");
        let of = of_subject(&name, subject.as_str());
        let Write { key, value } = event(&name, (subject.as_str(), "t"), at);
        let value = value.expect("a position");
        assert_eq!(read_type(&of, &key).expect("a type").as_str(), "t");
        assert_eq!(position(&key, &value).expect("a position"), at);
        assert!(read_type(&of_subject(&name, "é"), &key).is_err());
        assert!(position(&key, &value[1..]).is_err());
        let Write { key, value } = feed(&name, at);
        let value = value.expect("a position");
        assert_eq!(read_feed(&key, &value).expect("a feed"), (name, at));
        assert!(read_feed(&key[1..], &value).is_err());
    }
}
