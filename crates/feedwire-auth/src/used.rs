//! Where it is kept that assertions came, and how many of each credential are.

use std::collections::HashMap;

use feedwire_engine::Space;
use parking_lot::Mutex;

use crate::limits::{ASSERTIONS_MAX, CREDENTIAL_ASSERTIONS_MAX};

/// The used assertions that are kept. Whose each is, a key id, is its value in the store.
#[derive(Debug)]
pub(crate) struct UsedAssertions {
    space: Space,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    of: HashMap<Box<[u8]>, usize>,
}

impl UsedAssertions {
    pub(crate) fn new(space: Space) -> Self {
        let counts = Mutex::default();
        Self { space, counts }
    }

    pub(crate) fn space(&self) -> &Space {
        &self.space
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.counts.lock().all
    }

    /// Whether no more of `whose` can be kept. One that uses very many keeps nobody else from using theirs.
    pub(crate) fn is_full(&self, whose: &[u8]) -> bool {
        let counts = self.counts.lock();
        let own = counts.of.get(whose).copied().unwrap_or_default();
        counts.all >= ASSERTIONS_MAX || own >= CREDENTIAL_ASSERTIONS_MAX
    }

    pub(crate) fn add(&self, whose: &[u8]) {
        let mut counts = self.counts.lock();
        counts.all += 1;
        *counts.of.entry(whose.into()).or_default() += 1;
    }

    /// One less. One of which the store did not say that it was written may never have been counted.
    pub(crate) fn remove(&self, whose: &[u8]) {
        let mut counts = self.counts.lock();
        counts.all = counts.all.saturating_sub(1);
        if let Some(own) = counts.of.get_mut(whose) {
            *own -= 1;
            if *own == 0 {
                counts.of.remove(whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_credential_with_very_many_assertions_keeps_no_other_from_its_own() {
        let used = UsedAssertions::new(crate::auth::space("assertions"));
        for _ in 0..CREDENTIAL_ASSERTIONS_MAX {
            assert!(!used.is_full(b"one"));
            used.add(b"one");
        }
        assert!(used.is_full(b"one"));
        assert!(!used.is_full(b"other"));
        used.remove(b"one");
        assert!(!used.is_full(b"one"));
        // Never counted: it takes nothing from others.
        used.remove(b"other");
        assert_eq!(used.count(), CREDENTIAL_ASSERTIONS_MAX - 2);
    }
}
