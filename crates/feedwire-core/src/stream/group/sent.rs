//! What was sent of a partition in mode `delivered`: settled by time, on a connection that lives.

use std::collections::VecDeque;
use std::time::Duration;

use feedwire_event::{Position, Timestamp};
use tokio::time::Instant;

/// What was sent and is not settled yet.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Everything up to here is settled, as long as something is not.
    settled: Position,
    /// What was sent up to each heartbeat, until that is old enough.
    marks: VecDeque<Mark>,
    /// What was sent since the last of them.
    open: Tally,
    /// What was sent under a lease before, and is to be sent again.
    again: Tally,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Instant,
    through: Position,
    sent: Tally,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    events: u64,
    /// When the first of them was recorded.
    since: Option<Timestamp>,
}

impl Tally {
    fn and(self, later: Self) -> Self {
        Self {
            events: self.events + later.events,
            since: self.since.or(later.since),
        }
    }
}

impl Sent {
    pub(super) fn new(settled: Position) -> Self {
        Self {
            settled,
            marks: VecDeque::new(),
            open: Tally::default(),
            again: Tally::default(),
        }
    }

    /// The next event is sent; everything before it up to `cursor` was. Whether it was sent before, `is_again` says.
    pub(super) fn send(&mut self, cursor: Position, recorded_at: Timestamp, is_again: bool) {
        if self.is_settled() {
            self.settled = cursor;
        }
        self.open = self.open.and(Tally {
            events: 1,
            since: Some(recorded_at),
        });
        if is_again {
            self.again.events = self.again.events.saturating_sub(1);
            self.again.since = Some(recorded_at);
        }
    }

    /// Everything that was sent before was come past: none of it comes again.
    pub(super) fn caught_up(&mut self) {
        self.again = Tally::default();
    }

    /// A heartbeat was taken at `now`, with everything up to `cursor` before it. What was sent up to one that is `old` is settled.
    pub(super) fn beat(&mut self, cursor: Position, now: Instant, old: Duration) {
        while let Some(mark) = self.marks.front().filter(|mark| mark.at + old <= now) {
            self.settled = mark.through;
            self.marks.pop_front();
        }
        if self.open.events > 0 {
            let sent = std::mem::take(&mut self.open);
            self.marks.push_back(Mark {
                at: now,
                through: cursor,
                sent,
            });
        }
    }

    /// Whether something is not settled at a heartbeat at `now`.
    #[cfg(test)]
    pub(super) fn unsettled_after(&self, now: Instant, old: Duration) -> bool {
        self.open.events > 0 || self.marks.iter().any(|mark| mark.at + old > now)
    }

    pub(super) fn is_settled(&self) -> bool {
        self.marks.is_empty() && self.open.events == 0
    }

    pub(super) fn checkpoint(&self, cursor: Position) -> Position {
        if self.is_settled() {
            cursor
        } else {
            self.settled
        }
    }

    /// What is not settled is to be sent again.
    pub(super) fn rewind(&mut self) {
        let unsettled = self.unsettled();
        self.again = unsettled.and(self.again);
        self.marks.clear();
        self.open = Tally::default();
    }

    fn unsettled(&self) -> Tally {
        let marks = self.marks.iter();
        let marked = marks.fold(Tally::default(), |sum, mark| sum.and(mark.sent));
        marked.and(self.open)
    }

    /// How many events were sent and are not settled, or are to be sent again.
    pub(super) fn events(&self) -> u64 {
        self.unsettled().events + self.again.events
    }

    /// When the first of them was recorded.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.unsettled().since.or(self.again.since)
    }
}
