//! Connections, and what keeps others from becoming one.

use feedwire_tally::{Count, Level};

use super::Handshakes;

/// What was counted of a listener's connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    pub(crate) open: Level,
    pub(crate) accepted: Count,
    /// Times that accepting one failed.
    pub(crate) accept_failures: Count,
    /// Times that as many as may be were open, so that others waited in the listener's backlog.
    pub(crate) accept_waits: Count,
    pub(crate) handshakes: Handshakes,
    /// Requests that were no HTTP, or whose head was far beyond the limits.
    pub(crate) malformed: Count,
}
