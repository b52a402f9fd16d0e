//! What can be set about a log.

/// Sizes of a log. [`Options::default`] is right unless a test wants small ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// A segment is full when the next batch would make it larger than this; a batch larger than that gets a segment of
    /// its own. At most 1 GiB.
    pub segment_bytes: u32,
    /// Batches that are submitted and not yet on disk are at most this many bytes; beyond it [`crate::submit::Error::Busy`].
    pub queue_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            queue_bytes: 64 << 20,
        }
    }
}
