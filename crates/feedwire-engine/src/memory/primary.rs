//! The primary store as an ordered map for each space.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use feedwire_event::ProjectName;
use parking_lot::Mutex;

use crate::watchers::Watchers;
use crate::{
    Change, Changes, Entry, Precondition, Primary, PutError, Revision, Space, Unavailable,
};

#[derive(Debug, Default)]
pub(super) struct State {
    spaces: BTreeMap<Space, BTreeMap<Bytes, Entry>>,
    revision: u64,
}

#[derive(Debug)]
pub(super) struct MemoryPrimary {
    state: Arc<Mutex<State>>,
    watchers: Watchers,
}

/// The entries whose keys start with `prefix` and are above `after`, in order.
pub(super) fn range<'a, V>(
    entries: &'a BTreeMap<Bytes, V>,
    prefix: &'a [u8],
    after: Option<&'a [u8]>,
) -> impl Iterator<Item = (&'a Bytes, &'a V)> {
    let from = match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    };
    let entries = entries.range::<[u8], _>((from, Bound::Unbounded));
    entries.take_while(move |(key, _)| key.starts_with(prefix))
}

impl MemoryPrimary {
    pub(super) fn new(state: Arc<Mutex<State>>) -> Self {
        Self {
            state,
            watchers: Watchers::default(),
        }
    }

    /// Removes every space of `project`.
    pub(super) fn forget(&self, project: &ProjectName) {
        let mut state = self.state.lock();
        state.spaces.retain(|space, _| space.project != *project);
    }

    pub(super) fn close(&self) {
        self.watchers.close();
    }
}

#[async_trait]
impl Primary for MemoryPrimary {
    async fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Entry>, Unavailable> {
        let state = self.state.lock();
        Ok(state.spaces.get(space).and_then(|s| s.get(key)).cloned())
    }

    async fn put(
        &self,
        space: &Space,
        key: &[u8],
        value: Bytes,
        precondition: Precondition,
    ) -> Result<Revision, PutError> {
        let mut state = self.state.lock();
        let current = state.spaces.get(space).and_then(|s| s.get(key));
        precondition.check(current.map(|entry| entry.revision))?;
        state.revision += 1;
        let revision = Revision(state.revision);
        let key = Bytes::copy_from_slice(key);
        let entry = Entry { value, revision };
        let entries = state.spaces.entry(space.clone()).or_default();
        entries.insert(key.clone(), entry.clone());
        let entry = Some(entry);
        // Under the lock, so that watchers see changes in the order in which they were made.
        self.watchers.tell(space, Change { key, entry });
        Ok(revision)
    }

    async fn delete(
        &self,
        space: &Space,
        key: &[u8],
        precondition: Precondition,
    ) -> Result<(), PutError> {
        let mut state = self.state.lock();
        let current = state.spaces.get(space).and_then(|s| s.get(key));
        precondition.check(current.map(|entry| entry.revision))?;
        let entries = state.spaces.get_mut(space);
        if entries.and_then(|entries| entries.remove(key)).is_some() {
            state.revision += 1;
            let key = Bytes::copy_from_slice(key);
            self.watchers.tell(space, Change { key, entry: None });
        }
        Ok(())
    }

    async fn scan(
        &self,
        space: &Space,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Entry)>, Unavailable> {
        let state = self.state.lock();
        let Some(entries) = state.spaces.get(space) else {
            return Ok(Vec::new());
        };
        let entries = range(entries, prefix, after).take(limit);
        Ok(entries.map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    async fn watch(&self, space: &Space) -> Result<Changes, Unavailable> {
        Ok(self.watchers.watch(space))
    }
}
