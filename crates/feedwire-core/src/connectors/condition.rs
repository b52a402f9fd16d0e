//! What of a connector's failing outlives the server: since when it fails, and since when it tries which events.

use feedwire_event::{Position, Timestamp};

/// How a connector fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Since when nothing has succeeded, where something has failed since.
    pub failing_since: Option<Timestamp>,
    /// The events that have failed and are tried again, in order of their positions.
    pub trying: Vec<(Position, Trying)>,
}

/// How an event fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trying {
    /// When it failed first.
    pub since: Timestamp,
    /// How often it has failed.
    pub failures: u32,
}
