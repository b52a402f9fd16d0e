//! [`Level`]: how many of something there are at this moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many have entered and not yet left. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Level(Arc<AtomicU64>);

/// One of those that a [`Level`] counts; it leaves when it is dropped.
#[derive(Debug)]
pub struct Entered(Level);

impl Level {
    /// One more, until what is returned is dropped.
    #[must_use]
    pub fn enter(&self) -> Entered {
        self.0.fetch_add(1, Ordering::Relaxed);
        Entered(self.clone())
    }

    /// How many there are.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let Self(Level(level)) = self;
        level.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_falls_when_what_entered_is_dropped() {
        let level = Level::default();
        let (one, other) = (level.enter(), level.enter());
        assert_eq!(level.get(), 2);
        drop(one);
        assert_eq!(level.get(), 1);
        drop(other);
        assert_eq!(level.get(), 0);
    }
}
