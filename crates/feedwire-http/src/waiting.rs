//! Long polls: readers that have found nothing and wait.

use std::time::Duration;

use feedwire_core::{Delivery, Reader, Step, read};
use feedwire_dialects::Refusal;
use feedwire_engine::Limit;
use tokio::time::timeout;

use crate::asked::Asked;
use crate::edge::Edge;
use crate::stay::Stay;

/// A poll that waits, and holds nothing else of its request: the head keeps the buffer that the connection read it into.
#[derive(Debug)]
pub(crate) struct Waiting {
    edge: Edge,
    stay: Stay,
}

impl Waiting {
    /// That of whoever asks, if there is room for one more reader.
    pub(crate) fn of(asked: Asked) -> Result<Self, Refusal> {
        let stay = Stay::of(&asked)?;
        Ok(Self {
            edge: asked.edge,
            stay,
        })
    }

    /// The next events; nothing when `wait` is over or the server stops.
    pub(crate) async fn next<E: From<Refusal> + From<read::Error>>(
        mut self,
        reader: &mut Reader,
        limit: Limit,
        wait: Duration,
    ) -> Result<Option<Delivery>, E> {
        let wait = rounded(wait, self.edge.age());
        let next = tokio::select! {
            biased;
            refusal = self.stay.over() => return Err(refusal.into()),
            () = self.edge.stop().cancelled() => return Ok(None),
            next = timeout(wait, reader.next(limit)) => next,
        };
        Ok(match next {
            Ok(Ok(Step::Events(delivery))) => Some(delivery),
            Ok(Ok(Step::End | Step::Closing)) | Err(_) => None,
            Ok(Err(error)) => return Err(error.into()),
        })
    }
}

/// How long a poll waits that may wait for `wait`, at a server of this `age`: up to a sixty-fourth less, so that polls end many at a time.
/// Waking up for each of them alone would cost more than all of the rest.
fn rounded(wait: Duration, age: Duration) -> Duration {
    let Some(step) = (wait.as_millis() / 64).checked_ilog2() else {
        return wait;
    };
    let step = Duration::from_millis(1 << step);
    let beyond = (age + wait).as_nanos() % step.as_nanos();
    let beyond = u64::try_from(beyond).expect("it is less than a step");
    wait.saturating_sub(Duration::from_nanos(beyond))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_down_by_a_sixty_fourth_at_most_and_end_together() {
        for wait in [0, 1, 63, 64, 1_000, 1_001, 55_000, 60_000].map(Duration::from_millis) {
            let ends = (0..20_000).map(|millis| {
                let age = Duration::from_micros(700 + 1_000 * millis);
                let waits = rounded(wait, age);
                assert!(
                    waits <= wait && waits + wait / 64 >= wait,
                    "{wait:?} {age:?}"
                );
                age + waits
            });
            let mut ends: Vec<Duration> = ends.collect();
            ends.dedup();
            // Twenty seconds have so many steps.
            let step = (wait / 128).max(Duration::from_millis(1));
            assert!(
                ends.len() as u128 <= 1 + 20_000 / step.as_millis(),
                "{wait:?}"
            );
        }
    }
}
