//! The fjall database under the store, and what must hold before anything is written to it.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use feedwire_engine::{Disk, Left, Limit, MinFree, Unavailable};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Readable};
use parking_lot::RwLock;

use super::keys;
use crate::Options;

/// Keys that are removed in one batch when a prefix is emptied: others write there too, and wait for it.
const REMOVED_AT_ONCE: usize = 4_096;
/// Journals beyond this are written out into tables, so that an opening has no more to replay; fjall takes no less.
const JOURNALS_BYTES_MAX: u64 = 64 << 20;
const MEMTABLE_BYTES_MAX: u64 = 16 << 20;

/// What is let go of, what it takes to let go of events, and what is the server's own, is written until only this part of the reserve
/// is left: with a full disk, a credential can still be revoked, a project deleted and a log trimmed.
const OWN_RESERVE_PART: u64 = 4;

/// Which room a change may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// What is free beyond the reserve.
    Free,
    /// Most of the reserve too.
    Own,
}

/// Why the store did not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    /// The disk has less room left than is held in reserve.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// The engine was closed.
    #[error("the store is closed")]
    Closed,
    /// The database failed. After a failed write it takes no more until it is opened again.
    #[error("the store failed")]
    Failed(#[source] Arc<fjall::Error>),
    /// What is stored is not what this version writes.
    #[error("the store holds a value of a wrong shape")]
    Malformed,
}

impl From<fjall::Error> for Error {
    fn from(error: fjall::Error) -> Self {
        Self::Failed(Arc::new(error))
    }
}

impl From<Error> for Unavailable {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

/// The database, until it is closed.
pub(crate) struct Store {
    open: RwLock<Option<Open>>,
    folder: PathBuf,
    reserve_bytes: u64,
}

/// The keyspaces of the open database.
pub(crate) struct Open {
    database: Database,
    pub(super) primary: Keyspace,
    pub(super) views: Keyspace,
    pub(crate) heads: Keyspace,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Store {
    pub(crate) fn open(folder: &Path, options: &Options) -> Result<Self, fjall::Error> {
        let database = Database::builder(folder)
            .cache_size(options.store_cache_bytes)
            .max_journaling_size(JOURNALS_BYTES_MAX)
            .open()?;
        let keyspace = |name| {
            database.keyspace(name, || {
                KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES_MAX)
            })
        };
        let open = Open {
            primary: keyspace("primary")?,
            views: keyspace("views")?,
            heads: keyspace("heads")?,
            database,
        };
        Ok(Self {
            open: RwLock::new(Some(open)),
            folder: folder.to_owned(),
            reserve_bytes: options.store_reserve_bytes,
        })
    }

    /// Has `f` read.
    pub(crate) fn read<T>(
        &self,
        f: impl FnOnce(&Open) -> Result<T, fjall::Error>,
    ) -> Result<T, Error> {
        let open = self.open.read();
        Ok(f(open.as_ref().ok_or(Error::Closed)?)?)
    }

    /// Writes what `f` puts into a batch, all or nothing. It is seen at once, and on disk after the next sync.
    pub(crate) fn write(
        &self,
        room: Room,
        f: impl FnOnce(&Open, &mut OwnedWriteBatch),
    ) -> Result<(), Error> {
        self.commit(PersistMode::Buffer, room, f)
    }

    /// As [`Store::write`], but on disk before it is seen.
    pub(super) fn write_synced(
        &self,
        room: Room,
        f: impl FnOnce(&Open, &mut OwnedWriteBatch),
    ) -> Result<(), Error> {
        self.commit(PersistMode::SyncAll, room, f)
    }

    fn commit(
        &self,
        mode: PersistMode,
        room: Room,
        f: impl FnOnce(&Open, &mut OwnedWriteBatch),
    ) -> Result<(), Error> {
        let open = self.open.read();
        let open = open.as_ref().ok_or(Error::Closed)?;
        self.check_room(room)?;
        // fjall syncs a batch before it shows it to readers: none sees what a crash could take back.
        let mut batch = open.database.batch().durability(Some(mode));
        f(open, &mut batch);
        Ok(batch.commit()?)
    }

    pub(super) fn check_room(&self, room: Room) -> Result<(), Error> {
        let reserve_bytes = match room {
            Room::Free => self.reserve_bytes,
            Room::Own => self.reserve_bytes / OWN_RESERVE_PART,
        };
        let (free_bytes, _) = self.room()?;
        if free_bytes < reserve_bytes {
            return Err(Error::NoSpace(MinFree(Some(reserve_bytes))));
        }
        Ok(())
    }

    /// How many bytes of the disk are free, of how many.
    fn room(&self) -> Result<(u64, u64), Error> {
        let room = rustix::fs::statvfs(&self.folder);
        let room = room.map_err(|errno| Error::from(fjall::Error::Io(errno.into())))?;
        let bytes = |blocks: u64| blocks.saturating_mul(room.f_frsize);
        Ok((bytes(room.f_bavail), bytes(room.f_blocks)))
    }

    /// The disk, and what the database takes of it.
    pub(crate) fn disk(&self) -> Result<Disk, Error> {
        let (free_bytes, size_bytes) = self.room()?;
        let store_bytes = self.read(|open| open.database.disk_space())?;
        Ok(Disk {
            free_bytes,
            size_bytes,
            store_bytes,
        })
    }

    /// Waits until everything written is on disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let open = self.open.read();
        let open = open.as_ref().ok_or(Error::Closed)?;
        Ok(open.database.persist(PersistMode::SyncAll)?)
    }

    /// Lets go of the database, when whoever reads or writes just now is done.
    pub(crate) fn close(&self) {
        drop(self.open.write().take());
    }

    /// Removes every key of `keyspace` that starts with `prefix`, in many batches.
    pub(crate) fn empty(
        &self,
        keyspace: impl Fn(&Open) -> &Keyspace,
        prefix: &[u8],
    ) -> Result<(), Error> {
        self.empty_until(keyspace, prefix, &|| false)
    }

    fn empty_until(
        &self,
        keyspace: impl Fn(&Open) -> &Keyspace,
        prefix: &[u8],
        stop: &impl Fn() -> bool,
    ) -> Result<(), Error> {
        let (mut start, end) = with_prefix(prefix);
        while !stop() {
            let some = self.read(|open| {
                let keys = keyspace(open)
                    .range((start.clone(), end.clone()))
                    .take(REMOVED_AT_ONCE);
                keys.map(fjall::Guard::key).collect::<Result<Vec<_>, _>>()
            })?;
            let Some(last) = some.last() else {
                return Ok(());
            };
            // What was removed before it would be gone over again with every batch.
            start = Bound::Excluded(last.to_vec());
            self.remove(&keyspace, some)?;
        }
        Ok(())
    }

    /// Removes `keys`, all or none.
    pub(super) fn remove(
        &self,
        keyspace: impl Fn(&Open) -> &Keyspace,
        keys: Vec<fjall::UserKey>,
    ) -> Result<(), Error> {
        self.commit(PersistMode::Buffer, Room::Own, |open, batch| {
            for key in keys {
                batch.remove(keyspace(open), key);
            }
        })
    }

    /// Removes everything that is stored of `project`, unless it is told to stop; what it has removed when it returns is gone from
    /// disk too.
    pub(crate) fn empty_project(
        &self,
        project: &str,
        stop: &impl Fn() -> bool,
    ) -> Result<(), Error> {
        let prefix = keys::project(project);
        let keyspaces: [fn(&Open) -> &Keyspace; 3] =
            [|open| &open.views, |open| &open.heads, |open| &open.primary];
        for keyspace in keyspaces {
            self.empty_until(keyspace, &prefix, stop)?;
        }
        self.sync()
    }
}

type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

fn with_prefix(prefix: &[u8]) -> Range {
    let end = keys::behind(prefix).map_or(Bound::Unbounded, Bound::Excluded);
    (Bound::Included(prefix.to_vec()), end)
}

/// Keys and values as fjall hands them out.
type Entries = Vec<(fjall::UserKey, fjall::UserValue)>;

impl Open {
    /// The values of `keyspace` at `keys`, all of one moment.
    pub(super) fn get_all(
        &self,
        keyspace: &Keyspace,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<fjall::UserValue>>, fjall::Error> {
        let snapshot = self.database.snapshot();
        keys.iter().map(|key| snapshot.get(keyspace, key)).collect()
    }

    /// The entries of `keyspace` whose keys start with `within` and then `prefix`, and are above `within` and then `after`, up to the one
    /// that reaches a bound of `limit`. They are all of one moment.
    pub(super) fn scan(
        &self,
        keyspace: &Keyspace,
        within: &[u8],
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: Limit,
    ) -> Result<Entries, fjall::Error> {
        let (start, end) = with_prefix(&[within, prefix].concat());
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded([within, after].concat()),
            _ => start,
        };
        if is_empty(&start, &end) {
            return Ok(Vec::new());
        }
        let entries = self.database.snapshot().range(keyspace, (start, end));
        let (mut page, mut left) = (Entries::new(), Left::of(limit));
        for entry in entries.take(limit.records) {
            let (key, value) = entry.into_inner()?;
            if !left.take(key.len() - within.len() + value.len()) {
                break;
            }
            page.push((key, value));
        }
        Ok(page)
    }
}

/// A range that ends before it starts is a fault to the maps below.
fn is_empty(start: &Bound<Vec<u8>>, end: &Bound<Vec<u8>>) -> bool {
    match (start, end) {
        (Bound::Included(start) | Bound::Excluded(start), Bound::Excluded(end)) => start >= end,
        _ => false,
    }
}
