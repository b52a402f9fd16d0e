//! What a repetition is known by: the marks of records, and where in a log they were seen lately.
//!
//! A mark is a hash: of feed, source, id and subject of an event, or of feed and key of a request. It only says where to look. What
//! stands there is compared ([`crate::Verdict`]), so that two marks that happen to be alike lose nothing.

use std::collections::{HashMap, HashSet};
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
    /// Of the source, the id and the subject of an event. The subject, so that whoever may publish about one alone cannot have another's
    /// event taken for a repetition.
    Id,
}

impl Mark {
    /// The marks of the record `index` of a batch, in `feed`, about `subject` and with `payload`.
    pub fn of_record(
        index: u16,
        feed: &str,
        subject: Option<&str>,
        payload: &[u8],
    ) -> impl Iterator<Item = Self> {
        let payload = payload::is_marked(payload).then(|| Payload::decode(payload));
        // What cannot be decoded has no marks: readers are told of it where they meet it.
        let payload = payload.and_then(Result::ok);
        let key = payload.and_then(|payload| payload.key);
        let by_id = payload.filter(|payload| payload.by_id);
        let mark = move |of, hash| Self { of, index, hash };
        let key = key.map(|key| mark(MarkOf::Key, hash((MarkOf::Key, feed, "", key, None))));
        let of_id = |p: Payload<'_>| {
            let source = p.source.unwrap_or_default();
            hash((MarkOf::Id, feed, source, p.id, subject))
        };
        let id = by_id.map(|payload| mark(MarkOf::Id, of_id(payload)));
        key.into_iter().chain(id)
    }

    /// Alike for marks that are alike, and hardly ever for others.
    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }
}

/// Seeded by chance for the life of the process, so that nobody can make marks that are alike.
fn hash(of: (MarkOf, &str, &str, &str, Option<&str>)) -> u64 {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    SEED.get_or_init(RandomState::new).hash_one(of)
}

/// Where marks were seen: those of the last records that bear some, so many at least and hardly more than twice as many.
///
/// It is records that are counted. Positions are skipped where appending fails, any number of them.
#[derive(Debug)]
pub struct Marked {
    kept: u64,
    newer: HashMap<u64, Position>,
    /// How many records `newer` is of.
    records: u64,
    /// The one with which they were as many as are kept.
    full_at: Option<Position>,
    /// The last record that was entered.
    last: Position,
    /// Those of the records before them, again so many at least once they were that many.
    older: HashMap<u64, Position>,
}

impl Marked {
    /// No marks as yet; those of the last `kept` records that bear some will be kept.
    pub fn new(kept: u64) -> Self {
        Self {
            kept,
            newer: HashMap::new(),
            records: 0,
            full_at: None,
            last: Position::ZERO,
            older: HashMap::new(),
        }
    }

    /// Where `mark` was seen last.
    pub fn look_up(&self, mark: &Mark) -> Option<Position> {
        let seen = self.newer.get(&mark.hash);
        seen.or_else(|| self.older.get(&mark.hash)).copied()
    }

    /// `mark` is of the record at `position`; the log is on disk up to `synced`. Positions ascend.
    pub fn insert(&mut self, mark: &Mark, position: Position, synced: Position) {
        if position != self.last {
            self.last = position;
            // Records that may come to nothing drive out none that are there.
            if self.full_at.is_some_and(|full_at| full_at <= synced) {
                self.older = std::mem::take(&mut self.newer);
                self.records = 0;
                self.full_at = None;
            }
            self.records += 1;
            if self.records == self.kept.max(1) {
                self.full_at = Some(position);
            }
        }
        self.newer.insert(mark.hash, position);
    }

    /// Forgets what was seen above `last`: those records came to nothing.
    pub fn forget_after(&mut self, last: Position) {
        self.newer.retain(|_, position| *position <= last);
        self.older.retain(|_, position| *position <= last);
        if self.last > last {
            self.last = last;
            self.full_at = self.full_at.filter(|full_at| *full_at <= last);
            let records: HashSet<&Position> = self.newer.values().collect();
            self.records = records.len() as u64;
        }
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
            live_only: false,
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
        Mark::of_record(0, feed, None, &payload)
            .next()
            .expect("it is marked")
    }

    fn at(position: u64) -> Position {
        Position::new(position).expect("a position")
    }

    #[test]
    fn feed_source_and_id_make_a_mark_and_a_key_makes_another() {
        let hashes = |feed: &str, payload: &[u8]| -> Vec<u64> {
            Mark::of_record(0, feed, None, payload)
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

    fn marks(count: u64) -> Vec<Mark> {
        (0..count).map(|n| mark("f", &format!("id-{n}"))).collect()
    }

    #[test]
    fn marks_of_the_last_records_are_kept_and_those_far_behind_them_go() {
        for kept in 0..4 {
            let mut marked = Marked::new(kept);
            let marks = marks(20);
            // Most positions are skipped.
            let positions: Vec<Position> = (1..=20).map(|n| at(n * 1_000)).collect();
            for (index, mark) in marks.iter().enumerate() {
                marked.insert(mark, positions[index], positions[index].previous());
                for (earlier, seen_at) in marks[..=index].iter().zip(&positions) {
                    let seen = marked.look_up(earlier);
                    let behind = (positions[index].get() - seen_at.get()) / 1_000;
                    assert!(seen == Some(*seen_at) || behind >= kept.max(1));
                    assert!(seen.is_none() || behind < 2 * kept.max(1));
                }
            }
        }
    }

    #[test]
    fn a_record_counts_once_whatever_marks_it_bears() {
        let mut marked = Marked::new(2);
        let of = |id: &str| {
            let payload = event(None, id, Some(id));
            let marks: Vec<Mark> = Mark::of_record(0, "f", None, &payload).collect();
            marks
        };
        for (id, position) in [("a", 1), ("b", 2)] {
            for mark in of(id) {
                marked.insert(&mark, at(position), at(position));
            }
        }
        for mark in of("a").iter().chain(&of("b")) {
            assert!(marked.look_up(mark).is_some());
        }
    }

    #[test]
    fn what_comes_to_nothing_drives_out_nothing() {
        let mut marked = Marked::new(3);
        let marks = marks(40);
        let (there, failed) = marks.split_at(6);
        for (mark, position) in there.iter().zip(1..) {
            marked.insert(mark, at(position), at(position - 1));
        }
        for round in 0..3 {
            for (mark, position) in failed.iter().zip(10 + round * 100..) {
                marked.insert(mark, at(position), at(6));
            }
            marked.forget_after(at(6));
            assert!(failed.iter().all(|mark| marked.look_up(mark).is_none()));
            for (mark, position) in there.iter().zip(1..).skip(3) {
                assert_eq!(marked.look_up(mark), Some(at(position)));
            }
        }
        for (mark, position) in failed.iter().zip(1_000..) {
            marked.insert(mark, at(position), at(position));
        }
        assert!(there.iter().all(|mark| marked.look_up(mark).is_none()));
    }
}
