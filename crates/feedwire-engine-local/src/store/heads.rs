//! What is stored of a project's subjects: the head of each, and how far that is applied.

use std::ops::Bound;

use feedwire_engine::{Head, Limit};
use feedwire_event::{Position, Version};
use fjall::{Guard, UserKey};

use super::{Applied, Error, Room, Store, keys};

/// As with views: a log is trimmed and erased from only up to where its heads are, and the events that they come of stop before. Were
/// they to wait for more room than events leave, they would wait in memory for good on a disk that events have filled.
const HEADS_ROOM: Room = Room::Own;

impl Store {
    /// Whether heads can be written just now.
    pub(crate) fn check_heads_room(&self) -> Result<(), Error> {
        self.check_room(HEADS_ROOM)
    }

    /// How far the heads of `project` are applied.
    pub(crate) fn heads_applied(&self, project: &str) -> Result<Option<Applied>, Error> {
        let stored = self.read(|open| open.heads.get(keys::heads_applied(project)))?;
        let decoded = stored.map(|value| Applied::decode(&value).ok_or(Error::Malformed));
        decoded.transpose()
    }

    /// Writes how far the heads of `project` are applied.
    pub(crate) fn write_heads_applied(&self, project: &str, applied: Applied) -> Result<(), Error> {
        self.write(HEADS_ROOM, |open, batch| {
            batch.insert(&open.heads, keys::heads_applied(project), applied.encode());
        })
    }

    /// Removes the heads of `project`.
    pub(crate) fn empty_heads(&self, project: &str) -> Result<(), Error> {
        self.empty(|open| &open.heads, &keys::heads_of_project(project))
    }

    /// The head at `key`.
    pub(crate) fn head(&self, key: &[u8]) -> Result<Option<Head>, Error> {
        let stored = self.read(|open| open.heads.get(key))?;
        stored.map(|value| decode(&value)).transpose()
    }

    /// Writes heads at their keys, all or none.
    pub(crate) fn write_heads(&self, heads: &[(&[u8], Head)]) -> Result<(), Error> {
        self.write(HEADS_ROOM, |open, batch| {
            for (key, head) in heads {
                batch.insert(&open.heads, *key, encode(*head));
            }
        })
    }

    /// Removes what is at `keys`, all or none.
    pub(crate) fn remove_heads(&self, keys: Vec<UserKey>) -> Result<(), Error> {
        self.remove(|open| &open.heads, keys)
    }

    /// Up to `limit` heads in order of their keys, of those that start with `prefix`, and then with what is above `after`.
    pub(crate) fn heads(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(UserKey, Head)>, Error> {
        let found =
            self.read(|open| open.scan(&open.heads, prefix, b"", after, Limit::records(limit)))?;
        let head = |(key, value): (UserKey, fjall::UserValue)| Ok((key, decode(&value)?));
        found.into_iter().map(head).collect()
    }

    /// The feeds of `project` in which a subject has a head, in order of their names.
    pub(crate) fn feeds_with_heads(&self, project: &str) -> Result<Vec<String>, Error> {
        let all = keys::heads_of_project(project);
        let end = keys::behind(&all).map_or(Bound::Unbounded, Bound::Excluded);
        let mut start = all;
        let mut feeds = Vec::new();
        loop {
            let range = (Bound::Included(start), end.clone());
            let key =
                self.read(|open| open.heads.range(range).next().map(Guard::key).transpose())?;
            let Some(key) = key else {
                return Ok(feeds);
            };
            let (feed, _) = keys::feed_and_subject(project, &key).ok_or(Error::Malformed)?;
            feeds.push(feed.to_owned());
            // However many subjects the feed has, the next one is a step away.
            start = keys::behind(&keys::heads_of_feed(project, feed)).ok_or(Error::Malformed)?;
        }
    }
}

fn encode(head: Head) -> [u8; 16] {
    let value = u128::from(head.version.0) << 64 | u128::from(head.position.get());
    value.to_be_bytes()
}

fn decode(value: &[u8]) -> Result<Head, Error> {
    let decoded = || {
        let (version, position) = value.split_first_chunk()?;
        Some(Head {
            version: Version(u64::from_be_bytes(*version)),
            position: Position::new(u64::from_be_bytes(position.try_into().ok()?))?,
        })
    };
    decoded().ok_or(Error::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    #[test]
    fn each_feed_with_heads_is_found_once_and_those_of_others_are_not() {
        let place = tempfile::tempdir().expect("a folder");
        let store = Store::open(place.path(), &Options::default()).expect("it opens");
        let head = Head {
            version: Version(1),
            position: Position::ZERO.next(),
        };
        let heads = [
            ("p", "f", "a"),
            ("p", "f", "\u{10ffff}"),
            ("p", "f-", "a"),
            ("p", "ff", "a"),
            ("p", "ff", "b"),
            ("p.q", "other", "a"),
            ("o", "other", "a"),
        ];
        for (project, feed, subject) in heads {
            let mut key = Vec::new();
            keys::head_key(&mut key, project, feed, subject);
            store.write_heads(&[(&key, head)]).expect("there is room");
        }
        let feeds = store.feeds_with_heads("p").expect("they are read");
        assert_eq!(feeds, ["f", "f-", "ff"]);
        let none = store.feeds_with_heads("q").expect("they are read");
        assert!(none.is_empty());
    }
}
