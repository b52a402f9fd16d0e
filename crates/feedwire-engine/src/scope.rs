//! Which records a reading is about, as far as an engine's index can tell.

use feedwire_event::{FeedName, Subject, TypeName};

use crate::Record;

/// A record is in scope if it has one of the feeds, one of the types and one of the subjects; an empty list asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scope {
    /// The feeds; empty is every feed.
    pub feeds: Vec<FeedName>,
    /// The types; empty is every type.
    pub types: Vec<TypeName>,
    /// The subjects; empty is every subject, and events without one.
    pub subjects: Vec<Subject>,
}

impl Scope {
    /// Every record of the log.
    pub fn all() -> Self {
        Self::default()
    }

    /// Whether every record is in scope.
    pub fn is_all(&self) -> bool {
        self.feeds.is_empty() && self.types.is_empty() && self.subjects.is_empty()
    }

    /// Whether `record` is in scope.
    pub fn has(&self, record: &Record) -> bool {
        let feed = self.feeds.is_empty() || self.feeds.iter().any(|f| f.as_str() == record.feed());
        let ty = self.types.is_empty() || self.types.iter().any(|t| t.as_str() == record.ty());
        let subject = || match record.subject() {
            Some(subject) => self.subjects.iter().any(|s| s.as_str() == subject),
            None => false,
        };
        feed && ty && (self.subjects.is_empty() || subject())
    }
}
