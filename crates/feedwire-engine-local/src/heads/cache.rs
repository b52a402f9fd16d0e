//! Heads in memory, by a hash of their keys.
//!
//! The hash has 128 bits and a seed of this process's own: nobody can look for two keys that fall together, and by
//! chance they do not. Entries live in two generations in each of a few shards: when the young one is full, the old one
//! is dropped, except for what the store does not have.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use feedwire_engine::Head;
use feedwire_event::Position;

/// Few enough to be cheap while empty, many enough that dropping a generation of one is a short pause.
const SHARDS: usize = 16;

/// The hash of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyHash(pub(super) u128);

impl std::hash::Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.low());
    }
}

impl KeyHash {
    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
    fn low(self) -> u64 {
        self.0 as u64
    }

    fn shard(self) -> usize {
        usize::try_from(self.0 >> 124).expect("four bits are left")
    }
}

/// Keys that are hashes are not hashed again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only hashes of keys are hashed");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub(super) type HashBuilder = BuildHasherDefault<Same>;
type Generation = HashMap<KeyHash, Head, HashBuilder>;

#[derive(Debug)]
pub(super) struct Cache {
    shards: [Shard; SHARDS],
    young_max: usize,
    /// Whether a subject that is not here has had nothing.
    complete: bool,
}

#[derive(Debug, Default)]
struct Shard {
    young: Generation,
    old: Generation,
    /// How often a generation was dropped.
    turns: u64,
    /// How many were kept of the last one, for they were above `applied`.
    kept: usize,
    applied: Position,
}

/// A moment in the life of a shard. What the store said of a key then is still true while the shard has not turned and
/// does not have the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(u64);

impl Cache {
    /// At most `entries_max` heads, and those that the store does not have.
    pub(super) fn new(entries_max: usize, complete: bool) -> Self {
        Self {
            shards: Default::default(),
            young_max: (entries_max / SHARDS / 2).max(1),
            complete,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn moment(&self, hash: KeyHash) -> Moment {
        Moment(self.shards[hash.shard()].turns)
    }

    pub(super) fn get(&self, hash: KeyHash) -> Option<Head> {
        let shard = &self.shards[hash.shard()];
        shard
            .young
            .get(&hash)
            .or_else(|| shard.old.get(&hash))
            .copied()
    }

    /// Keeps `head`. What is above `applied` is not in the store.
    pub(super) fn insert(&mut self, hash: KeyHash, head: Head, applied: Position) {
        let shard = &mut self.shards[hash.shard()];
        shard.young.insert(hash, head);
        // Those that were kept would be gone over with every head that comes, only to be kept again.
        let is_in_vain = applied == shard.applied && shard.young.len() < 2 * shard.kept;
        if shard.young.len() < self.young_max || is_in_vain {
            return;
        }
        let young = std::mem::take(&mut shard.young);
        let mut old = std::mem::replace(&mut shard.old, young);
        let before = old.len();
        old.retain(|hash, head| head.position > applied && !shard.old.contains_key(hash));
        self.complete &= before == old.len();
        (shard.kept, shard.applied) = (old.len(), applied);
        shard.young = old;
        shard.turns += 1;
    }

    /// Drops everything. What the store does not have is to be inserted again.
    pub(super) fn forget(&mut self) {
        for shard in &mut self.shards {
            shard.young.clear();
            shard.old.clear();
            shard.kept = 0;
            shard.turns += 1;
        }
        self.complete = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use feedwire_event::Version;

    fn hash(number: u64) -> KeyHash {
        KeyHash(u128::from(number))
    }

    fn head(position: u64) -> Head {
        Head {
            version: Version(1),
            position: Position::new(position).expect("a position"),
        }
    }

    #[test]
    fn what_the_store_does_not_have_is_never_dropped() {
        let mut cache = Cache::new(SHARDS * 2 * 10, true);
        for number in 1..=1_000 {
            cache.insert(hash(number), head(number), Position::ZERO);
        }
        assert!((1..=1_000).all(|n| cache.get(hash(n)) == Some(head(n))));
        assert!(cache.is_complete());
        let applied = Position::new(900).expect("a position");
        for number in 1_001..=1_100 {
            cache.insert(hash(number), head(number), applied);
        }
        assert!((901..=1_100).all(|n| cache.get(hash(n)) == Some(head(n))));
        assert!((1..=900).all(|n| cache.get(hash(n)).is_none()));
        assert!(!cache.is_complete());
    }

    #[test]
    fn what_is_never_dropped_is_gone_over_a_few_times_only() {
        let mut cache = Cache::new(0, true);
        for number in 1..=10_000 {
            cache.insert(hash(number), head(number), Position::ZERO);
        }
        let turns = cache.shards[0].turns;
        assert!(turns < 40, "{turns} turns");
        let applied = Position::new(50_000).expect("a position");
        for number in 10_001..=50_000 {
            cache.insert(hash(number), head(number), applied);
        }
        let shard = &cache.shards[0];
        let kept = shard.young.len() + shard.old.len();
        assert!(kept <= 2, "{kept} are kept of what the store has");
    }

    #[test]
    fn a_newer_head_is_not_hidden_by_an_older_one_that_was_kept() {
        let mut cache = Cache::new(SHARDS * 2 * 3, true);
        for position in 1..=100 {
            cache.insert(hash(1), head(position), Position::ZERO);
            cache.insert(hash(position + 1), head(1), Position::ZERO);
            assert_eq!(cache.get(hash(1)), Some(head(position)));
        }
    }

    #[test]
    fn a_shard_that_dropped_something_is_at_another_moment() {
        let mut cache = Cache::new(0, true);
        let before = cache.moment(hash(1));
        cache.insert(hash(2), head(1), head(1).position);
        cache.insert(hash(3), head(1), head(1).position);
        assert_ne!(cache.moment(hash(1)), before);
    }
}
