//! What a log has done since it was opened, and what it takes: for those who run it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use feedwire_tally::{Count, Distribution, Histogram};

use crate::shared::Shared;
use crate::storage::Storage;

/// Bounds of records in a commit: one, what some writers at once make of it, a full batch and more.
const COMMIT_RECORDS: &[u64] = &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/// Bounds of syncs in microseconds: from memory that calls itself a disk to a disk that is failing.
const SYNC_MICROS: &[u64] = &[
    50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000, 2_000_000,
];

/// What a log has done since it was opened, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Stats {
    /// Records of each commit: its count is the commits, its sum the records that were appended.
    pub commits: Distribution,
    /// Batches that were appended.
    pub batches: u64,
    /// Bytes of what was appended, as it is on disk.
    pub appended_bytes: u64,
    /// Microseconds of each sync that batches waited for.
    pub syncs: Distribution,
    /// How often writing or syncing failed.
    pub failures: u64,
    /// It failed and was not mended yet: that is tried with the next batch.
    pub is_failing: bool,
    /// Bytes of batches that were submitted and are not on disk yet.
    pub queued_bytes: u64,
    /// Segments there are.
    pub segments: u64,
    /// Bytes on disk, what is allocated ahead included.
    pub size_bytes: u64,
    /// Segments that were trimmed.
    pub trimmed_segments: u64,
    /// Records that were erased.
    pub erased_records: u64,
}

/// Where a log counts what it does.
#[derive(Debug)]
pub(crate) struct Meter {
    commits: Histogram,
    batches: Count,
    appended_bytes: Count,
    syncs: Histogram,
    pub(crate) is_failing: AtomicBool,
    pub(crate) trimmed_segments: Count,
    pub(crate) erased_records: Count,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            commits: Histogram::new(COMMIT_RECORDS),
            batches: Count::default(),
            appended_bytes: Count::default(),
            syncs: Histogram::new(SYNC_MICROS),
            is_failing: AtomicBool::new(false),
            trimmed_segments: Count::default(),
            erased_records: Count::default(),
        }
    }
}

impl Meter {
    /// Counts a commit that is on disk.
    pub(crate) fn committed(&self, records: u32, batches: usize, bytes: u64) {
        self.commits.record(u64::from(records));
        self.batches.add(batches as u64);
        self.appended_bytes.add(bytes);
    }

    /// Does `sync`, and counts how long it took.
    pub(crate) fn sync<T>(&self, storage: &dyn Storage, sync: impl FnOnce() -> T) -> T {
        let started = storage.uptime();
        let done = sync();
        let took = storage.uptime().saturating_sub(started);
        self.syncs.record(micros(took));
        done
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

impl Shared {
    pub(crate) fn stats(&self) -> Stats {
        let meter = &self.meter;
        let queued_bytes = self.intake.lock().queued_bytes() as u64;
        Stats {
            commits: meter.commits.get(),
            batches: meter.batches.get(),
            appended_bytes: meter.appended_bytes.get(),
            syncs: meter.syncs.get(),
            failures: self.failures.load(Ordering::Acquire),
            is_failing: meter.is_failing.load(Ordering::Relaxed),
            queued_bytes,
            segments: self.retained.read().segments.len() as u64,
            size_bytes: self.size_bytes(),
            trimmed_segments: meter.trimmed_segments.get(),
            erased_records: meter.erased_records.get(),
        }
    }
}
