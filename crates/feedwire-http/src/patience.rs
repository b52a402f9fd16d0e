//! How long a connection is written to without the other end taking anything.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

/// The patience with one connection. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Patience(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    millis: AtomicU64,
    is_over: AtomicBool,
}

impl Patience {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self(Arc::new(Shared {
            millis: AtomicU64::new(millis(timeout)),
            is_over: AtomicBool::new(false),
        }))
    }

    pub(crate) fn get(&self) -> Duration {
        Duration::from_millis(self.0.millis.load(Ordering::Relaxed))
    }

    /// From now on it lasts `timeout`, where that is less than it did.
    pub(crate) fn shorten(&self, timeout: Duration) {
        self.0.millis.fetch_min(millis(timeout), Ordering::Relaxed);
    }

    /// `done` with the connection, which is over where that took too long: the system says so to whoever asks it next.
    pub(crate) fn noted<T>(&self, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &done
            && error.kind() == io::ErrorKind::TimedOut
        {
            self.0.is_over.store(true, Ordering::Release);
        }
        done
    }

    /// Whether the connection was given up.
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::Acquire)
    }
}

fn millis(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)
}
