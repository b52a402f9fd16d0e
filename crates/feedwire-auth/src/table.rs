//! All credentials, in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use feedwire_event::{ProjectName, Timestamp};

use crate::KeyId;
use crate::entry::Entry;

/// The credentials by their key ids and by their homes, and when the next of them ends.
#[derive(Debug, Default)]
pub(crate) struct Table {
    by_key: HashMap<KeyId, Arc<Entry>>,
    by_home: BTreeMap<ProjectName, BTreeSet<KeyId>>,
    ends: BTreeSet<(Timestamp, KeyId)>,
}

impl Table {
    pub(crate) fn get(&self, key_id: KeyId) -> Option<&Arc<Entry>> {
        self.by_key.get(&key_id)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// How many have their home there.
    pub(crate) fn len_at(&self, home: &ProjectName) -> usize {
        self.by_home.get(home).map_or(0, BTreeSet::len)
    }

    /// Those of `home` in order of their key ids, from the first above `after`.
    pub(crate) fn at(
        &self,
        home: &ProjectName,
        after: Option<KeyId>,
    ) -> impl Iterator<Item = &Arc<Entry>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let keys = self.by_home.get(home);
        let keys = keys
            .into_iter()
            .flat_map(move |keys| keys.range((from, Bound::Unbounded)));
        keys.filter_map(|key_id| self.get(*key_id))
    }

    /// All of them, in order of their homes.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Entry>> {
        let keys = self.by_home.values().flatten();
        keys.filter_map(|key_id| self.get(*key_id))
    }

    /// Puts `entry` in the place of the one before.
    pub(crate) fn put(&mut self, entry: Arc<Entry>) {
        let key_id = entry.credential.key_id;
        self.remove(key_id);
        let home = entry.credential.home.clone();
        self.by_home.entry(home).or_default().insert(key_id);
        self.ends.extend(entry.ends().map(|end| (end, key_id)));
        self.by_key.insert(key_id, entry);
    }

    pub(crate) fn remove(&mut self, key_id: KeyId) {
        let Some(entry) = self.by_key.remove(&key_id) else {
            return;
        };
        for end in entry.ends() {
            self.ends.remove(&(end, key_id));
        }
        let home = &entry.credential.home;
        if let Some(keys) = self.by_home.get_mut(home) {
            keys.remove(&key_id);
            if keys.is_empty() {
                self.by_home.remove(home);
            }
        }
    }

    /// Whether something ends at `now` or before.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.ends.first().is_some_and(|(end, _)| *end <= now)
    }

    /// Takes those of which something ends at `now` or before. What ended is not told again.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Arc<Entry>> {
        let mut due = Vec::new();
        while let Some((end, key_id)) = self.ends.pop_first() {
            if end > now {
                self.ends.insert((end, key_id));
                break;
            }
            due.extend(self.by_key.get(&key_id).cloned());
        }
        due
    }
}
