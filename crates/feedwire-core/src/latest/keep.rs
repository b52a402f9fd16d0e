//! Keeping the latest events of feeds caught up, for as long as their project is open.

use std::sync::Arc;

use bytes::Bytes;
use feedwire_engine::ReadError;
use feedwire_event::{FeedName, Position};
use feedwire_tally::Outage;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::limits::LATEST_INTERVAL;
use crate::project::Project;
use crate::{Core, read};

/// How far it was looked for entries of what is trimmed.
#[derive(Debug, Default)]
struct Sweep {
    /// What is trimmed is before this.
    first: Position,
    /// The last entry that was looked at; `None` once all were.
    after: Option<Bytes>,
}

impl Core {
    /// Has every event of `feed` that is readable by now applied to its latest ones; returns whether it has had any.
    pub(super) async fn catch_up(
        &self,
        project: &Arc<Project>,
        feed: &FeedName,
    ) -> Result<bool, read::Error> {
        let head = project.log().bounds().last;
        project.counts().come_to(head).await;
        let Some(last) = project.counts().last(feed) else {
            return Ok(false);
        };
        project.latest().ask(feed);
        if project.latest().through(feed) < last {
            let (project, feed) = (Arc::clone(project), feed.clone());
            // To its end: a write that is left alone could come after a later one.
            self.whole(async move { project.apply_latest(&feed, last).await })
                .await?;
        }
        Ok(true)
    }
}

impl Project {
    async fn apply_latest(&self, feed: &FeedName, target: Position) -> Result<(), ReadError> {
        while !self.latest().advance(&**self.log(), feed, target).await? {}
        Ok(())
    }

    /// Keeps the feeds that are asked for caught up until `stop`, and lets go of entries of what is trimmed.
    pub(crate) async fn keep_latest(&self, stop: &CancellationToken) {
        let mut interval = tokio::time::interval(LATEST_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut outage, mut sweep) = (Outage::default(), Sweep::default());
        let first_asked = self.latest().first_asked();
        if stop.run_until_cancelled(first_asked).await.is_none() {
            return;
        }
        while stop.run_until_cancelled(interval.tick()).await.is_some() {
            match self.keep_latest_once(&mut sweep, stop).await {
                Ok(()) if outage.ends() => tracing::info!("what is latest is kept again"),
                // Tried again with the next interval, and by whoever asks.
                Err(error) if outage.begins(&error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "what is latest is not kept"
                ),
                Ok(()) | Err(_) => {}
            }
        }
    }

    async fn keep_latest_once(
        &self,
        sweep: &mut Sweep,
        stop: &CancellationToken,
    ) -> Result<(), ReadError> {
        for feed in self.latest().asked() {
            let Some(last) = self.counts().last(&feed) else {
                continue;
            };
            while !stop.is_cancelled() && !self.latest().advance(&**self.log(), &feed, last).await?
            {
            }
        }
        let first = self.log().bounds().first;
        if sweep.after.is_some() || sweep.first < first {
            if sweep.after.is_none() {
                sweep.first = first;
            }
            sweep.after = self.latest().sweep(sweep.after.take(), sweep.first).await?;
        }
        Ok(())
    }
}
