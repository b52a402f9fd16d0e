//! What projects did when they were open before: counters go on when one is opened again, and lose nothing when it is closed.

use std::collections::BTreeMap;

use feedwire_event::ProjectName;

use crate::stats::{Done, ProjectStats};

/// What was counted of projects that have been closed since the core was opened.
#[derive(Debug, Default)]
pub(super) struct Past {
    by_name: BTreeMap<ProjectName, Done>,
    /// Of all that were deleted.
    gone: Done,
}

impl Past {
    /// The project `name` is closed, and has done `stats` since it was opened.
    pub(super) fn add(&mut self, name: &ProjectName, stats: &ProjectStats) {
        let before = self.by_name.entry(name.clone()).or_default();
        *before = std::mem::take(before).and(&stats.done());
    }

    /// The project `name` is deleted. One that is made under that name later begins with nothing.
    pub(super) fn bury(&mut self, name: &ProjectName) {
        if let Some(done) = self.by_name.remove(name) {
            self.gone = std::mem::take(&mut self.gone).and(&done);
        }
    }

    /// What the project `name` had done when it was last closed.
    pub(super) fn of(&self, name: &ProjectName) -> Option<&Done> {
        self.by_name.get(name)
    }

    /// What all have done that are not open, together.
    pub(super) fn of_others(&self, is_open: impl Fn(&ProjectName) -> bool) -> Done {
        let closed = self.by_name.iter().filter(|(name, _)| !is_open(name));
        closed.fold(self.gone.clone(), |sum, (_, done)| sum.and(done))
    }
}
