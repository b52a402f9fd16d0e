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
    /// Whether the events were there already, as all of this then says: nothing was published.
    #[serde(default, skip_serializing_if = "is_false")]
    pub duplicate: bool,
}

/// The answer to a body of newline delimited JSON: every line is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// The position of the first event.
    pub first: u64,
    /// The position of the last event; other publishers' events may lie in between.
    pub last: u64,
    /// How many events, those that were there already among them.
    pub count: u64,
    /// How many of them were there already, and were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub duplicates: u64,
    /// In how many batches the others were appended.
    pub batches: u64,
    /// When the last of them was recorded, RFC 3339.
    pub recorded_at: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}
