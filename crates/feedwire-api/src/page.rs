//! A page of a feed.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What `GET …/feeds/{feed}` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page {
    /// The events in order, each as an [`Event`](crate::Event) reads it. A batch is never split over two pages.
    pub events: Vec<Box<RawValue>>,
    /// What to ask for next, as `after`.
    pub cursor: String,
    /// Whether there is more already.
    pub has_more: bool,
    /// The position of the last event of the project that could be read.
    pub head: u64,
    /// On the last page of states, where a reading begins with them: the position that the events follow behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<u64>,
}
