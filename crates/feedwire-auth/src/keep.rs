//! What goes on beside the requests: telling those whose time has come, and forgetting used assertions that have expired.

use feedwire_engine::{Precondition, PutError, Unavailable};
use feedwire_tally::Outage;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::Auth;
use crate::assertion::is_over;
use crate::limits::{KEEP_INTERVAL, STORE_SCAN, SWEEP_INTERVAL};

impl Auth {
    /// Ends what credentials and older secrets proved within a second of their end, and sweeps the store, until `stop` is cancelled.
    /// One of these runs in a server. However many streams run, it looks at one time in memory twice a second.
    pub async fn keep(&self, stop: CancellationToken) {
        let ending = async {
            let mut tick = tokio::time::interval(KEEP_INTERVAL);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                self.end_due();
            }
        };
        let sweeping = async {
            let mut outage = Outage::default();
            let mut tick = tokio::time::interval(SWEEP_INTERVAL);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                self.sweep_or_warn(&mut outage).await;
            }
        };
        let both = async { tokio::join!(ending, sweeping) };
        tokio::select! {
            () = stop.cancelled() => (),
            ((), ()) = both => (),
        }
    }

    /// Ends what has come to its end.
    pub(crate) fn end_due(&self) {
        let now = self.now();
        if !self.table().read().is_due(now) {
            return;
        }
        let due = self.table().write().take_due(now);
        for entry in due {
            entry.end_due(now);
        }
    }

    async fn sweep_or_warn(&self, outage: &mut Outage) {
        match self.sweep().await {
            Ok(()) if outage.ends() => tracing::info!("used assertions are let go of again"),
            Ok(()) => {}
            // Tried again with the next interval.
            Err(Unavailable(error)) => {
                if outage.begins(&*error) {
                    tracing::warn!(
                        error = &*error as &dyn std::error::Error,
                        "used assertions that have expired stay in the store"
                    );
                }
            }
        }
    }

    /// Lets go of used assertions that would be refused for their time by now.
    pub(crate) async fn sweep(&self) -> Result<(), Unavailable> {
        let space = self.used().space();
        loop {
            let now = self.now();
            let entries = self.primary().scan(space, b"", None, STORE_SCAN).await?;
            let over = entries.iter().filter(|(key, _)| is_over(key, now));
            let mut swept = 0;
            for (key, entry) in over {
                match self.primary().delete(space, key, Precondition::Any).await {
                    Ok(()) | Err(PutError::Changed { .. }) => self.used().remove(&entry.value),
                    Err(error @ PutError::NoSpace(_)) => return Err(Unavailable::new(error)),
                    Err(PutError::Unavailable(unavailable)) => return Err(unavailable),
                }
                swept += 1;
            }
            if swept < STORE_SCAN {
                return Ok(());
            }
        }
    }
}
