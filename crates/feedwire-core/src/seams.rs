//! What the core needs from outside and does not reach for itself: the time and ids.

use std::fmt::Debug;
use std::sync::Arc;

use feedwire_event::{EventId, Timestamp};

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;
}

/// Gives ids to events that came without one.
pub trait Ids: Debug + Send + Sync {
    /// An id that was not given before and will not be again.
    fn next(&self) -> EventId;
}

/// Everything that the core is handed from outside.
#[derive(Clone, Debug)]
pub struct Seams {
    /// Stamps what is recorded.
    pub clock: Arc<dyn Clock>,
    /// Names what has no name.
    pub ids: Arc<dyn Ids>,
}
