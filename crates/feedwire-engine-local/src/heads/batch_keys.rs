//! The subjects of a batch, each once, with their keys in one buffer.

use std::collections::HashMap;

use feedwire_engine::Batch;
use feedwire_event::{FeedName, Subject};
use smallvec::{SmallVec, smallvec};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::cache::{HashBuilder, KeyHash};
use crate::store::head_key;

/// Up to so many subjects are looked through one by one, which is cheaper than a map of them.
const FEW: usize = 8;

/// The subjects that a batch raises or expects something of.
#[derive(Debug)]
pub(crate) struct BatchKeys {
    /// The keys in the store, one behind the other.
    keys: Vec<u8>,
    subjects: SmallVec<[KeyOf; 1]>,
    /// For each record the index of its subject.
    of_records: SmallVec<[Option<u32>; 1]>,
    /// For each expectation the index of its subject.
    of_expectations: Vec<u32>,
}

/// A subject of the batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyOf {
    pub(super) hash: KeyHash,
    key_start: u32,
    key_end: u32,
    /// The index of its last record in the batch; `None` if the batch only expects something of it.
    pub(super) last: Option<u16>,
}

impl BatchKeys {
    pub(crate) fn new(project: &str, seed: u64, batch: &Batch) -> Self {
        let records = batch.records();
        let expectations = batch.expectations();
        let mut taken = Self {
            keys: Vec::with_capacity(records.len() * (project.len() + 32)),
            subjects: SmallVec::with_capacity(records.len()),
            of_records: SmallVec::with_capacity(records.len()),
            of_expectations: Vec::with_capacity(expectations.len()),
        };
        let many = records.len() + expectations.len() > FEW;
        let mut found = HashMap::<_, _, HashBuilder>::default();
        found.reserve(if many { records.len() } else { 0 });
        let mut take = |taken: &mut Self, feed: &str, subject: &str| {
            let start = taken.keys.len();
            head_key(&mut taken.keys, project, feed, subject);
            let hash = KeyHash(xxh3_128_with_seed(&taken.keys[start..], seed));
            let next = small(taken.subjects.len());
            let index = if many {
                *found.entry(hash).or_insert(next)
            } else {
                let same = |subject: &KeyOf| subject.hash == hash;
                taken.subjects.iter().position(same).map_or(next, small)
            };
            if index < next {
                taken.keys.truncate(start);
                return index;
            }
            taken.subjects.push(KeyOf {
                hash,
                key_start: small(start),
                key_end: small(taken.keys.len()),
                last: None,
            });
            index
        };
        for (place, record) in records.iter().enumerate() {
            let subject = record.subject.as_ref();
            let index = subject.map(|s| take(&mut taken, record.feed.as_str(), s.as_str()));
            if let Some(index) = index {
                let place = u16::try_from(place).expect("a batch has at most 1,000 records");
                taken.subjects[index as usize].last = Some(place);
            }
            taken.of_records.push(index);
        }
        for expectation in expectations {
            let (feed, subject) = (expectation.feed.as_str(), expectation.subject.as_str());
            let index = take(&mut taken, feed, subject);
            taken.of_expectations.push(index);
        }
        taken
    }

    /// One subject, raised by nothing.
    pub(crate) fn of_subject(project: &str, seed: u64, feed: &FeedName, subject: &Subject) -> Self {
        let mut keys = Vec::new();
        head_key(&mut keys, project, feed.as_str(), subject.as_str());
        let of = KeyOf {
            hash: KeyHash(xxh3_128_with_seed(&keys, seed)),
            key_start: 0,
            key_end: small(keys.len()),
            last: None,
        };
        Self {
            keys,
            subjects: smallvec![of],
            of_records: SmallVec::new(),
            of_expectations: Vec::new(),
        }
    }

    /// How many subjects there are.
    pub(super) fn len(&self) -> usize {
        self.subjects.len()
    }

    pub(super) fn subjects(&self) -> &[KeyOf] {
        &self.subjects
    }

    /// The key in the store of the subject at `index`.
    pub(super) fn key(&self, index: usize) -> &[u8] {
        let KeyOf {
            key_start, key_end, ..
        } = self.subjects[index];
        &self.keys[key_start as usize..key_end as usize]
    }

    /// For each record the index of its subject.
    pub(crate) fn of_records(&self) -> &[Option<u32>] {
        &self.of_records
    }

    /// For each expectation the index of its subject.
    pub(crate) fn of_expectations(&self) -> &[u32] {
        &self.of_expectations
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("the keys of a batch are smaller than the batch with its names")
}
