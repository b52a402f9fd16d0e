//! What can be set about a log.

/// Sizes of a log. [`Options::default`] is right unless a test wants small ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "a number bears its unit")]
pub struct Options {
    /// A segment is full when the next batch would make it larger than this; a batch larger than that gets a segment of
    /// its own. At most 1 GiB.
    pub segment_bytes: u32,
    /// Batches that are submitted and not yet on disk are at most this many bytes; beyond it [`crate::submit::Error::Busy`].
    pub queue_bytes: usize,
    /// Appends leave this much free on the file system, for what else is on it: a batch that would take of that is refused with
    /// [`crate::submit::Error::NoSpace`]. Less than 512 KiB counts as that. What is not appended may go into it: indexes of
    /// segments that are full, and trims and erasures, which make room.
    ///
    /// Servers that store things have such a bound by this name, or as a limit of free space; a *reserve* is often room that is taken
    /// ahead and given up when it is needed, which this is not.
    pub min_free_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            queue_bytes: 64 << 20,
            min_free_bytes: 0,
        }
    }
}
