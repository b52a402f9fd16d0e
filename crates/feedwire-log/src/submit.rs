//! What can come of submitting a batch.

use crate::append::Failed;

/// Told once what became of a batch.
pub type Done = Box<dyn FnOnce(Result<(), Failed>) + Send>;

/// Why a batch was not taken. Nothing was written and no position used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no room on disk, but for what has to stay free. Appending goes on when there is room again.
    #[error("no space left for the log beyond the {min_free_bytes} bytes that have to stay free")]
    NoSpace {
        /// How much has to stay free.
        min_free_bytes: u64,
    },
    /// Too much is submitted and not yet written.
    #[error("too many bytes wait to be written")]
    Busy,
    /// A batch that was submitted before came to nothing, since the caller last asked [`crate::Log::failures`].
    #[error("an append before this one failed")]
    Failed,
    /// Every position is used.
    #[error("the log has no positions left")]
    Exhausted,
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// The next segment could not be made, for another reason than space.
    #[error("the log cannot be extended")]
    Io(#[source] std::io::Error),
}
