//! Room for what is queued, made before it is accepted.

use std::io;
use std::sync::Arc;

use crate::format::{commit, header};
use crate::segment::segment_name;
use crate::storage::{File, Storage};
use crate::submit;

/// The first step by which a file is extended, so that a small log is a small file.
const STEP_MIN: u64 = 64 << 10;

/// The largest: a pause of some hundred microseconds, and what an idle log wastes.
const STEP_MAX: u64 = 16 << 20;

/// What a segment needs behind its last batch: a mark, in case that writing fails, and a footer.
const ENDING: u64 = 2 * commit::LEN as u64;

/// What batches leave free on disk at the least, so that a full one can be trimmed: the beginning of a new segment where all
/// records are to go, and `trims`, which takes some 60 bytes a feed.
pub(crate) const RESERVE: u64 = 512 << 10;

/// Which room may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// What is there beyond what has to stay free.
    Free,
    /// All of it.
    All,
}

/// The segment that the next batch goes to, and how full it will be.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) first_position: u64,
    pub(crate) file: Arc<dyn File>,
    /// Up to here there is room on disk.
    pub(crate) allocated: u64,
    /// Up to here at most the file is filled by what is queued.
    pub(crate) end: u64,
    /// What batches leave free on disk.
    pub(crate) min_free: u64,
}

impl Plan {
    /// Begins the segment behind this one: a file with room for `bytes`. Nothing of it is synced.
    pub(crate) fn next(
        &self,
        storage: &dyn Storage,
        first_position: u64,
        bytes: u64,
        room: Room,
    ) -> Result<Self, submit::Error> {
        let name = segment_name(first_position);
        let file = storage.create(&name);
        let mut plan = Self {
            first_position,
            file: file.map_err(|error| self.refused(error, room))?,
            allocated: 0,
            end: header::LEN as u64,
            min_free: self.min_free,
        };
        plan.extend(plan.end + bytes, self.step() / 4, room)
            .inspect_err(|_| {
                // It has no header, so the next opening removes it if this fails.
                drop(storage.remove(&name));
            })?;
        Ok(plan)
    }

    /// Whether `bytes` more would make it larger than `limit`.
    pub(crate) const fn is_full(&self, bytes: u64, limit: u64) -> bool {
        self.end + bytes + ENDING > limit
    }

    /// Makes sure of room for `bytes` behind what is queued, and counts them as queued.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), submit::Error> {
        self.extend(self.end + bytes, self.step(), Room::Free)?;
        self.end += bytes;
        Ok(())
    }

    /// By how much the file is extended next: it doubles.
    pub(super) fn step(&self) -> u64 {
        self.allocated.clamp(STEP_MIN, STEP_MAX)
    }

    /// Makes sure of room up to `end`, and for the ending. What is taken ahead of that is always free room.
    pub(super) fn extend(&mut self, end: u64, step: u64, room: Room) -> Result<(), submit::Error> {
        let needed = end + ENDING;
        if needed <= self.allocated {
            return Ok(());
        }
        let wanted = needed.max(self.allocated + step);
        let mut given = self.allocate(wanted, Room::Free);
        let (mut extended, is_full) = (wanted, given.as_ref().is_err_and(is_no_space));
        if is_full {
            // There may still be room for this one.
            extended = needed;
            given = self.allocate(needed, room);
        }
        given.map_err(|error| self.refused(error, room))?;
        self.allocated = extended;
        Ok(())
    }

    fn allocate(&self, end: u64, room: Room) -> io::Result<()> {
        let len = end - self.allocated;
        let is_kept = room == Room::Free;
        if is_kept && self.file.room()? < len.saturating_add(self.min_free) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.allocate(self.allocated, len)
    }

    fn refused(&self, error: io::Error, room: Room) -> submit::Error {
        if !is_no_space(&error) {
            return submit::Error::Io(error);
        }
        let min_free_bytes = match room {
            Room::Free => self.min_free,
            Room::All => 0,
        };
        submit::Error::NoSpace { min_free_bytes }
    }
}

pub(crate) fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
