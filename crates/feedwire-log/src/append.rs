//! What can come of appending a batch.

use std::sync::Arc;

use crate::submit;

/// A batch was submitted and may be on disk or not: writing or syncing failed.
///
/// It is not readable. After the next opening it may be, so it must not be taken as refused.
#[derive(Clone, Debug, thiserror::Error)]
#[error("writing the log failed, and whether the batch is on disk is not known")]
pub struct Failed(#[source] pub Arc<std::io::Error>);

/// Why a batch was not appended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was not taken.
    #[error(transparent)]
    Submit(#[from] submit::Error),
    /// It was taken, and the outcome is not known.
    #[error(transparent)]
    Failed(#[from] Failed),
}
