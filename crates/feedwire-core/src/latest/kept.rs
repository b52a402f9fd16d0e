//! The view `latest`: where the latest event of each (subject, type) stands, of the feeds that were asked for it.
//!
//! Each feed has a position of its own, up to which it is applied, beside that of the view, which is the largest of them. What is
//! behind it is taken from the log, so that nothing need be in memory; a chunk and the position behind it are written together.
//!
//! An entry whose event is gone stands for nothing: what is trimmed is the beginning of the log, and what is erased is everything about
//! a subject or in a feed up to a position, so nothing earlier of that subject and type is left either.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use feedwire_engine::{Chunk, Erasure, Log, ReadError, Record, Scope, Unavailable, View, Write};
use feedwire_event::{FeedName, Position, Subject, TypeName};
use parking_lot::Mutex;
use tokio::sync::SetOnce;

use super::keys;
use crate::limits::STORE_SCAN;
use crate::project::TAIL_READ;

/// The latest events of a project's feeds.
#[derive(Debug)]
pub(crate) struct Latest {
    view: Arc<dyn View>,
    feeds: Mutex<BTreeMap<FeedName, Kept>>,
    /// Held over a reading of the log and the write of what it found, so that each feed goes forward.
    writing: tokio::sync::Mutex<()>,
    asked: SetOnce<()>,
}

/// A feed whose latest events are kept.
#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    /// Up to where it is applied.
    through: Position,
    /// It was asked for since the project was opened.
    is_asked: bool,
}

impl Latest {
    /// Takes up what stands in `view`.
    pub(crate) async fn open(view: Arc<dyn View>) -> Result<Self, Unavailable> {
        let mut feeds = BTreeMap::new();
        for (key, value) in view.scan(keys::FEEDS, None, usize::MAX).await? {
            let (feed, through) = keys::read_feed(&key, &value)?;
            let kept = Kept {
                through,
                is_asked: false,
            };
            feeds.insert(feed, kept);
        }
        Ok(Self {
            view,
            feeds: Mutex::new(feeds),
            writing: tokio::sync::Mutex::default(),
            asked: SetOnce::new(),
        })
    }

    /// Keeps `feed` from now on, and keeps it caught up until the project is closed.
    pub(super) fn ask(&self, feed: &FeedName) {
        let mut feeds = self.feeds.lock();
        feeds.entry(feed.clone()).or_default().is_asked = true;
        // An error says that it was told before.
        drop(self.asked.set(()));
    }

    /// Waits until a feed was asked for since the project was opened.
    pub(super) async fn first_asked(&self) {
        self.asked.wait().await;
    }

    /// The feeds that were asked for since the project was opened.
    pub(super) fn asked(&self) -> Vec<FeedName> {
        let feeds = self.feeds.lock();
        let asked = feeds.iter().filter(|(_, kept)| kept.is_asked);
        asked.map(|(feed, _)| feed.clone()).collect()
    }

    /// Up to where `feed` is applied.
    pub(super) fn through(&self, feed: &FeedName) -> Position {
        let feeds = self.feeds.lock();
        feeds.get(feed).map_or(Position::ZERO, |kept| kept.through)
    }

    /// Applies the next stretch of `log` to `feed`; returns whether it has come to `target`. To be awaited to its end.
    pub(super) async fn advance(
        &self,
        log: &dyn Log,
        feed: &FeedName,
        target: Position,
    ) -> Result<bool, ReadError> {
        let _writing = self.writing.lock().await;
        let after = self.through(feed);
        if after >= target {
            return Ok(true);
        }
        let Chunk {
            records, through, ..
        } = behind(log, feed, after).await?;
        let mut writes = latest(feed, &records);
        writes.push(keys::feed(feed, through));
        let applied = through.max(self.view.applied());
        self.view.apply(applied, writes).await?;
        if let Some(kept) = self.feeds.lock().get_mut(feed) {
            kept.through = through;
        }
        Ok(through >= target)
    }

    /// Where the latest events about `subject` stand that are not before `first`: the last `most` of them, the latest one first.
    pub(super) async fn positions(
        &self,
        feed: &FeedName,
        subject: &Subject,
        first: Position,
        most: usize,
    ) -> Result<Vec<(Position, TypeName)>, Unavailable> {
        let prefix = keys::of_subject(feed, subject.as_str());
        let mut positions = Vec::new();
        let mut after: Option<Bytes> = None;
        loop {
            let entries = self
                .view
                .scan(&prefix, after.as_deref(), STORE_SCAN)
                .await?;
            let Some((last, _)) = entries.last() else {
                return Ok(positions);
            };
            after = Some(last.clone());
            for (key, value) in &entries {
                let position = keys::position(key, value)?;
                if position >= first {
                    positions.push((position, keys::read_type(&prefix, key)?));
                }
            }
            positions.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
            positions.truncate(most);
        }
    }

    /// Keeps nothing of what `erasure` names, of which the log has nothing any more. It is on disk that it is gone.
    pub(crate) async fn forget(&self, erasure: &Erasure) -> Result<(), Unavailable> {
        let feeds: Vec<FeedName> = {
            // What was read of the log before it was erased is written, and known of, once nobody writes.
            let _writing = self.writing.lock().await;
            let feeds = self.feeds.lock();
            let named = |feed: &&FeedName| erasure.feed.as_ref().is_none_or(|of| of == *feed);
            feeds.keys().filter(named).cloned().collect()
        };
        for feed in &feeds {
            let prefix = match &erasure.subject {
                Some(subject) => keys::of_subject(feed, subject.as_str()),
                None => keys::of_feed(feed),
            };
            let mut after = None;
            loop {
                after = self.remove(&prefix, after, erasure.through).await?;
                if after.is_none() {
                    break;
                }
            }
        }
        if !feeds.is_empty() {
            self.view.sync().await?;
        }
        Ok(())
    }

    /// Removes what stands before `first`, of the next entries behind `after`; returns the last one that was looked at, if there is one.
    pub(super) async fn sweep(
        &self,
        after: Option<Bytes>,
        first: Position,
    ) -> Result<Option<Bytes>, Unavailable> {
        self.remove(keys::EVENTS, after, first.previous()).await
    }

    async fn remove(
        &self,
        prefix: &[u8],
        after: Option<Bytes>,
        through: Position,
    ) -> Result<Option<Bytes>, Unavailable> {
        let _writing = self.writing.lock().await;
        let entries = self.view.scan(prefix, after.as_deref(), STORE_SCAN).await?;
        let last = entries.last().map(|(key, _)| key.clone());
        let mut writes = Vec::new();
        for (key, value) in entries {
            if keys::position(&key, &value)? <= through {
                writes.push(Write { key, value: None });
            }
        }
        if !writes.is_empty() {
            self.view.apply(self.view.applied(), writes).await?;
        }
        Ok(last)
    }
}

/// What `log` has of `feed` behind `after`, or behind what was trimmed.
async fn behind(log: &dyn Log, feed: &FeedName, after: Position) -> Result<Chunk, ReadError> {
    let scope = Scope {
        feeds: vec![feed.clone()],
        ..Scope::default()
    };
    let mut after = after;
    loop {
        match log.read(&scope, after, TAIL_READ).await {
            Err(ReadError::Expired(expired)) => after = expired.first.previous(),
            read => return read,
        }
    }
}

/// The entries that `records` of `feed` make; what was for those alone who were there makes none.
fn latest(feed: &FeedName, records: &[Record]) -> Vec<Write> {
    let mut latest = BTreeMap::new();
    for record in records.iter().filter(|record| !record.is_live_only()) {
        if let Some(subject) = record.subject() {
            latest.insert((subject, record.ty()), record.position());
        }
    }
    let latest = latest.into_iter();
    latest
        .map(|(of, position)| keys::event(feed, of, position))
        .collect()
}
