//! Where batches wait to be written, with their positions given.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use parking_lot::MutexGuard;

use super::{Plan, Room};
use crate::format::commit;
use crate::shared::Shared;
use crate::{Batch, POSITION_END, Submitted, append, submit};

/// Offsets in a segment have 32 bits, with room to spare for one more batch.
const SEGMENT_BYTES_MAX: u32 = 1 << 30;

/// A commit costs the same however many share it, so threads that are about to submit get the processor before it is made:
/// as long as more come, so many times. Where no thread waits for a processor this takes less than a microsecond.
const YIELDS_MAX: usize = 8;

/// What [`Shared::submit`] decides about, all under one lock.
#[derive(Debug)]
pub(crate) struct Intake {
    queue: VecDeque<Item>,
    queued_bytes: usize,
    pub(super) next_position: u64,
    pub(super) recorded_at: i64,
    pub(crate) plan: Plan,
    is_closed: bool,
}

/// What the committer does, in order.
#[derive(Debug)]
pub(super) enum Item {
    Batch(Queued),
    Roll(Roll),
}

/// A batch with its positions.
pub(super) struct Queued {
    /// Room for the header of a commit, then records.
    pub(super) bytes: Vec<u8>,
    pub(super) records: u32,
    pub(super) submitted: Submitted,
    pub(super) done: submit::Done,
}

/// What comes behind this goes to a new segment.
pub(super) struct Roll {
    pub(super) first_position: u64,
    pub(super) recorded_at: i64,
    pub(super) file: std::sync::Arc<dyn crate::storage::File>,
    /// Told once the new segment is the active one.
    pub(super) done: Option<submit::Done>,
}

/// What the committer is to do next.
#[derive(Debug)]
pub(super) enum Work {
    /// To write these as one commit; zeros may be written ahead up to `allocated`.
    Commit {
        batches: Vec<Queued>,
        allocated: u64,
    },
    Roll(Roll),
    Close,
}

impl Intake {
    pub(crate) fn new(next_position: u64, recorded_at: i64, plan: Plan) -> Self {
        Self {
            queue: VecDeque::new(),
            queued_bytes: 0,
            next_position,
            recorded_at,
            plan,
            is_closed: false,
        }
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Takes everything out of the queue, after a failure.
    pub(super) fn drain(&mut self) -> Vec<Item> {
        self.queued_bytes = 0;
        self.queue.drain(..).collect()
    }

    fn next_work(&mut self) -> Option<Work> {
        let first = match self.queue.pop_front() {
            Some(Item::Batch(queued)) => queued,
            Some(Item::Roll(roll)) => return Some(Work::Roll(roll)),
            None => return self.is_closed.then_some(Work::Close),
        };
        let mut bytes = first.bytes.len();
        let mut batches = vec![first];
        while let Some(Item::Batch(queued)) = self.queue.front()
            && bytes + queued.bytes.len() <= commit::BYTES_MAX
            && let Some(Item::Batch(queued)) = self.queue.pop_front()
        {
            bytes += queued.bytes.len();
            batches.push(queued);
        }
        let is_planned = !self.queue.iter().any(|item| matches!(item, Item::Roll(_)));
        let allocated = if is_planned { self.plan.allocated } else { 0 };
        Some(Work::Commit { batches, allocated })
    }

    /// Whether the queue takes another `bytes`. One batch fits always.
    fn has_room(&self, bytes: usize, limit: usize) -> bool {
        self.queued_bytes == 0 || self.queued_bytes + bytes <= limit
    }

    /// A batch that was queued is on disk, or lost.
    pub(super) fn release(&mut self, bytes: usize) {
        self.queued_bytes = self.queued_bytes.saturating_sub(bytes);
    }
}

/// The most that a batch takes in a file: it may be alone in its commit.
pub(super) fn reserved(bytes: usize) -> u64 {
    bytes as u64 + 7
}

impl Shared {
    pub(crate) fn submit(
        &self,
        batch: Batch,
        versions: &[u64],
        now: i64,
        failures: u64,
        done: submit::Done,
    ) -> Result<Submitted, submit::Error> {
        let mut intake = self.intake.lock();
        if self.failures.load(Ordering::Acquire) != failures {
            return Err(submit::Error::Failed);
        }
        if !intake.has_room(batch.bytes(), self.options.queue_bytes) {
            return Err(submit::Error::Busy);
        }
        self.enqueue(&mut intake, batch, versions, now, done)
    }

    /// Submits once the queue has room.
    pub(crate) fn submit_patiently(
        &self,
        batch: Batch,
        versions: &[u64],
        now: i64,
        done: submit::Done,
    ) -> Result<Submitted, submit::Error> {
        let mut intake = self.intake.lock();
        while !intake.is_closed && !intake.has_room(batch.bytes(), self.options.queue_bytes) {
            self.room.wait(&mut intake);
        }
        self.enqueue(&mut intake, batch, versions, now, done)
    }

    fn enqueue(
        &self,
        intake: &mut Intake,
        mut batch: Batch,
        versions: &[u64],
        now: i64,
        done: submit::Done,
    ) -> Result<Submitted, submit::Error> {
        assert_eq!(versions.len(), batch.len(), "every record has a version");
        if intake.is_closed {
            return Err(submit::Error::Closed);
        }
        let records = batch.len() as u64;
        if POSITION_END.saturating_sub(intake.next_position) < records {
            return Err(submit::Error::Exhausted);
        }
        let bytes = reserved(batch.bytes());
        // A segment without records is never left: the next one would have its name.
        let has_records = intake.next_position > intake.plan.first_position;
        if has_records
            && intake.plan.is_full(
                bytes,
                u64::from(self.options.segment_bytes.min(SEGMENT_BYTES_MAX)),
            )
        {
            self.roll(intake, bytes, Room::Free, None)?;
        }
        intake.plan.take(bytes)?;
        let submitted = Submitted {
            first: intake.next_position,
            last: intake.next_position + records - 1,
            recorded_at: now.max(intake.recorded_at),
        };
        batch.stamp(submitted.first, submitted.recorded_at, versions);
        intake.next_position = submitted.last + 1;
        intake.recorded_at = submitted.recorded_at;
        intake.queued_bytes += batch.bytes();
        intake.queue.push_back(Item::Batch(Queued {
            records: u32::try_from(batch.len()).expect("a batch has at most 65,535 records"),
            bytes: batch.bytes,
            submitted,
            done,
        }));
        self.work.notify_one();
        Ok(submitted)
    }

    /// Has what comes next go to a new segment with room for `bytes`.
    fn roll(
        &self,
        intake: &mut Intake,
        bytes: u64,
        room: Room,
        done: Option<submit::Done>,
    ) -> Result<(), submit::Error> {
        let storage = &*self.storage;
        let plan = intake
            .plan
            .next(storage, intake.next_position, bytes, room)?;
        intake.queue.push_back(Item::Roll(Roll {
            first_position: intake.next_position,
            recorded_at: intake.recorded_at,
            file: std::sync::Arc::clone(&plan.file),
            done,
        }));
        intake.plan = plan;
        Ok(())
    }

    /// Begins a new segment, unless the one that batches go to has no records; `done` is told when it has begun.
    ///
    /// Returns whether there is anything to wait for.
    pub(crate) fn submit_roll(&self, done: submit::Done) -> Result<bool, submit::Error> {
        let mut intake = self.intake.lock();
        if intake.is_closed {
            return Err(submit::Error::Closed);
        }
        if intake.next_position == intake.plan.first_position {
            return Ok(false);
        }
        // What is kept free is kept for this too.
        self.roll(&mut intake, 0, Room::All, Some(done))?;
        self.work.notify_one();
        Ok(true)
    }

    /// No more is taken; what is queued is written.
    pub(crate) fn close(&self) {
        self.intake.lock().is_closed = true;
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Waits for something to do.
    pub(super) fn next_work(&self) -> Work {
        let mut intake = self.intake.lock();
        loop {
            gather(&mut intake);
            if let Some(work) = intake.next_work() {
                return work;
            }
            self.work.wait(&mut intake);
        }
    }
}

/// Lets others submit what they are about to.
fn gather(intake: &mut MutexGuard<'_, Intake>) {
    let mut queued = 0;
    for _ in 0..YIELDS_MAX {
        if intake.queue.len() == queued {
            return;
        }
        queued = intake.queue.len();
        MutexGuard::unlocked(intake, std::thread::yield_now);
    }
}

/// Tells those who wait, in the order in which they submitted.
pub(super) fn tell(items: Vec<Item>, failed: &append::Failed) {
    for item in items {
        match item {
            Item::Batch(Queued { done, .. })
            | Item::Roll(Roll {
                done: Some(done), ..
            }) => {
                done(Err(failed.clone()));
            }
            Item::Roll(Roll { done: None, .. }) => {}
        }
    }
}

impl std::fmt::Debug for Queued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queued")
            .field("submitted", &self.submitted)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Roll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roll")
            .field("first_position", &self.first_position)
            .finish_non_exhaustive()
    }
}
