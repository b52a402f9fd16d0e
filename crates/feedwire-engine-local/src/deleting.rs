//! Removing what remains of a project that is deleted.
//!
//! Its folder is renamed first, to a name that says so: from then on there is no such project. The renamed folder goes last, when
//! nothing else remains, so that a crash in between is seen at the next opening, and what is left is removed before anything is
//! served. A project is made again under the name only after that: its keys in the store are the same.

use std::io;

use feedwire_event::ProjectName;

use crate::folder::Folder;
use crate::store::{self, Store};

/// Why something remains.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the files of the deleted project cannot be removed")]
    Files(#[from] io::Error),
    #[error("what is stored of the deleted project cannot be removed")]
    Store(#[from] store::Error),
    /// The engine is closing, which is not to wait for it.
    #[error("the engine is closing")]
    Closing,
}

/// Removes everything of `project`, which [`Folder::set_aside`] has set aside, unless it is told to stop.
pub(crate) fn remove_remains(
    folder: &Folder,
    store: &Store,
    project: &ProjectName,
    stop: impl Fn() -> bool,
) -> Result<(), Error> {
    // The log takes the most: where the disk is full, the store has room again after that.
    folder.remove_files(project)?;
    store.empty_project(project.as_str(), &stop)?;
    if stop() {
        return Err(Error::Closing);
    }
    folder.remove_last(project)?;
    Ok(())
}
