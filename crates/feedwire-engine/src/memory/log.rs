//! The log of the in-memory engine: [`Records`] behind a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use feedwire_event::{FeedName, Position, Subject, Timestamp};
use feedwire_tally::{Count, Histogram};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use super::records::Records;
use crate::{
    AppendError, Appended, Batch, Bounds, Chunk, Erasure, FeedTrim, Head, Limit, Log, LogStats,
    ReadError, Retention, Scope, Unavailable,
};

#[derive(Debug)]
pub(super) struct MemoryLog {
    records: Arc<Mutex<Records>>,
    head: watch::Sender<Position>,
    closed: Mutex<bool>,
    /// Its project is deleted: it is not even read.
    gone: AtomicBool,
    counted: Counted,
}

/// What it has done. Nothing is waited for, so each batch is a commit.
#[derive(Debug)]
struct Counted {
    commits: Histogram,
    bytes: Count,
    erased: Count,
}

impl MemoryLog {
    pub(super) fn new(records: Arc<Mutex<Records>>) -> Self {
        let last = {
            let mut records = records.lock();
            records.forgotten.clear();
            records.last()
        };
        let head = watch::Sender::new(last);
        Self {
            records,
            head,
            closed: Mutex::new(false),
            gone: AtomicBool::new(false),
            counted: Counted {
                commits: Histogram::new(&[1, 10, 100, 1_000]),
                bytes: Count::default(),
                erased: Count::default(),
            },
        }
    }

    pub(super) fn close(&self) {
        *self.closed.lock() = true;
    }

    /// Closes it because its project is deleted.
    pub(super) fn close_for_good(&self) {
        self.gone.store(true, Ordering::Release);
        self.close();
    }

    fn there(&self) -> Result<MutexGuard<'_, Records>, Unavailable> {
        if self.gone.load(Ordering::Acquire) {
            return Err(Unavailable::new("the log is closed"));
        }
        Ok(self.records.lock())
    }
}

#[async_trait]
impl Log for MemoryLog {
    fn bounds(&self) -> Bounds {
        self.records.lock().bounds()
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn given(&self) -> Position {
        self.records.lock().last()
    }

    async fn settle(&self, _through: Position) -> Result<(), Unavailable> {
        // What has a position is readable.
        Ok(())
    }

    fn stats(&self) -> LogStats {
        let counted = &self.counted;
        LogStats {
            commits: counted.commits.get(),
            batches: counted.commits.get().count(),
            appended_bytes: counted.bytes.get(),
            size_bytes: self.records.lock().bytes(),
            erased_events: counted.erased.get(),
            ..LogStats::default()
        }
    }

    async fn append(&self, batch: Batch, now: Timestamp) -> Result<Appended, AppendError> {
        // Held to the end: nothing is appended once `close` has returned.
        let closed = self.closed.lock();
        if *closed {
            return Err(AppendError::Closed);
        }
        let mut records = self.records.lock();
        let appended = records.append(&batch, now)?;
        if appended.is_repeat {
            return Ok(appended);
        }
        let bytes = batch.records().iter().map(|record| record.bytes() as u64);
        self.counted.bytes.add(bytes.sum());
        self.counted.commits.record(batch.records().len() as u64);
        // Told under the lock: the head does not go back.
        self.head.send_replace(appended.last);
        Ok(appended)
    }

    async fn read(&self, scope: &Scope, after: Position, limit: Limit) -> Result<Chunk, ReadError> {
        Ok(self.there()?.read(scope, after, limit)?)
    }

    async fn read_back(
        &self,
        scope: &Scope,
        before: Position,
        limit: Limit,
    ) -> Result<Chunk, ReadError> {
        Ok(self.there()?.read_back(scope, before, limit))
    }

    async fn seek(&self, time: Timestamp) -> Result<Position, Unavailable> {
        Ok(self.there()?.seek(time))
    }

    async fn subject(
        &self,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<Option<Head>, Unavailable> {
        Ok(self.there()?.subject(feed, subject))
    }

    async fn subjects(
        &self,
        feed: &FeedName,
        after: Option<&Subject>,
        limit: usize,
    ) -> Result<Vec<(Subject, Head)>, Unavailable> {
        Ok(self.there()?.subjects(feed, after, limit))
    }

    async fn trims(&self) -> Result<Vec<FeedTrim>, Unavailable> {
        Ok(self.there()?.trims())
    }

    async fn trim(
        &self,
        keep: Retention,
        now: Timestamp,
        not_past: Position,
    ) -> Result<Position, Unavailable> {
        Ok(self.there()?.trim(keep, now, not_past))
    }

    async fn forget(&self, erasure: &Erasure) -> Result<(), Unavailable> {
        // What was opened since knows nothing of it.
        let closed = self.closed.lock();
        if *closed {
            return Err(Unavailable::new("the log is closed"));
        }
        self.there()?.forget(erasure);
        Ok(())
    }

    async fn erase(&self, erasure: &Erasure) -> Result<u64, Unavailable> {
        let erased = self.there()?.erase(erasure);
        self.counted.erased.add(erased);
        Ok(erased)
    }
}
