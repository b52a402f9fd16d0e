//! A log that is open.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use bytes::Bytes;

use crate::append::Failed;
use crate::shared::Shared;
use crate::storage::{Disk, Storage};
use crate::{Batch, Chunk, Limit, Options, Scope, Stats, append, maintain, open, read, submit};

/// A log in a folder, held by this process alone. Dropping it closes it.
#[derive(Debug)]
pub struct Log {
    shared: Arc<Shared>,
    /// Gone once the log is closed.
    committer: Option<JoinHandle<Result<(), Failed>>>,
}

/// Where a log starts and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The first position that is retained, or would be if there were one: behind what was trimmed, and at most the one
    /// behind `last`.
    pub first: u64,
    /// The last readable position; 0 when there has been none.
    pub last: u64,
}

/// What a batch was given when it was submitted. It is not on disk yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The position of its first record; the others follow without a gap.
    pub first: u64,
    /// The position of its last record.
    pub last: u64,
    /// When it was recorded, in microseconds since 1970.
    pub recorded_at: i64,
}

/// Which records are kept. A record goes when either says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Keep {
    /// Records recorded before this may go.
    pub older_than: Option<i64>,
    /// The newest records up to this many bytes on disk are kept, what is before them may go.
    pub bytes: Option<u64>,
}

/// What was trimmed of a feed; what was erased before counts too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedTrim {
    /// The feed.
    pub feed: Bytes,
    /// The position of its last trimmed record.
    pub through: u64,
    /// How many records were trimmed.
    pub events: u64,
    /// How many batches had their records of this feed trimmed.
    pub batches: u64,
    /// How many of its subjects had their record of version 1 trimmed.
    pub subjects: u64,
}

/// What is to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Only in this feed; `None` is in every feed.
    pub feed: Option<Bytes>,
    /// Only of this subject; `None` is every subject, and records without one.
    pub subject: Option<Bytes>,
    /// Records up to this position.
    pub through: u64,
}

impl Log {
    /// Makes a new log in `folder`, which is made too if it is missing, and opens it.
    pub fn create(folder: &Path, incarnation: u128, options: Options) -> Result<Self, open::Error> {
        std::fs::create_dir_all(folder)?;
        let disk = Disk::lock(folder)?.ok_or(open::Error::InUse)?;
        open::create(&disk, incarnation)?;
        Self::open_in(Arc::new(disk), options)
    }

    /// Opens the log in `folder`. What an unclean end left is cut or synced; damage is refused.
    pub fn open(folder: &Path, options: Options) -> Result<Self, open::Error> {
        if !folder.is_dir() {
            return Err(open::Error::Missing);
        }
        let disk = Disk::lock(folder)?.ok_or(open::Error::InUse)?;
        Self::open_in(Arc::new(disk), options)
    }

    /// Which life of the log this is.
    pub fn incarnation(&self) -> u128 {
        self.shared.incarnation
    }

    /// Where it starts and ends at this moment.
    pub fn bounds(&self) -> Bounds {
        self.shared.bounds()
    }

    /// When the first retained record was recorded; `None` if there is none.
    pub fn first_recorded_at(&self) -> Option<i64> {
        self.shared.first_recorded_at()
    }

    /// Calls `listener` with the last readable position each time that it has moved, before those who wait for it are told.
    ///
    /// It is called on the log's own thread; it must not block, nor call this.
    pub fn on_head(&self, listener: Box<dyn Fn(u64) + Send + Sync>) {
        self.shared.listeners.write().push(listener);
    }

    /// How often batches that were submitted came to nothing, as [`Log::submit`] wants to be told.
    pub fn failures(&self) -> u64 {
        self.shared.failures.load(Ordering::Acquire)
    }

    /// Gives `batch` its positions and has it written.
    ///
    /// `versions` are the versions of the records' subjects, one a record. It is recorded at `now`, or at the time of the
    /// record before where that is later. Batches stand in the log in the order of their submission, so a caller that
    /// submits under its own lock decides the order and can count on it.
    ///
    /// `failures` is what [`Log::failures`] said when the caller last made sure that its versions count no batch that
    /// came to nothing. If there was another since, [`submit::Error::Failed`] is returned, even where `done` of the batches
    /// that failed has yet to be called.
    ///
    /// `done` is called on the log's own thread, once the batch is on disk and readable, or with an error when that is not
    /// known; it must not block. It is not called when `submit` itself returns an error: then nothing was written, and
    /// no position used.
    ///
    /// This does not wait for the disk to have written, and does not block while the queue is full: it returns
    /// [`submit::Error::Busy`]. A caller that keeps what it has submitted and not heard of below
    /// [`Options::queue_bytes`], by [`Batch::bytes`], never sees that.
    ///
    /// # Panics
    /// If `versions` has not one entry a record.
    pub fn submit(
        &self,
        batch: Batch,
        versions: &[u64],
        now: i64,
        failures: u64,
        done: submit::Done,
    ) -> Result<Submitted, submit::Error> {
        self.shared.submit(batch, versions, now, failures, done)
    }

    /// Submits and waits until the batch is on disk and readable; waits too while the queue is full.
    pub fn append(
        &self,
        batch: Batch,
        versions: &[u64],
        now: i64,
    ) -> Result<Submitted, append::Error> {
        let (told, done) = mpsc::sync_channel(1);
        let tell = Box::new(move |result| drop(told.send(result)));
        let submitted = self.shared.submit_patiently(batch, versions, now, tell)?;
        match done.recv() {
            Ok(result) => result?,
            Err(ended) => return Err(Failed(Arc::new(io::Error::other(ended))).into()),
        }
        Ok(submitted)
    }

    /// Reads all records above `after` as [`Log::read`] does, if they are still in memory because they were written a moment ago:
    /// it never waits for the disk.
    pub fn read_latest(&self, after: u64, limit: Limit) -> Option<Chunk> {
        self.shared.read_latest(after, limit)
    }

    /// Reads records in `scope` at positions above `after`, ascending.
    ///
    /// Ends at the end of the log, or behind the batch with which `limit` is reached, or early where there was much to
    /// look through, but always makes way: it returns at least one batch, or a `through` beyond `after`, unless the log
    /// ends at `after`.
    pub fn read(&self, scope: &Scope, after: u64, limit: Limit) -> Result<Chunk, read::Error> {
        self.shared.read(scope, after, limit)
    }

    /// Reads records in `scope` at positions below `before`, descending, down to the first retained one.
    ///
    /// As [`Log::read`]; there is no more once `through` is at or below [`Bounds::first`].
    pub fn read_back(
        &self,
        scope: &Scope,
        before: u64,
        limit: Limit,
    ) -> Result<Chunk, read::Error> {
        self.shared.read_back(scope, before, limit)
    }

    /// The position after which everything recorded at `time` or later stands, and nothing retained that is earlier.
    pub fn seek(&self, time: i64) -> Result<u64, read::Error> {
        self.shared.seek(time)
    }

    /// What was trimmed of each feed, sorted by feed; feeds that lost nothing are left out.
    pub fn trims(&self) -> Vec<FeedTrim> {
        self.shared.trims()
    }

    /// Lets go of whole segments that `keep` does not ask for, the oldest first, never of a record above `not_past`.
    ///
    /// Returns the first retained position. What is gone is gone after a crash too.
    pub fn trim(&self, keep: Keep, not_past: u64) -> Result<u64, maintain::Error> {
        self.shared.trim(keep, not_past)
    }

    /// Removes what `erasure` names from readings and from disk; positions stay as they are.
    ///
    /// Returns how many records were removed. Once returned they are gone after a crash too; a crash in the middle leaves
    /// some, and the call can be made again.
    pub fn erase(&self, erasure: &Erasure) -> Result<u64, maintain::Error> {
        self.shared.erase(erasure)
    }

    /// What it has done since it was opened, and what it takes.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// How many bytes the log takes on disk, what is allocated ahead included.
    pub fn size_bytes(&self) -> u64 {
        self.shared.size_bytes()
    }

    /// Writes what is queued, marks the end as synced and lets go of the folder. Dropping does the same, without telling
    /// of an error: the next opening then treats the log as one that was not closed.
    pub fn close(mut self) -> Result<(), append::Failed> {
        self.end()
    }

    /// Opens the log in some storage.
    pub(crate) fn open_in(
        storage: Arc<dyn Storage>,
        options: Options,
    ) -> Result<Self, open::Error> {
        let (shared, committer) = open::open(storage, options)?;
        let committer = Some(committer.start()?);
        Ok(Self { shared, committer })
    }

    fn end(&mut self) -> Result<(), Failed> {
        self.shared.close();
        let Some(committer) = self.committer.take() else {
            return Ok(());
        };
        committer
            .join()
            .unwrap_or_else(|_| Err(Failed(Arc::new(io::Error::other("the committer panicked")))))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // An end that was not marked is only more work for the next opening.
        drop(self.end());
    }
}
