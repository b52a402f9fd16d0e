//! Time, as it passes.

use std::time::{Duration, Instant};

/// The present, for measuring spans.
#[expect(clippy::disallowed_methods, reason = "a benchmark is about real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How long `what` takes.
pub(crate) fn time<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let start = now();
    let value = what();
    (value, start.elapsed())
}
