//! The feeds of a project with their counts.

use serde::{Deserialize, Serialize};

/// What `GET …/feeds` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feeds {
    /// The feeds in order of their names.
    pub feeds: Vec<Feed>,
    /// The position of the last event of the project.
    pub head: u64,
}

/// A feed with what was ever published to it, trimmed events included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// How many events.
    pub events: u64,
    /// How many batches.
    pub batches: u64,
    /// How many subjects.
    pub subjects: u64,
    /// The position of its last event.
    pub last: u64,
}
