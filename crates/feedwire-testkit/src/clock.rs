//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use feedwire_core::Clock;
use feedwire_event::Timestamp;

/// A clock driven by hand. It starts at 2026-11-21T08:00:00Z.
#[derive(Debug)]
pub struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn new() -> Self {
        let start: Timestamp = "2026-11-21T08:00:00Z".parse().expect("it is RFC 3339");
        Self(AtomicI64::new(start.as_micros()))
    }

    /// Moves to `time`, also to one that is past.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_micros(), Ordering::SeqCst);
    }

    /// Moves on by `span`.
    pub fn advance(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).expect("a span of a test");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
