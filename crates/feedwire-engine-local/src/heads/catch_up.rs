//! Bringing the heads in the store to the end of the log when it is opened.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use feedwire_engine::{Head, Incarnation};
use feedwire_event::{Position, ProjectName, Version};
use feedwire_log::{Limit, Log, Scope, read};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::cache::{Cache, KeyHash};
use super::pending::Pending;
use super::table::Heads;
use crate::applier::{WAITING_FULL, WAITING_MAX};
use crate::store::{self, Applied, Standing, Store, head_key};
use crate::words;

/// Records that are read in one go.
const CHUNK: Limit = Limit {
    records: 16_384,
    bytes: 8 << 20,
};
/// Heads that are held before they are written.
const HEADS_HELD_MAX: usize = 256 * 1024;
/// Heads that are held where there is no room to write them: what appends can have left, and those that were under way with them.
const HEADS_IN_MEMORY_MAX: usize = WAITING_FULL + WAITING_MAX;

/// Why the heads are not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Read(#[from] read::Error),
}

impl Heads {
    /// The heads of `project`, at the end of its `log`.
    pub(crate) fn open(
        store: &Arc<Store>,
        project: &ProjectName,
        log: &Log,
        cached_max: usize,
        waiting: Arc<AtomicUsize>,
    ) -> Result<Self, Error> {
        let incarnation = Incarnation(log.incarnation());
        let last = words::position(log.bounds().last);
        let stood = stood(store, project, incarnation, last)?;
        // With nothing in the log there is nothing that the cache does not have.
        let cache = Cache::new(cached_max, last == Position::ZERO);
        let store = Arc::clone(store);
        let heads = Self::new(store, project.clone(), incarnation, cache, stood, waiting);
        let mut pending = heads.pending.lock();
        while pending.through < last {
            heads.take_chunk(log, &mut pending)?;
            if pending.len() < HEADS_HELD_MAX && pending.through < last {
                continue;
            }
            match heads.write(&mut pending) {
                // A full disk keeps nobody from reading.
                Err(store::Error::NoSpace(_)) if pending.len() < HEADS_IN_MEMORY_MAX => (),
                written => written?,
            }
        }
        heads.hold(&pending);
        drop(pending);
        heads.opened(last);
        Ok(heads)
    }

    fn take_chunk(&self, log: &Log, pending: &mut Pending) -> Result<(), Error> {
        // What was trimmed had its heads on disk in the store before that.
        let retained = log.bounds().first.saturating_sub(1);
        let after = pending.through.get().max(retained);
        let chunk = log.read(&Scope::all(), after, CHUNK)?;
        let mut key = Vec::new();
        for record in &chunk.records {
            let [feed, _, subject] = words::tags(record).unwrap_or_default();
            if subject.is_empty() {
                continue;
            }
            key.clear();
            head_key(&mut key, self.project.as_str(), feed, subject);
            let hash = KeyHash(xxh3_128_with_seed(&key, self.seed));
            let head = Head {
                version: Version(record.version),
                position: words::position(record.position),
            };
            pending.put(hash, &key, head);
        }
        pending.through = words::position(chunk.through);
        Ok(())
    }
}

/// Up to where the store stands; if that is astray it is emptied.
fn stood(
    store: &Store,
    project: &ProjectName,
    incarnation: Incarnation,
    last: Position,
) -> Result<Position, store::Error> {
    let Some(applied) = store.heads_applied(project.as_str())? else {
        return Ok(Position::ZERO);
    };
    match applied.standing(incarnation, last) {
        Standing::Behind => Ok(applied.position),
        Standing::Astray => {
            let none = Applied {
                life: 0,
                position: Position::ZERO,
                incarnation,
            };
            // Emptied first: what a crash leaves in between is still astray.
            store.empty_heads(project.as_str())?;
            store.write_heads_applied(project.as_str(), none)?;
            Ok(Position::ZERO)
        }
    }
}
