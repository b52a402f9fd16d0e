//! Which entity: its feed and its subject.

use std::fmt;

use feedwire_event::{FeedName, Subject};

/// Names an entity. The order is that of feeds, then of subjects, by their bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityKey {
    /// Its feed.
    pub feed: FeedName,
    /// Its subject.
    pub subject: Subject,
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entity {:?} of feed {}", self.subject, self.feed)
    }
}

impl fmt::Debug for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.feed, self.subject)
    }
}
