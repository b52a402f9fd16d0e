//! What one address, credential or project takes, against what it may.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use feedwire_core::RateLimits;
use feedwire_dialects::refusal::Taken;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, timeout};

use crate::limits::PUBLISH_BURST_BYTES_MIN;

type Bucket = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// What one of them takes.
#[derive(Debug)]
pub(crate) struct Meter {
    /// Whose it is, as it is called.
    of: &'static str,
    pub(super) limits: RateLimits,
    requests: Option<Bucket>,
    bytes: Option<Bucket>,
    readers: Arc<AtomicU64>,
    /// What is left of the requests of a second.
    left: AtomicU64,
    used_at: AtomicU64,
    made_at: Instant,
}

/// More was asked for than there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// Whose limit it is.
    pub(crate) of: &'static str,
    /// What of.
    pub(crate) what: Taken,
    /// When to come again, in seconds, at least one.
    pub(crate) retry_after: u64,
}

/// How many requests a second there may be, and are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) of: &'static str,
    pub(crate) most: u64,
    pub(crate) left: u64,
}

/// One reader, for as long as it is there.
#[derive(Debug)]
pub(crate) struct ReaderPermit(Arc<AtomicU64>);

impl Drop for ReaderPermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Meter {
    /// A meter for these limits, which counts `readers` that are there already.
    pub(super) fn new(of: &'static str, limits: RateLimits, readers: Arc<AtomicU64>) -> Self {
        let requests = limits
            .requests_per_second
            .map(|most| Quota::per_second(permits(most)));
        let bytes = limits.publish_bytes_per_second.map(|most| {
            // The largest batch has to pass once there is quiet.
            let burst = most.max(PUBLISH_BURST_BYTES_MIN);
            Quota::per_second(permits(most)).allow_burst(permits(burst))
        });
        let bucket = |quota| RateLimiter::direct(quota).with_middleware();
        Self {
            of,
            limits,
            requests: requests.map(bucket),
            bytes: bytes.map(bucket),
            readers,
            left: AtomicU64::new(limits.requests_per_second.unwrap_or_default()),
            used_at: AtomicU64::new(0),
            made_at: Instant::now(),
        }
    }

    /// The same for other limits.
    pub(super) fn with(&self, limits: RateLimits) -> Self {
        Self::new(self.of, limits, self.readers.clone())
    }

    /// Whether it would say the same if it were made anew.
    pub(super) fn is_idle(&self) -> bool {
        let now = self.made_at.elapsed().as_secs();
        // It may be used while it is looked at.
        let unused = now.saturating_sub(self.used_at.load(Ordering::Relaxed));
        let refill = self
            .limits
            .publish_bytes_per_second
            .map_or(0, |most| PUBLISH_BURST_BYTES_MIN / most.max(1));
        unused > refill + 1 && self.readers.load(Ordering::Relaxed) == 0
    }

    pub(super) fn request(&self) -> Result<(), Exceeded> {
        self.used_at
            .store(self.made_at.elapsed().as_secs(), Ordering::Relaxed);
        let Some(bucket) = &self.requests else {
            return Ok(());
        };
        match bucket.check() {
            Ok(state) => {
                let left = u64::from(state.remaining_burst_capacity());
                self.left.store(left, Ordering::Relaxed);
                Ok(())
            }
            Err(until) => {
                self.left.store(0, Ordering::Relaxed);
                let wait = until.wait_time_from(bucket.clock().now());
                Err(self.exceeded(Taken::Requests, wait))
            }
        }
    }

    pub(super) fn publish(&self, bytes: usize) -> Result<(), Exceeded> {
        let (Some(bucket), Some(permits)) = (&self.bytes, bytes_permits(bytes)) else {
            return Ok(());
        };
        match bucket.check_n(permits) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(bucket.clock().now());
                Err(self.exceeded(Taken::PublishBytes, wait))
            }
            // More than ever comes at once, where bodies may be larger than usual.
            Err(_) => Err(self.exceeded(Taken::PublishBytes, Duration::MAX)),
        }
    }

    /// Waits for at most `within`.
    pub(super) async fn publish_in_time(
        &self,
        bytes: usize,
        within: Duration,
    ) -> Result<(), Exceeded> {
        let (Some(bucket), Some(permits)) = (&self.bytes, bytes_permits(bytes)) else {
            return Ok(());
        };
        match timeout(within, bucket.until_n_ready(permits)).await {
            // Nor is a batch larger than the least burst.
            Ok(_) => Ok(()),
            Err(_elapsed) => self.publish(bytes),
        }
    }

    pub(super) fn reader(&self) -> Result<ReaderPermit, Exceeded> {
        let most = self.limits.readers.unwrap_or(u64::MAX);
        let before = self.readers.fetch_add(1, Ordering::Relaxed);
        let permit = ReaderPermit(self.readers.clone());
        if before < most {
            Ok(permit)
        } else {
            // When one of them goes is not known.
            Err(self.exceeded(Taken::Readers, Duration::from_secs(5)))
        }
    }

    pub(super) fn standing(&self) -> Option<Standing> {
        let most = self.limits.requests_per_second?;
        Some(Standing {
            of: self.of,
            most,
            left: self.left.load(Ordering::Relaxed),
        })
    }

    fn exceeded(&self, what: Taken, wait: Duration) -> Exceeded {
        let whole = wait
            .as_secs()
            .saturating_add(u64::from(wait.subsec_nanos() > 0));
        Exceeded {
            of: self.of,
            what,
            retry_after: whole.clamp(1, 3_600),
        }
    }
}

fn permits(number: u64) -> NonZeroU32 {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn bytes_permits(bytes: usize) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(bytes).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(requests: Option<u64>, bytes: Option<u64>, readers: Option<u64>) -> Meter {
        let limits = RateLimits {
            requests_per_second: requests,
            publish_bytes_per_second: bytes,
            readers,
        };
        Meter::new("project", limits, Arc::default())
    }

    #[test]
    fn requests_beyond_those_of_a_second_are_told_when_to_come_again() {
        let meter = meter(Some(3), None, None);
        let passed = (0..1_000).take_while(|_| meter.request().is_ok()).count();
        assert!(passed >= 3, "{passed}");
        let exceeded = (0..1_000)
            .find_map(|_| meter.request().err())
            .expect("more than three");
        assert_eq!(exceeded.what, Taken::Requests);
        assert_eq!(exceeded.retry_after, 1);
    }

    #[test]
    fn the_largest_batch_passes_a_small_limit_once_and_then_waits() {
        let meter = meter(None, Some(1_000), None);
        let largest = usize::try_from(PUBLISH_BURST_BYTES_MIN).expect("it is small");
        assert_eq!(meter.publish(largest), Ok(()));
        let exceeded = meter.publish(largest).expect_err("it was all there was");
        assert_eq!(
            (exceeded.what, exceeded.retry_after),
            (Taken::PublishBytes, 3_600)
        );
        assert!(meter.publish(0).is_ok());
    }

    #[test]
    fn a_limit_of_nothing_is_looked_at_as_any_other() {
        assert!(!meter(Some(0), Some(0), Some(0)).is_idle());
    }

    #[test]
    fn a_body_beyond_any_burst_is_refused() {
        let meter = meter(None, Some(1_000), None);
        let larger = usize::try_from(PUBLISH_BURST_BYTES_MIN).expect("it is small") + 1;
        let exceeded = meter.publish(larger).expect_err("it never fits");
        assert_eq!(exceeded.retry_after, 3_600);
        assert_eq!(meter.publish(larger - 1), Ok(()));
    }

    #[test]
    fn a_reader_that_goes_makes_room_for_another() {
        let meter = meter(None, None, Some(1));
        let first = meter.reader().expect("there is room");
        assert_eq!(
            meter.reader().expect_err("there is none").what,
            Taken::Readers
        );
        drop(first);
        let again = meter.reader().expect("there is room again");
        let narrower = meter.with(RateLimits {
            readers: Some(1),
            ..RateLimits::default()
        });
        assert!(narrower.reader().is_err());
        drop(again);
        assert!(narrower.reader().is_ok());
    }
}
