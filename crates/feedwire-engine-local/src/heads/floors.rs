//! Subjects that begin anew: up to where what they have had counts for nothing.

use std::collections::HashMap;

use feedwire_engine::{Erasure, Head};
use feedwire_event::{FeedName, Position, Subject};

use crate::store::heads_of_project;

/// The positions up to which feeds, subjects and subjects of feeds are forgotten.
#[derive(Debug)]
pub(super) struct Floors {
    /// Where the feed begins in the key of a head.
    feed_start: usize,
    /// By feed, NUL and subject, as the key of a head ends with them; a name that is empty stands for every one.
    of: HashMap<Box<[u8]>, Position>,
}

impl Floors {
    /// None.
    pub(super) fn new(project: &str) -> Self {
        Self {
            feed_start: heads_of_project(project).len(),
            of: HashMap::new(),
        }
    }

    /// Has what `erasure` names count for nothing up to its `through`, where that is beyond what was said before.
    pub(super) fn raise(&mut self, erasure: &Erasure) {
        let feed = erasure.feed.as_ref().map_or("", FeedName::as_str);
        let subject = erasure.subject.as_ref().map_or("", Subject::as_str);
        let named = [feed.as_bytes(), subject.as_bytes()].join(&0);
        let floor = self.of.entry(named.into()).or_insert(Position::ZERO);
        *floor = erasure.through.max(*floor);
    }

    /// Whether `head`, which is that at `key`, counts for nothing.
    pub(super) fn hide(&self, key: &[u8], head: Head) -> bool {
        if self.of.is_empty() {
            return false;
        }
        let name = &key[self.feed_start..];
        let nul = name.iter().position(|byte| *byte == 0);
        let nul = nul.expect("a NUL stands between feed and subject");
        let is_below = |named: &[u8]| self.of.get(named).is_some_and(|of| head.position <= *of);
        [name, &name[..=nul], &name[nul..], &name[nul..=nul]]
            .into_iter()
            .any(is_below)
    }
}
