//! What an engine's logs have done, and what they and the store take: for those who run it.

use feedwire_tally::Distribution;

/// What a log has done since it was opened, and what it takes.
///
/// What an engine does not do, it counts as never done: one without segments has none of them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LogStats {
    /// Events of each commit: its count is the commits, its sum the events that were appended.
    pub commits: Distribution,
    /// Batches that were appended.
    pub batches: u64,
    /// Bytes of what was appended, as it is kept.
    pub appended_bytes: u64,
    /// Microseconds of each sync that batches waited for.
    pub syncs: Distribution,
    /// How often writing or syncing failed.
    pub failures: u64,
    /// It failed and was not mended yet: that is tried with the next batch.
    pub is_failing: bool,
    /// Bytes of batches that were submitted and are not on disk yet.
    pub queued_bytes: u64,
    /// Segments there are.
    pub segments: u64,
    /// Bytes that the log takes.
    pub size_bytes: u64,
    /// Segments that retention let go of.
    pub trimmed_segments: u64,
    /// Events that were taken out by erasures.
    pub erased_events: u64,
}

/// What the engine's place has room for, and what the store takes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(clippy::struct_field_names, reason = "what they share is the unit")]
pub struct Disk {
    /// Bytes that can still be written.
    pub free_bytes: u64,
    /// Bytes of the disk.
    pub size_bytes: u64,
    /// Bytes that the store takes.
    pub store_bytes: u64,
}
