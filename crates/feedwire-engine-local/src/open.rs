//! How the engine is set up, and why it could not be opened.

use std::io;
use std::path::PathBuf;

use feedwire_event::limits::MARKS_KEPT;

/// What appends to the server's own project leave free at most: a change has to be on record for it to be made, and the store makes
/// changes until a quarter of [`Options::store_reserve_bytes`] is left.
pub(crate) const SYSTEM_MIN_FREE_BYTES: u64 = 16 << 20;

/// Sizes and bounds of the engine. [`Options::default`] is right unless a test wants small ones.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A segment of a log is full at this size.
    pub segment_bytes: u32,
    /// What is appended to one log and not yet on disk is at most this much; appends beyond it wait.
    pub queue_bytes: u32,
    /// At most this many projects are open at once: each has a thread and a few files.
    pub projects_open_max: usize,
    /// At most this many subjects of a project are kept in memory, at some 64 bytes each.
    pub heads_cached_max: usize,
    /// It is known of at least this many of the last events of a project by which marks they were published, at up to some 70 bytes
    /// each, twice that where every one bears an id and a key; nothing is kept of a project whose events bear none.
    pub marks_kept: u64,
    /// The store takes no more while the disk has less room than this: it must always be able to write out and compact
    /// what it holds, for a write that fails there is not taken back before the next start.
    pub store_reserve_bytes: u64,
    /// Appends leave this much free on the disk: [`feedwire_log::Options::min_free_bytes`]. As it is, that is twice of what the store
    /// needs to have credentials, retention and erasures settled, so that an erasure can write a segment anew beside it.
    ///
    /// The server's own project, where those changes are put on record, leaves 16 MiB, if that is less.
    pub min_free_bytes: u64,
    /// Memory for blocks of the store that were read.
    pub store_cache_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            queue_bytes: 64 << 20,
            projects_open_max: 512,
            heads_cached_max: 1 << 20,
            marks_kept: MARKS_KEPT,
            store_reserve_bytes: 256 << 20,
            min_free_bytes: 128 << 20,
            store_cache_bytes: 64 << 20,
        }
    }
}

/// Why the engine was not opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it open, or this one has.
    #[error("{0} is open in another process")]
    InUse(PathBuf),
    /// The folder has other things in it.
    #[error("{0} is not empty and no data folder of Feedwire")]
    Foreign(PathBuf),
    /// It was written by a later version of Feedwire.
    #[error("{folder} has format {found}, this version of Feedwire reads format {known}")]
    Format {
        /// The folder.
        folder: PathBuf,
        /// The format it has.
        found: u32,
        /// The format that is known.
        known: u32,
    },
    /// The folder's files cannot be read or written.
    #[error("{folder} cannot be read or written")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store in it cannot be opened.
    #[error("the store in {folder} cannot be opened")]
    Store {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
