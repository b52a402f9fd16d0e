//! How long to wait before the next try.

use std::time::Duration;

/// The wait before the second try, unless the server names another.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The shortest first wait that a server can ask for, so that one that asks for none is not asked in a busy loop.
const ASKED_WAIT_MIN: Duration = Duration::from_millis(10);
/// The longest wait that is chosen here.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// The longest wait that a server can ask for.
const ASKED_WAIT_MAX: Duration = Duration::from_mins(5);

/// Tries that failed in a row, and the waits between them: doubled each time, and spread over half of it, so that the
/// many clients that one restart cut off do not come back at one moment.
#[derive(Debug)]
pub(crate) struct Backoff {
    first_wait: Duration,
    failed: u32,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self {
            first_wait: FIRST_WAIT,
            failed: 0,
        }
    }

    /// Takes the server's word for the first wait.
    pub(crate) fn start_with(&mut self, wait: Duration) {
        self.first_wait = wait.clamp(ASKED_WAIT_MIN, WAIT_MAX);
    }

    /// How many tries failed in a row.
    pub(crate) fn failed(&self) -> u32 {
        self.failed
    }

    /// A try went well.
    pub(crate) fn succeeded(&mut self) {
        self.failed = 0;
    }

    /// Another try failed: how long to wait, at least what the server `asked` for.
    pub(crate) fn fail(&mut self, asked: Option<Duration>) -> Duration {
        let longest = doubled(self.first_wait, self.failed);
        self.failed += 1;
        let wait = longest.mul_f64(0.5 + fastrand::f64() / 2.0);
        wait.max(asked.unwrap_or_default().min(ASKED_WAIT_MAX))
    }
}

/// How long what has failed `times` is left alone, where nobody else comes at the same moment.
pub(crate) fn delay(times: u64) -> Duration {
    let before = u32::try_from(times.saturating_sub(1));
    doubled(FIRST_WAIT, before.unwrap_or(u32::MAX))
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_start_over_after_success() {
        let mut backoff = Backoff::new();
        for longest_ms in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let longest = Duration::from_millis(longest_ms);
            let wait = backoff.fail(None);
            assert!(
                longest / 2 <= wait && wait <= longest,
                "{wait:?} of {longest:?}"
            );
        }
        assert_eq!(backoff.failed(), 8);
        backoff.succeeded();
        assert!(backoff.fail(None) <= FIRST_WAIT);
    }

    #[test]
    fn a_server_that_asks_for_no_wait_is_not_asked_in_a_busy_loop() {
        let mut backoff = Backoff::new();
        backoff.start_with(Duration::ZERO);
        assert!(backoff.fail(None) >= ASKED_WAIT_MIN / 2);
        backoff.start_with(Duration::from_hours(1));
        assert!(backoff.fail(None) <= WAIT_MAX);
    }

    #[test]
    fn a_server_can_ask_for_more_within_reason() {
        let mut backoff = Backoff::new();
        assert_eq!(
            backoff.fail(Some(Duration::from_mins(1))),
            Duration::from_mins(1)
        );
        assert_eq!(backoff.fail(Some(Duration::from_hours(24))), ASKED_WAIT_MAX);
    }
}
