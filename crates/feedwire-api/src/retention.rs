//! How long a project's events are kept.

use serde::{Deserialize, Serialize};

/// What `GET` and `PUT …/retention` take and answer. Without a bound everything is kept; with both, an event goes when either lets
/// go of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Events recorded within this span, such as `30d` or `5hours`, are kept. Older ones go with the segment of the log that they are in.
    pub age: Option<String>,
    /// The newest events up to this many bytes on disk are kept.
    pub bytes: Option<u64>,
}
