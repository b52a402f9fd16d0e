//! A view as an ordered map.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use feedwire_event::Position;
use parking_lot::Mutex;

use super::primary::range;
use super::records::Records;
use crate::{Left, Limit, Misapplied, Unavailable, View, Write};

#[derive(Debug, Default)]
pub(super) struct State {
    applied: Position,
    entries: BTreeMap<Bytes, Bytes>,
}

#[derive(Debug)]
pub(super) struct MemoryView {
    state: Arc<Mutex<State>>,
    log: Arc<Mutex<Records>>,
}

impl MemoryView {
    pub(super) fn new(state: Arc<Mutex<State>>, log: Arc<Mutex<Records>>) -> Self {
        Self { state, log }
    }
}

#[async_trait]
impl View for MemoryView {
    fn applied(&self) -> Position {
        self.state.lock().applied
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Unavailable> {
        Ok(self.state.lock().entries.get(key).cloned())
    }

    async fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Unavailable> {
        let state = self.state.lock();
        let entries = range(&state.entries, prefix, after).take(limit);
        Ok(entries.map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    async fn get_all(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, Unavailable> {
        let state = self.state.lock();
        Ok(keys
            .iter()
            .map(|key| state.entries.get(key).cloned())
            .collect())
    }

    async fn page(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: Limit,
    ) -> Result<Vec<(Bytes, Bytes)>, Unavailable> {
        let state = self.state.lock();
        let mut left = Left::of(limit);
        let entries = range(&state.entries, prefix, after)
            .take_while(|(key, value)| left.take(key.len() + value.len()));
        Ok(entries.map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    async fn apply(&self, through: Position, writes: Vec<Write>) -> Result<(), Unavailable> {
        let head = self.log.lock().last();
        let mut state = self.state.lock();
        Misapplied::check(state.applied, through, head).map_err(Unavailable::new)?;
        for Write { key, value } in writes {
            match value {
                Some(value) => state.entries.insert(key, value),
                None => state.entries.remove(&key),
            };
        }
        state.applied = through;
        Ok(())
    }

    async fn sync(&self) -> Result<Position, Unavailable> {
        Ok(self.applied())
    }

    async fn reset(&self) -> Result<(), Unavailable> {
        *self.state.lock() = State::default();
        Ok(())
    }
}
