//! The thread that writes: one commit after the other, each synced before it is told.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};

use super::intake::{Item, Queued, Roll, Work, reserved, tell};
use super::seal::{Unsealed, crc64};
use crate::append::Failed;
use crate::format::commit::{self, Commit, Kind};
use crate::format::header::{self, Header};
use crate::index::LiveIndex;
use crate::segment::{Live, Segment};
use crate::shared::Shared;
use crate::storage::File;

/// Commits up to this many bytes have zeros written ahead of them; with larger ones it costs more than it saves.
const SMALL: u64 = 64 << 10;

/// How many zeros are written ahead: enough for the syncs of some dozens of small commits to be cheap.
const ZEROS: &[u8] = &[0; 256 << 10];

/// A buffer larger than this is not kept for the next commit.
const BUFFER_MAX: usize = 1 << 20;

pub(crate) struct Committer {
    pub(super) log: Arc<Shared>,
    pub(super) active: Arc<Live>,
    /// Behind the last commit that is synced.
    pub(super) end: u64,
    /// Up to here the file's blocks are written.
    zeroed: u64,
    /// Of the active segment up to `end`.
    pub(super) checksum: crc_fast::Digest,
    /// Whether the last commit is a mark, so that an orderly end need not write another.
    pub(super) is_marked: bool,
    /// Something was not written or synced; nothing may be written before it is mended.
    pub(super) broken: Option<Broken>,
    /// Segments that were begun and came to nothing.
    pub(super) abandoned: Vec<u64>,
    buffer: Vec<u8>,
    sealing: Option<JoinHandle<()>>,
}

/// What was given to batches that failed; those that come after them begin here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken {
    pub(super) next_position: u64,
    pub(super) recorded_at: i64,
}

impl Committer {
    /// To go on behind `end` of `active`, whose last commit is a mark or not.
    pub(crate) fn new(
        log: Arc<Shared>,
        active: Arc<Live>,
        end: u64,
        is_marked: bool,
    ) -> io::Result<Self> {
        let checksum = crc64(&*active.file, end)?;
        Ok(Self {
            log,
            active,
            end,
            zeroed: end,
            checksum,
            is_marked,
            broken: None,
            abandoned: Vec::new(),
            buffer: Vec::new(),
            sealing: None,
        })
    }

    /// Works on a thread of its own until the log is closed, then tells whether its end was marked.
    pub(crate) fn start(self) -> io::Result<JoinHandle<Result<(), Failed>>> {
        let name = "feedwire-log".to_owned();
        Builder::new().name(name).spawn(move || self.run())
    }

    fn run(mut self) -> Result<(), Failed> {
        loop {
            match self.log.next_work() {
                Work::Commit { batches, allocated } => self.commit(batches, allocated),
                Work::Roll(roll) => self.roll(roll),
                Work::Close => break,
            }
        }
        let marked = self.finish();
        if let Some(sealing) = self.sealing.take() {
            drop(sealing.join());
        }
        marked.map_err(|error| Failed(Arc::new(error)))
    }

    fn commit(&mut self, batches: Vec<Queued>, allocated: u64) {
        let written = self.mended().and_then(|()| self.write(&batches, allocated));
        match written {
            Ok(commit) => self.publish(batches, &commit),
            Err(error) => self.fail(batches.into_iter().map(Item::Batch).collect(), error),
        }
    }

    /// Writes and syncs the batches as one commit.
    fn write(&mut self, batches: &[Queued], allocated: u64) -> io::Result<Commit> {
        let body_len: usize = batches
            .iter()
            .map(|batch| batch.bytes.len() - commit::LEN)
            .sum();
        let last = &batches[batches.len() - 1].submitted;
        self.is_marked = false;
        let commit = Commit {
            kind: Kind::Records,
            body_len: u32::try_from(body_len).map_err(io::Error::other)?,
            offset: self.end,
            synced: self.end,
            position: batches[0].submitted.first,
            records: batches.iter().map(|batch| batch.records).sum(),
            recorded_at: last.recorded_at,
            checksum: 0,
        };
        self.buffer.clear();
        self.buffer.extend(commit.encode(self.active.header.nonce));
        for batch in batches {
            self.buffer.extend_from_slice(&batch.bytes[commit::LEN..]);
        }
        let padding = commit.end() - commit.body_end();
        self.buffer
            .extend(&[0; 8][..usize::try_from(padding).unwrap_or_default()]);
        self.active.file.write_at(self.end, &self.buffer)?;
        self.write_zeros_ahead(commit.end(), allocated)?;
        self.sync(&*self.active.file)?;
        Ok(commit)
    }

    fn sync(&self, file: &dyn File) -> io::Result<()> {
        let storage = &*self.log.storage;
        self.log.meter.sync(storage, || file.sync_data())
    }

    /// Overwriting blocks that were written before needs no change of the file's extents, so it is synced faster.
    fn write_zeros_ahead(&mut self, end: u64, allocated: u64) -> io::Result<()> {
        let is_small = end - self.end <= SMALL;
        let start = end.max(self.zeroed);
        let len = allocated.saturating_sub(start).min(ZEROS.len() as u64);
        self.zeroed = start;
        if is_small && start == end && len > 0 {
            let zeros = &ZEROS[..usize::try_from(len).unwrap_or_default()];
            self.active.file.write_at(start, zeros)?;
            self.zeroed = start + len;
        }
        Ok(())
    }

    /// Makes a commit that is on disk readable, then tells those who wait for it.
    fn publish(&mut self, batches: Vec<Queued>, commit: &Commit) {
        self.checksum.update(&self.buffer);
        self.end = commit.end();
        let body = &self.buffer[commit::LEN..commit::LEN + commit.body_len as usize];
        self.active.index.write().absorb(commit, body);
        let len = commit.end() - commit.offset;
        self.settle(&batches, len);
        self.log.meter.committed(commit.records, batches.len(), len);
        let head = commit.position + u64::from(commit.records) - 1;
        // What is readable and not kept would be looked for in vain.
        self.log.latest.put(head, body);
        self.log.head.store(head, Ordering::Release);
        for listener in &*self.log.listeners.read() {
            listener(head);
        }
        for batch in batches {
            (batch.done)(Ok(()));
        }
        if self.buffer.capacity() > BUFFER_MAX && self.buffer.len() <= BUFFER_MAX {
            self.buffer = Vec::new();
        }
    }

    /// Gives back what was reserved for the batches and not needed, and their room in the queue.
    fn settle(&self, batches: &[Queued], len: u64) {
        let bytes = batches.iter().map(|batch| batch.bytes.len());
        let taken: u64 = bytes.clone().map(reserved).sum();
        let mut intake = self.log.intake.lock();
        if intake.plan.first_position == self.active.header.first_position {
            intake.plan.end -= taken - len;
        }
        intake.release(bytes.sum());
        drop(intake);
        self.log.room.notify_all();
    }

    fn roll(&mut self, mut roll: Roll) {
        match self.mended().and_then(|()| self.begin_segment(&roll)) {
            Ok(next) => {
                self.switch_to(next);
                if let Some(done) = roll.done.take() {
                    done(Ok(()));
                }
            }
            Err(error) => {
                self.abandoned.push(roll.first_position);
                self.fail(vec![Item::Roll(roll)], error);
            }
        }
    }

    /// Has the new segment on disk, so that the old one may be sealed.
    fn begin_segment(&self, roll: &Roll) -> io::Result<Live> {
        let header = Header {
            incarnation: self.log.incarnation,
            nonce: self.log.storage.nonce(),
            first_position: roll.first_position,
            recorded_at: roll.recorded_at,
            previous_first: self.active.header.first_position,
            previous_end: self.end,
        };
        roll.file.write_at(0, &header.encode())?;
        self.sync(&*roll.file)?;
        // The folder is synced before the old segment is sealed: the reverse order can lose both after a crash.
        self.log.storage.sync_folder()?;
        Ok(Live::new(
            header,
            Arc::clone(&roll.file),
            LiveIndex::default(),
        ))
    }

    fn switch_to(&mut self, next: Live) {
        let next = Arc::new(next);
        let log = Arc::clone(&self.log);
        // Held until the full segment is in: who sees that it is no longer the active one can have it sealed.
        let mut unsealed = log.unsealed.lock();
        self.log.put_segment(Segment::Live(Arc::clone(&next)));
        let mut checksum = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
        checksum.update(&next.header.encode());
        let full = Unsealed {
            next_position: next.header.first_position,
            recorded_at: next.header.recorded_at,
            end: self.end,
            checksum: std::mem::replace(&mut self.checksum, checksum).finalize(),
            live: std::mem::replace(&mut self.active, next),
        };
        self.end = header::LEN as u64;
        self.zeroed = self.end;
        self.is_marked = false;
        unsealed.push_back(Arc::new(full));
        drop(unsealed);
        self.seal_aside();
    }

    /// Seals on another thread: an index takes some milliseconds, for which no append should wait.
    fn seal_aside(&mut self) {
        if let Some(before) = self.sealing.take() {
            drop(before.join());
        }
        let log = Arc::clone(&self.log);
        let name = "feedwire-seal".to_owned();
        // What cannot be sealed stays as it is, is read from memory, and is tried again with the next one.
        let seal = move || drop(log.seal_all());
        self.sealing = Builder::new().name(name).spawn(seal).ok();
    }

    /// After a failure nothing that was written since is trusted, and nobody's outcome is known.
    fn fail(&mut self, mut items: Vec<Item>, error: io::Error) {
        let mut intake = self.log.intake.lock();
        items.extend(intake.drain());
        self.log.failures.fetch_add(1, Ordering::AcqRel);
        self.log.meter.is_failing.store(true, Ordering::Relaxed);
        for item in &items {
            if let Item::Roll(roll) = item {
                self.abandoned.push(roll.first_position);
            }
        }
        if intake.plan.first_position != self.active.header.first_position {
            intake.plan.first_position = self.active.header.first_position;
            intake.plan.file = Arc::clone(&self.active.file);
            intake.plan.allocated = self.active.file.len().unwrap_or(self.end);
        }
        intake.plan.end = self.end + commit::LEN as u64;
        if self.abandoned.contains(&intake.next_position) {
            // The next segment must not have the name of one that is about to be removed.
            intake.next_position += 1;
        }
        self.broken = Some(Broken {
            next_position: intake.next_position,
            recorded_at: intake.recorded_at,
        });
        drop(intake);
        self.log.room.notify_all();
        tell(items, &Failed(Arc::new(error)));
    }

    /// Marks the end, so that rot in the last commit is told from tearing.
    fn finish(&mut self) -> io::Result<()> {
        self.mended()?;
        if self.is_marked {
            return Ok(());
        }
        let intake = self.log.intake.lock();
        let (next_position, recorded_at) = (intake.next_position, intake.recorded_at);
        drop(intake);
        self.write_mark(next_position, recorded_at)
    }

    /// Has a mark at the end, on disk.
    pub(super) fn write_mark(&mut self, next_position: u64, recorded_at: i64) -> io::Result<()> {
        let mark = Commit::mark(self.end, next_position, recorded_at);
        let bytes = mark.encode(self.active.header.nonce);
        self.active.file.write_at(self.end, &bytes)?;
        self.sync(&*self.active.file)?;
        self.checksum.update(&bytes);
        self.end = mark.end();
        self.zeroed = self.end;
        self.is_marked = true;
        Ok(())
    }
}
