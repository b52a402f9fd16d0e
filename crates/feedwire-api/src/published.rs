//! What a publisher is answered.

use serde::{Deserialize, Serialize};

/// The answer to one event or one batch: it is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The position of the first event.
    pub first: u64,
    /// The position of the last event; positions in between are the batch's.
    pub last: u64,
    /// How many events.
    pub count: u64,
    /// When they were recorded, RFC 3339.
    pub recorded_at: String,
    /// The version that their subject has now, where all of them have the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// The answer to a body of newline delimited JSON: every line is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// The position of the first event.
    pub first: u64,
    /// The position of the last event; other publishers' events may lie in between.
    pub last: u64,
    /// How many events.
    pub count: u64,
    /// In how many batches they were appended.
    pub batches: u64,
    /// When the last batch was recorded, RFC 3339.
    pub recorded_at: String,
}
