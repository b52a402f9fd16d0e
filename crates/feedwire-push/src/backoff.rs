//! How long what failed waits before it is tried again.

use std::time::Duration;

use feedwire_core::connectors::Retry;

/// A wait after the `failures`th failure: anything up to twice as much as after the one before, so that what failed together does not come
/// again together.
pub(crate) fn wait(retry: &Retry, failures: u32) -> Duration {
    longest(retry, failures).mul_f64(fastrand::f64())
}

/// The longest wait after the `failures`th failure.
fn longest(retry: &Retry, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    retry.first.saturating_mul(1 << doublings).min(retry.most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry {
            first: Duration::from_secs(1),
            most: Duration::from_mins(5),
            age: Duration::from_hours(12),
        };
        let seconds: Vec<_> = [0, 1, 2, 3, 8, 9, 10, 1_000]
            .map(|failures| longest(&retry, failures).as_secs())
            .into();
        assert_eq!(seconds, [1, 1, 2, 4, 128, 256, 300, 300]);
        for failures in 1..100 {
            assert!(wait(&retry, failures) <= longest(&retry, failures));
        }
    }

    #[test]
    fn waits_are_spread_over_all_of_it() {
        let retry = Retry {
            first: Duration::from_secs(1),
            most: Duration::from_secs(1),
            age: Duration::from_hours(12),
        };
        let waits: Vec<_> = (0..1_000).map(|_| wait(&retry, 1).as_millis()).collect();
        let in_tenth = |tenth| waits.iter().any(|wait| wait / 100 == tenth);
        assert!((0..10).all(in_tenth));
    }
}
