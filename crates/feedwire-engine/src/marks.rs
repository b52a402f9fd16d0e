//! What a repetition is known by: the marks of records, and where in a log they were seen lately.
//!
//! A mark is a hash: of feed, source and id of an event, or of feed and key of a request. It only says where to look. What
//! stands there is compared ([`crate::Verdict`]), so that two marks that happen to be alike lose nothing.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use feedwire_event::{Payload, Position, payload};

/// A mark of a record in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What of the record it is.
    pub of: MarkOf,
    /// Which record of the batch, from 0.
    pub index: u16,
    hash: u64,
}

/// What a mark is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarkOf {
    /// Of the key of a request whose first record it is.
    Key,
    /// Of the source and the id of an event.
    Id,
}

impl Mark {
    /// The marks of the record `index` of a batch, in `feed` and with `payload`.
    pub fn of_record(index: u16, feed: &str, payload: &[u8]) -> impl Iterator<Item = Self> {
        let payload = payload::is_marked(payload).then(|| Payload::decode(payload));
        // What cannot be decoded has no marks: readers are told of it where they meet it.
        let payload = payload.and_then(Result::ok);
        let key = payload.and_then(|payload| payload.key);
        let by_id = payload.filter(|payload| payload.by_id);
        let mark = move |of, hash| Self { of, index, hash };
        let key = key.map(|key| mark(MarkOf::Key, hash((MarkOf::Key, feed, "", key))));
        let of_id = |p: Payload<'_>| hash((MarkOf::Id, feed, p.source.unwrap_or_default(), p.id));
        let id = by_id.map(|payload| mark(MarkOf::Id, of_id(payload)));
        key.into_iter().chain(id)
    }

    /// Alike for marks that are alike, and hardly ever for others.
    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }
}

/// Seeded by chance for the life of the process, so that nobody can make marks that are alike.
fn hash(of: (MarkOf, &str, &str, &str)) -> u64 {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    SEED.get_or_init(RandomState::new).hash_one(of)
}

/// Where marks were seen: all that stand within the last `window` positions of a log, and some before them.
#[derive(Debug)]
pub struct Marked {
    window: u64,
    /// Behind this position.
    newer_after: u64,
    newer: HashMap<u64, Position>,
    /// The window before that.
    older: HashMap<u64, Position>,
}

impl Marked {
    /// No marks as yet; at least those of the last `window` positions will be kept.
    pub fn new(window: u64) -> Self {
        Self {
            window,
            newer_after: 0,
            newer: HashMap::new(),
            older: HashMap::new(),
        }
    }

    /// Where `mark` was seen last.
    pub fn look_up(&self, mark: &Mark) -> Option<Position> {
        let seen = self.newer.get(&mark.hash);
        seen.or_else(|| self.older.get(&mark.hash)).copied()
    }

    /// `mark` is of the record at `position`. Positions ascend.
    pub fn insert(&mut self, mark: &Mark, position: Position) {
        if position.get() - self.newer_after > self.window {
            self.older = std::mem::take(&mut self.newer);
            self.newer_after = position.get() - 1;
        }
        self.newer.insert(mark.hash, position);
    }

    /// Forgets what was seen above `last`: those records came to nothing.
    pub fn forget_after(&mut self, last: Position) {
        self.newer.retain(|_, position| *position <= last);
        self.older.retain(|_, position| *position <= last);
    }
}

#[cfg(test)]
mod tests {
    use feedwire_event::{Attribute, Event, EventId, Extensions, IdempotencyKey, Source, TypeName};

    use super::*;

    fn event(source: Option<&str>, id: &str, key: Option<&str>) -> Vec<u8> {
        let event = Event {
            id: Some(EventId::new(id).expect("an id")),
            source: source.map(|source| Source::new(source).expect("a source")),
            ty: TypeName::new("t").expect("a name"),
            subject: None,
            time: None,
            extensions: Extensions::default(),
            data: None,
        };
        let key = key.map(|key| IdempotencyKey::new(key).expect("a key"));
        let marks = payload::Marks {
            id: true,
            key: key.as_ref(),
        };
        payload::encode(&event, marks, || unreachable!("it has an id")).to_vec()
    }

    fn mark(feed: &str, id: &str) -> Mark {
        let payload = event(None, id, None);
        Mark::of_record(0, feed, &payload)
            .next()
            .expect("it is marked")
    }

    fn at(position: u64) -> Position {
        Position::new(position).expect("a position")
    }

    #[test]
    fn feed_source_and_id_make_a_mark_and_a_key_makes_another() {
        let hashes = |feed: &str, payload: &[u8]| -> Vec<u64> {
            Mark::of_record(0, feed, payload)
                .map(|mark| mark.hash)
                .collect()
        };
        let one = hashes("f", &event(Some("/s"), "i", Some("k")));
        assert_eq!(one.len(), 2);
        assert_eq!(one, hashes("f", &event(Some("/s"), "i", Some("k"))));
        let others = [
            hashes("g", &event(Some("/s"), "i", Some("k"))),
            hashes("f", &event(Some("/"), "si", Some("ki"))),
            hashes("f", &event(None, "i", Some("i"))),
        ];
        for hash in others.concat() {
            assert!(!one.contains(&hash));
        }
        assert!(hashes("f", b"no payload").is_empty());
    }

    #[test]
    fn marks_of_the_window_are_kept_and_what_is_far_behind_it_goes() {
        let mut marked = Marked::new(3);
        let marks: Vec<Mark> = (0..10).map(|n| mark("f", &format!("id-{n}"))).collect();
        for (mark, position) in marks.iter().zip(1..) {
            marked.insert(mark, at(position));
            for (earlier, seen_at) in marks.iter().zip(1..=position) {
                let seen = marked.look_up(earlier);
                if position - seen_at < 3 {
                    assert_eq!(seen, Some(at(seen_at)));
                }
                assert!(seen.is_none() || position - seen_at < 6);
            }
        }
        marked.forget_after(at(9));
        assert_eq!(marked.look_up(&marks[9]), None);
        assert_eq!(marked.look_up(&marks[8]), Some(at(9)));
    }
}
