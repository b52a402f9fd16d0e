//! Heads on their way into the store, merged so that each is written once.

use std::collections::HashMap;
use std::sync::Arc;

use feedwire_engine::Head;
use feedwire_event::Position;

use super::batch_keys::BatchKeys;
use super::cache::{HashBuilder, KeyHash};
use super::table::FoundHeads;

/// A batch that was submitted.
#[derive(Debug)]
pub(super) struct Submitted {
    pub(super) keys: Arc<BatchKeys>,
    /// The heads of its subjects, in the order of the keys; `None` where the batch only expected something.
    pub(super) heads: FoundHeads,
    pub(super) last: Position,
}

/// Heads of batches that are on disk in the log, and not yet in the store.
#[derive(Debug)]
pub(super) struct Pending {
    heads: HashMap<KeyHash, (Box<[u8]>, Head), HashBuilder>,
    /// The last position that is in here or in the store.
    pub(super) through: Position,
    /// Whether the log is closed: what is in the store may be another's.
    pub(super) is_retired: bool,
}

impl Pending {
    /// Nothing, where everything up to `applied` is in the store.
    pub(super) fn after(applied: Position) -> Self {
        Self {
            heads: HashMap::default(),
            through: applied,
            is_retired: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    pub(super) fn merge(&mut self, batch: &Submitted) {
        for (index, (subject, head)) in batch.keys.subjects().iter().zip(&batch.heads).enumerate() {
            if let Some(head) = head {
                self.put(subject.hash, batch.keys.key(index), *head);
            }
        }
        self.through = batch.last;
    }

    /// Has `head`, later than what was put before, written at `key`.
    pub(super) fn put(&mut self, hash: KeyHash, key: &[u8], head: Head) {
        let entry = self.heads.entry(hash);
        entry.or_insert_with(|| (key.into(), head)).1 = head;
    }

    /// The heads with their keys.
    pub(super) fn heads(&self) -> impl Iterator<Item = (&[u8], Head)> {
        self.heads.values().map(|(key, head)| (&key[..], *head))
    }

    /// The heads with the hashes of their keys.
    pub(super) fn hashes(&self) -> impl Iterator<Item = (KeyHash, Head)> {
        self.heads.iter().map(|(hash, (_, head))| (*hash, *head))
    }

    pub(super) fn clear(&mut self) {
        // What a burst took is given back.
        self.heads = HashMap::default();
    }
}
