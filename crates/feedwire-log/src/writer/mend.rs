//! Going back to the last synced end after something could not be written or synced.
//!
//! What was written since then may be on disk in any part, whatever reading it back shows. It is cut, and the positions in
//! it are not given again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Committer;
use super::committer::Broken;
use super::room::Room;
use crate::segment::segment_name;
use crate::storage::File;

/// What the disk, or the memory's page, writes at once: what shares it with bytes that failed is written again.
const BLOCK: u64 = 4096;

impl Committer {
    /// Everything is as it was at the last synced end, or is put so.
    pub(super) fn mended(&mut self) -> io::Result<()> {
        if let Some(broken) = self.broken {
            self.mend(broken)?;
            self.broken = None;
            self.log.meter.is_failing.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    fn mend(&mut self, broken: Broken) -> io::Result<()> {
        self.remove_abandoned()?;
        let file = Arc::clone(&self.active.file);
        rewrite(&*file, self.end - self.end % BLOCK, self.end)?;
        file.sync_data()?;
        if !self.is_marked {
            // Positions whose bytes may be on disk are told before those bytes go.
            self.write_mark(broken.next_position, broken.recorded_at)?;
        }
        self.cut()?;
        file.sync_data()
    }

    /// Cuts the active segment behind its end, and makes room for what is queued.
    fn cut(&self) -> io::Result<()> {
        let file = &*self.active.file;
        // No room is made in the file while it is cut. Those who submit wait for this, so nothing is synced in here.
        let mut intake = self.log.intake.lock();
        let plan = &mut intake.plan;
        let len = file.len()?;
        file.set_len(self.end)?;
        // If there is no room, writing will say so; the file ends with the mark either way.
        if plan.first_position == self.active.header.first_position {
            plan.allocated = self.end;
            let step = plan.step();
            drop(plan.extend(plan.end.max(self.end), step, Room::All));
        } else {
            drop(file.allocate(self.end, len.saturating_sub(self.end)));
        }
        Ok(())
    }

    fn remove_abandoned(&mut self) -> io::Result<()> {
        if self.abandoned.is_empty() {
            return Ok(());
        }
        let storage = &*self.log.storage;
        for first in &self.abandoned {
            match storage.remove(&segment_name(*first)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        storage.sync_folder()?;
        self.abandoned.clear();
        Ok(())
    }
}

/// Writes bytes again as they are read, so that the next sync covers them.
pub(crate) fn rewrite(file: &dyn File, start: u64, end: u64) -> io::Result<()> {
    let len = usize::try_from(end - start).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(len);
    file.read_at(start, len, &mut bytes)?;
    file.write_at(start, &bytes)
}
