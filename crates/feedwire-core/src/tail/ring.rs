//! The last events of a log, up to a number of bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use feedwire_event::Position;

use crate::delivery::Tailed;

/// What an event takes in memory beside its bytes, which a rendition or two repeat.
const EVENT_OVERHEAD: usize = 512;

fn weight(tailed: &Tailed) -> usize {
    2 * tailed.record().bytes() + EVENT_OVERHEAD
}

/// Every event above `floor` up to `head`.
#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<Arc<Tailed>>,
    floor: Position,
    head: Position,
    bytes: usize,
    bytes_max: usize,
}

impl Ring {
    pub(super) fn new(head: Position, bytes_max: usize) -> Self {
        Self {
            events: VecDeque::new(),
            floor: head,
            head,
            bytes: 0,
            bytes_max,
        }
    }

    pub(super) fn floor(&self) -> Position {
        self.floor
    }

    pub(super) fn head(&self) -> Position {
        self.head
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds the next event; it is not counted as there before [`Ring::advance`].
    pub(super) fn push(&mut self, tailed: Arc<Tailed>) {
        self.bytes += weight(&tailed);
        self.events.push_back(tailed);
    }

    /// Moves the head to `through`, and lets go of the oldest batches beyond the bound.
    pub(super) fn advance(&mut self, through: Position) {
        self.head = through;
        while self.bytes > self.bytes_max && self.pop_batch() {}
    }

    /// Lets go of the oldest batch, unless it is the only one.
    fn pop_batch(&mut self) -> bool {
        let is_last = |tailed: &Arc<Tailed>| tailed.record().stamp().place.is_last();
        let Some(end) = self.events.iter().position(is_last) else {
            return false;
        };
        if end + 1 == self.events.len() {
            return false;
        }
        for tailed in self.events.drain(..=end) {
            self.bytes -= weight(&tailed);
            self.floor = tailed.record().position();
        }
        true
    }

    /// The events above `after`, which is not below the floor.
    pub(super) fn after(&self, after: Position) -> impl Iterator<Item = &Arc<Tailed>> {
        let start = self
            .events
            .partition_point(|tailed| tailed.record().position() <= after);
        self.events.range(start..)
    }
}
