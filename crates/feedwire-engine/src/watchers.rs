//! Who watches which space of a primary store.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::{Change, Changes, Space};

/// Changes that a watcher may be behind before it is told to scan again.
const CHANGES_BEHIND_MAX: usize = 256;

/// The watchers of a primary store, for engines whose changes all go through one process.
#[derive(Debug, Default)]
pub struct Watchers(Mutex<BTreeMap<Space, broadcast::Sender<Change>>>);

impl Watchers {
    /// Every change of `space` that is told from now on.
    pub fn watch(&self, space: &Space) -> Changes {
        let mut senders = self.0.lock();
        senders.retain(|_, sender| sender.receiver_count() > 0);
        let sender = senders.entry(space.clone());
        let sender = sender.or_insert_with(|| broadcast::channel(CHANGES_BEHIND_MAX).0);
        Changes::new(sender.subscribe())
    }

    /// Ends every watch.
    pub fn close(&self) {
        self.0.lock().clear();
    }

    /// Tells whoever watches `space` of `change`. Called in the order of the changes.
    pub fn tell(&self, space: &Space, change: Change) {
        if let Some(sender) = self.0.lock().get(space) {
            // No receiver is no error: the last one has just gone.
            drop(sender.send(change));
        }
    }
}
