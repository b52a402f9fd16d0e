//! Removing from the store, for good, the heads of subjects that are erased.
//!
//! A head of later is never lost to it: what is removed is looked at and removed while nothing else writes heads. Nor does a
//! removed head come back: everything up to the erasure's position is in the store before that, and is not written again; and of
//! the erased records the log has nothing left that an opening could make a head of.

use feedwire_engine::{Erasure, Head};
use feedwire_event::Position;
use fjall::UserKey;
use parking_lot::MutexGuard;

use super::pending::Pending;
use super::table::Heads;
use crate::store::{Error, head_key, heads_of_feed, heads_of_project};

/// Heads that are looked at and removed in one go: who writes heads waits for it.
const REMOVED_AT_ONCE: usize = 4_096;

impl Heads {
    /// Removes the heads of what `erasure` names that are not behind its `through`, which is applied.
    pub(crate) fn remove(&self, erasure: &Erasure) -> Result<(), Error> {
        let project = self.project.as_str();
        let through = erasure.through;
        match (&erasure.feed, &erasure.subject) {
            (Some(feed), Some(subject)) => {
                self.remove_each(&[feed.as_str().to_owned()], subject.as_str(), through)
            }
            // A feed that comes after this is looked for has later heads only.
            (None, Some(subject)) => {
                let feeds = self.store.feeds_with_heads(project)?;
                self.remove_each(&feeds, subject.as_str(), through)
            }
            (Some(feed), None) => self.remove_all(&heads_of_feed(project, feed.as_str()), through),
            (None, None) => self.remove_all(&heads_of_project(project), through),
        }
    }

    /// Removes the heads of `subject` in `feeds`.
    fn remove_each(&self, feeds: &[String], subject: &str, through: Position) -> Result<(), Error> {
        for some in feeds.chunks(REMOVED_AT_ONCE) {
            let _unwritten = self.to_remove()?;
            let mut old = Vec::new();
            for feed in some {
                let mut key = Vec::new();
                head_key(&mut key, self.project.as_str(), feed, subject);
                let head = self.store.head(&key)?;
                old.extend(head.map(|head| (UserKey::from(key), head)));
            }
            self.remove_old(old, through)?;
        }
        Ok(())
    }

    /// Removes the heads whose keys start with `prefix`.
    fn remove_all(&self, prefix: &[u8], through: Position) -> Result<(), Error> {
        let mut after: Option<UserKey> = None;
        loop {
            let _unwritten = self.to_remove()?;
            let behind = after.as_ref().map(|key| &key[prefix.len()..]);
            let some = self.store.heads(prefix, behind, REMOVED_AT_ONCE)?;
            let is_end = some.len() < REMOVED_AT_ONCE;
            after = some.last().map(|(key, _)| key.clone());
            self.remove_old(some, through)?;
            if is_end {
                return Ok(());
            }
        }
    }

    /// Keeps everyone from writing heads.
    fn to_remove(&self) -> Result<MutexGuard<'_, Pending>, Error> {
        let pending = self.pending.lock();
        if pending.is_retired {
            // There may be another project of this name in the store.
            return Err(Error::Closed);
        }
        Ok(pending)
    }

    fn remove_old(&self, heads: Vec<(UserKey, Head)>, through: Position) -> Result<(), Error> {
        let old = heads
            .into_iter()
            .filter(|(_, head)| head.position <= through);
        let keys: Vec<UserKey> = old.map(|(key, _)| key).collect();
        if keys.is_empty() {
            return Ok(());
        }
        self.store.remove_heads(keys)
    }
}
