//! Forgetting the states of what is erased.

use bytes::Bytes;
use feedwire_engine::{Erasure, Limit, Unavailable, Write};
use feedwire_event::{FeedName, Position};

use super::stored::{self, ENTITIES};
use super::{Entities, EntityKey};
use crate::limits::{ENTITIES_READ_BYTES, STORE_SCAN};

impl Entities {
    /// Keeps nothing of what `erasure` names, of which the log has nothing any more, and up to which everything is taken in. It is on
    /// disk that it is gone.
    pub(crate) async fn forget(&self, erasure: &Erasure) -> Result<(), Unavailable> {
        {
            // What is in memory behind this came later than what is erased.
            let _saving = self.saving.lock().await;
            self.write(false).await?;
        }
        let feeds = match &erasure.feed {
            Some(feed) => vec![feed.clone()],
            None => self.feeds().await?,
        };
        for feed in &feeds {
            match &erasure.subject {
                Some(subject) => {
                    let key = stored::key(feed.as_str(), subject.as_str());
                    let _saving = self.saving.lock().await;
                    let entry = self.view.get(&key).await?.map(|value| (key, value));
                    let entries = entry.into_iter().collect();
                    self.remove(feed, entries, erasure.through).await?;
                }
                None => self.forget_all(feed, erasure.through).await?,
            }
        }
        self.view.sync().await?;
        Ok(())
    }

    async fn forget_all(&self, feed: &FeedName, through: Position) -> Result<(), Unavailable> {
        let prefix = stored::of_feed(feed.as_str());
        let limit = Limit {
            records: STORE_SCAN,
            bytes: ENTITIES_READ_BYTES,
        };
        let mut after = None::<Bytes>;
        loop {
            // Held for a page at a time: whoever changes entities waits for it where there is much in memory.
            let _saving = self.saving.lock().await;
            let page = self.view.page(&prefix, after.as_deref(), limit).await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            self.remove(feed, page, through).await?;
        }
    }

    /// Removes those of `entries` of `feed` that were changed last up to `through`. To be called while `saving` is held.
    async fn remove(
        &self,
        feed: &FeedName,
        entries: Vec<(Bytes, Bytes)>,
        through: Position,
    ) -> Result<(), Unavailable> {
        let is_gone = |value: &Bytes| stored::position(value).is_none_or(|at| at <= through);
        let gone = entries.into_iter().filter(|(_, value)| is_gone(value));
        let gone: Vec<Bytes> = gone.map(|(key, _)| key).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let removed = gone.len() as u64;
        // What the view has counted, without what is in memory: that is counted again after a crash.
        let counted = self.view.get(&stored::count_key(feed)).await?;
        let counted = counted
            .map(|value| stored::read_number(&value))
            .transpose()?;
        let left = counted.unwrap_or_default().saturating_sub(removed);
        let gone = gone.into_iter().map(|key| Write { key, value: None });
        let writes = gone.chain([stored::count(feed, left)]).collect();
        self.view.apply(self.view.applied(), writes).await?;
        let mut state = self.state.lock();
        if let Some(count) = state.counts.get_mut(feed) {
            *count = count.saturating_sub(removed);
        }
        Ok(())
    }

    /// The feeds that the view has entities of, whatever the counts say.
    async fn feeds(&self) -> Result<Vec<FeedName>, Unavailable> {
        let mut feeds = Vec::new();
        let mut after = None::<Bytes>;
        loop {
            let one = Limit::records(1);
            let page = self.view.page(ENTITIES, after.as_deref(), one).await?;
            let Some((key, _)) = page.first() else {
                return Ok(feeds);
            };
            let EntityKey { feed, .. } = stored::read_key(key)?;
            after = Some(stored::behind_feed(feed.as_str()));
            feeds.push(feed);
        }
    }
}
