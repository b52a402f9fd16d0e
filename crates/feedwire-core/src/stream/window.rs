//! The events that a stream's members read at about the same time, read once for all of them.

use std::collections::VecDeque;
use std::sync::Arc;

use feedwire_engine::Record;
use feedwire_event::Position;
use parking_lot::Mutex;

use super::aside::hash;
use super::group::Offered;
use super::settings::Settings;
use crate::delivery::Delivered;
use crate::limits::{STREAM_WINDOW_BYTES, STREAM_WINDOW_CHUNKS};

/// What of the log a stream may be of, behind `after` up to `through`.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) after: Position,
    pub(super) through: Position,
    pub(super) events: Vec<(Offered, Delivered)>,
    bytes: usize,
}

#[derive(Debug, Default)]
pub(super) struct Window(Mutex<Chunks>);

#[derive(Debug, Default)]
struct Chunks {
    all: VecDeque<Arc<Chunk>>,
    bytes: usize,
}

/// What of `record` matters to a stream with these `settings`.
pub(super) fn offered(record: &Record, settings: &Settings) -> Offered {
    let subject = hash(record.subject());
    let partition = subject % u64::from(settings.partitions);
    let mut live_feeds = settings.selection.live_feeds.iter();
    let is_live_only =
        record.is_live_only() || live_feeds.any(|feed| feed.as_str() == record.feed());
    Offered {
        partition: u16::try_from(partition).expect("it is below their number"),
        position: record.position(),
        subject,
        recorded_at: record.stamp().recorded_at,
        bytes: record.bytes(),
        is_live_only,
    }
}

impl Chunk {
    pub(super) fn new(
        after: Position,
        through: Position,
        events: Vec<Delivered>,
        settings: &Settings,
    ) -> Self {
        let events: Vec<_> = events
            .into_iter()
            .map(|event| (offered(event.record(), settings), event))
            .collect();
        let own = size_of::<(Offered, Delivered)>();
        let bytes = events.iter().map(|(offered, _)| offered.bytes + own).sum();
        Self {
            after,
            through,
            events,
            bytes,
        }
    }
}

impl Window {
    /// What is there from `after` on.
    pub(super) fn find(&self, after: Position) -> Option<Arc<Chunk>> {
        let chunks = self.0.lock();
        let has = |chunk: &&Arc<Chunk>| chunk.after <= after && after < chunk.through;
        chunks.all.iter().rev().find(has).cloned()
    }

    /// The event at `position`, if it is there.
    pub(super) fn event(&self, position: Position) -> Option<(Offered, Delivered)> {
        let chunk = self.find(position.previous())?;
        let at = |(offered, _): &(Offered, Delivered)| offered.position;
        let index = chunk.events.binary_search_by_key(&position, at).ok()?;
        Some(chunk.events[index].clone())
    }

    pub(super) fn push(&self, chunk: Arc<Chunk>) {
        let mut chunks = self.0.lock();
        chunks.bytes += chunk.bytes;
        chunks.all.push_back(chunk);
        while chunks.all.len() > STREAM_WINDOW_CHUNKS
            || (chunks.bytes > STREAM_WINDOW_BYTES && chunks.all.len() > 1)
        {
            let oldest = chunks.all.pop_front();
            chunks.bytes -= oldest.map_or(0, |oldest| oldest.bytes);
        }
    }

    pub(super) fn clear(&self) {
        *self.0.lock() = Chunks::default();
    }
}
