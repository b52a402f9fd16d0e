//! How long a reader may stay: as one of so many, and until what it was admitted by ends.

use std::future::pending;
use std::pin::Pin;

use feedwire_auth::Principal;
use feedwire_dialects::Refusal;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::CancellationToken;

use crate::asked::Asked;
use crate::quota::{Metered, ReaderPermit};

/// A reader's leave to be there. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Stay {
    /// Cancelled when its credential may no longer do what it did.
    ended: Option<CancellationToken>,
    /// Until its access token expires, where that ends readers.
    expiry: Option<Pin<Box<Sleep>>>,
    permits: Vec<ReaderPermit>,
}

impl Stay {
    /// That of whoever asks, if there is room for one more.
    pub(crate) fn of(asked: &Asked) -> Result<Self, Refusal> {
        let permits = asked.metered().reader()?;
        let principal = asked.principal();
        let expires_at = principal
            .and_then(Principal::expires_at)
            .filter(|_| asked.edge.tokens_end_readers());
        let now = asked.edge.clock().now();
        Ok(Self {
            ended: principal.map(|principal| principal.ended().clone()),
            expiry: expires_at.map(|at| Box::pin(sleep(now.until(at)))),
            permits,
        })
    }

    /// The same, if there is room for one more of what `metered` counts, too.
    pub(crate) fn among(mut self, metered: &Metered) -> Result<Self, Refusal> {
        self.permits.extend(metered.reader()?);
        Ok(self)
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        let is_ended = self
            .ended
            .as_ref()
            .is_some_and(CancellationToken::is_cancelled);
        is_ended
            || self
                .expiry
                .as_ref()
                // `is_elapsed` says so only of a sleep that was waited for, which a stream of events without an end never does.
                .is_some_and(|expiry| expiry.deadline() <= Instant::now())
    }

    /// Waits until it is over; returns why. Cancel safe.
    pub(crate) async fn over(&mut self) -> Refusal {
        let Self { ended, expiry, .. } = self;
        let ended = async {
            match ended {
                Some(ended) => ended.cancelled().await,
                None => pending().await,
            }
        };
        let expired = async {
            match expiry {
                Some(expiry) => expiry.as_mut().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = ended => Refusal::BadProof,
            () = expired => Refusal::ExpiredProof,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stay_is_over_when_its_time_is_although_nobody_waited_for_that() {
        let hour = Duration::from_hours(1);
        let stay = Stay {
            ended: None,
            expiry: Some(Box::pin(sleep(hour))),
            permits: Vec::new(),
        };
        assert!(!stay.is_over());
        tokio::time::advance(hour).await;
        assert!(stay.is_over());
    }
}
