//! How long a connection is written to without the other end taking anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The patience with one connection. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Patience(Arc<AtomicU64>);

impl Patience {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self(Arc::new(AtomicU64::new(millis(timeout))))
    }

    pub(crate) fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// From now on it lasts `timeout`, where that is less than it did.
    pub(crate) fn shorten(&self, timeout: Duration) {
        self.0.fetch_min(millis(timeout), Ordering::Relaxed);
    }
}

fn millis(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)
}
