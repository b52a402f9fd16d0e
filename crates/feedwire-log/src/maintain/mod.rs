//! Letting go of records: trimming the oldest segments, and writing segments anew without what is erased.

mod erase;
mod rewrite;
mod trim;

use std::io;
use std::sync::mpsc;

use crate::fault::Fault;
use crate::shared::Shared;
use crate::writer::is_no_space;
use crate::{Damage, append::Failed, submit};

/// Why a trim or an erasure was not done, or not wholly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A new active segment could not be begun.
    #[error(transparent)]
    Submit(#[from] submit::Error),
    /// Writing the log failed while the active segment was to be sealed.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// What was to be counted or written anew is damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk or the system failed.
    #[error("the log's files cannot be written")]
    Io(#[from] io::Error),
}

impl Error {
    /// Whether the disk had no room.
    fn is_no_space(&self) -> bool {
        match self {
            Self::Submit(error) => matches!(error, submit::Error::NoSpace { .. }),
            Self::Failed(Failed(error)) => is_no_space(error),
            Self::Io(error) => is_no_space(error),
            Self::Damaged(_) => false,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged { damage, .. } => Self::Damaged(damage),
            Fault::Io(error) => Self::Io(error),
            Fault::Index | Fault::Stale => {
                Self::Io(io::Error::other("the folder is changed by someone else"))
            }
        }
    }
}

impl Shared {
    /// Begins a new segment, and seals the one that was active.
    fn seal_active(&self) -> Result<(), Error> {
        let (told, done) = mpsc::sync_channel(1);
        let tell = move |result| drop(told.send(result));
        if self.submit_roll(Box::new(tell))? {
            // The committer tells everyone before it ends.
            let closed = |_| Error::Submit(submit::Error::Closed);
            done.recv().map_err(closed)??;
        }
        Ok(self.seal_all()?)
    }
}
