//! The index of the active segment, in memory; also what an index on disk is made from.

use hashbrown::{HashMap, HashTable};

use super::{ANCHOR_BYTES, Anchor, Index, Kind, List, hash};
use crate::fault::Fault;
use crate::format::commit::Commit;
use crate::format::record::{FIRST_OF_FEED, FIRST_OF_SUBJECT, GAP, HEAD, Head};
use crate::format::trims::{Counts, Feeds};

#[derive(Debug, Default)]
pub(crate) struct LiveIndex {
    pub(super) anchors: Vec<Anchor>,
    pub(super) keys: Keys,
    feeds: Vec<(Box<[u8]>, Counts)>,
    feed_numbers: HashMap<Box<[u8]>, usize>,
    last_feed: usize,
    pub(crate) records: u64,
    /// The position of the last record; 0 if there is none.
    pub(crate) last_position: u64,
    pub(crate) first_recorded_at: i64,
    pub(crate) last_recorded_at: i64,
    /// Behind the last commit that was indexed.
    pub(crate) end: u64,
}

#[derive(Debug, Default)]
pub(super) struct Keys {
    table: HashTable<u32>,
    pub(super) all: Vec<Key>,
    /// The keys' bytes, one behind the other.
    arena: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) hash: u64,
    pub(super) kind: Kind,
    pub(super) len: u16,
    start: u32,
    pub(super) postings: Postings,
}

/// Most subjects have one record in a segment.
#[derive(Debug)]
pub(super) enum Postings {
    None,
    One(u32),
    Many(Vec<u32>),
}

impl Postings {
    fn push(&mut self, at: u32) {
        match self {
            Self::None => *self = Self::One(at),
            Self::One(first) => *self = Self::Many(vec![*first, at]),
            Self::Many(postings) => postings.push(at),
        }
    }

    pub(super) fn as_slice(&self) -> &[u32] {
        match self {
            Self::None => &[],
            Self::One(first) => std::slice::from_ref(first),
            Self::Many(postings) => postings,
        }
    }
}

impl Keys {
    pub(super) fn bytes(&self, key: &Key) -> &[u8] {
        let start = key.start as usize;
        &self.arena[start..start + usize::from(key.len)]
    }

    fn find(&self, hash: u64, kind: Kind, bytes: &[u8]) -> Option<u32> {
        let is_it = |&number: &u32| {
            let key = &self.all[number as usize];
            key.hash == hash && key.kind == kind && self.bytes(key) == bytes
        };
        self.table.find(hash, is_it).copied()
    }

    /// The number of a key, which is taken in if it is new.
    fn key(&mut self, kind: Kind, bytes: &[u8]) -> u32 {
        let hash = hash(kind, bytes);
        if let Some(number) = self.find(hash, kind, bytes) {
            return number;
        }
        let number = offset(self.all.len() as u64);
        self.all.push(Key {
            hash,
            kind,
            len: u16::try_from(bytes.len()).expect("a tag has at most 65,535 bytes"),
            start: offset(self.arena.len() as u64),
            postings: Postings::None,
        });
        self.arena.extend_from_slice(bytes);
        let keys = &self.all;
        self.table
            .insert_unique(hash, number, |&other| keys[other as usize].hash);
        number
    }
}

impl Index for LiveIndex {
    fn find(&self, kind: Kind, key: &[u8]) -> Result<Option<List>, Fault> {
        let number = self.keys.find(hash(kind, key), kind, key);
        Ok(number.map(|start| List {
            start,
            len: offset(self.keys.all[start as usize].postings.as_slice().len() as u64),
        }))
    }

    fn postings(&self, list: List, from: u32, len: u32, into: &mut Vec<u32>) -> Result<(), Fault> {
        let postings = self.keys.all[list.start as usize].postings.as_slice();
        into.extend_from_slice(&postings[from as usize..(from + len) as usize]);
        Ok(())
    }

    fn anchors_before(&self, behind: &dyn Fn(&Anchor) -> bool) -> usize {
        self.anchors.partition_point(|anchor| !behind(anchor))
    }

    fn anchor(&self, number: usize) -> Option<Anchor> {
        self.anchors.get(number).copied()
    }
}

/// Where the tags of the record before are indexed: neighbours mostly share feed and type, and looking those up is most of
/// what indexing costs.
struct Recent<'a> {
    feed: &'a [u8],
    ty: &'a [u8],
    feed_key: u32,
    type_key: u32,
}

impl LiveIndex {
    /// Takes in a commit of which everything is known to be right.
    pub(crate) fn absorb(&mut self, commit: &Commit, body: &[u8]) {
        let commit_end = offset(commit.body_end());
        let mut at = offset(commit.body());
        let mut rest = body;
        let mut recent = None;
        while let Some(head) = Head::decode(rest) {
            let (record, behind) = rest.split_at(head.len());
            self.anchor_at(at, commit_end, &head);
            self.count(&record[HEAD..HEAD + head.feed_end()], &head);
            if !head.has(GAP) {
                self.post(&head, &record[HEAD..], at, &mut recent);
            }
            at += offset(record.len() as u64);
            rest = behind;
        }
        self.end = commit.end();
    }

    /// Counts of its feeds, sorted by name.
    pub(crate) fn feeds(&self) -> Feeds {
        let rows = self
            .feeds
            .iter()
            .map(|(feed, counts)| (feed.clone(), *counts));
        rows.collect()
    }

    fn count(&mut self, feed: &[u8], head: &Head) {
        if self.records == 0 {
            self.first_recorded_at = head.recorded_at;
        }
        self.records += 1;
        self.last_position = head.position;
        self.last_recorded_at = head.recorded_at;
        let is_same = self
            .feeds
            .get(self.last_feed)
            .is_some_and(|(name, _)| **name == *feed);
        if !is_same {
            self.last_feed = self.feed_number(feed);
        }
        let is_new = head.has(FIRST_OF_SUBJECT) && head.version == 1;
        self.feeds[self.last_feed].1.add(&Counts {
            through: head.position,
            events: 1,
            batches: u64::from(head.has(FIRST_OF_FEED)),
            subjects: u64::from(is_new),
        });
    }

    fn feed_number(&mut self, feed: &[u8]) -> usize {
        if let Some(number) = self.feed_numbers.get(feed) {
            return *number;
        }
        self.feeds.push((feed.into(), Counts::default()));
        let number = self.feeds.len() - 1;
        self.feed_numbers.insert(feed.into(), number);
        number
    }

    fn post<'a>(&mut self, head: &Head, body: &'a [u8], at: u32, recent: &mut Option<Recent<'a>>) {
        let (feed, ty) = (
            &body[..head.feed_end()],
            &body[head.feed_end()..head.type_end()],
        );
        let keys = &mut self.keys;
        let is_same = recent
            .as_ref()
            .is_some_and(|r| r.feed == feed && r.ty == ty);
        if !is_same {
            let (feed_key, type_key) = (keys.key(Kind::Feed, feed), keys.key(Kind::Type, ty));
            *recent = Some(Recent {
                feed,
                ty,
                feed_key,
                type_key,
            });
        }
        if let Some(recent) = recent {
            keys.all[recent.feed_key as usize].postings.push(at);
            keys.all[recent.type_key as usize].postings.push(at);
        }
        if head.subject_len > 0 {
            let key = keys.key(Kind::Subject, &body[head.type_end()..head.subject_end()]);
            keys.all[key as usize].postings.push(at);
        }
    }

    fn anchor_at(&mut self, at: u32, commit_end: u32, head: &Head) {
        let is_far = self
            .anchors
            .last()
            .is_none_or(|last| at - last.offset >= ANCHOR_BYTES);
        if is_far {
            self.anchors.push(Anchor {
                offset: at,
                commit_end,
                position: head.position,
                recorded_at: head.recorded_at,
            });
        }
    }
}

/// An offset in a segment, which is smaller than 4 GiB.
fn offset(value: u64) -> u32 {
    u32::try_from(value).expect("a segment is smaller than 4 GiB")
}
