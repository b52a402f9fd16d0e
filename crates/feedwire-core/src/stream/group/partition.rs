//! A partition: who holds it, how far it was sent, and what of that is not settled.

use std::time::Duration;

use feedwire_event::{Position, Timestamp};
use tokio::time::Instant;

use super::super::{Mode, Settings};
use super::lag::Lag;
use super::outstanding::{Admission, Arrival};
use super::sent::Sent;
use super::unacknowledged::Unacknowledged;
use super::{Identity, MemberId, Offered};

/// Who holds a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lease {
    Free,
    Held {
        by: MemberId,
        generation: u64,
    },
    /// Nothing more is sent to who holds it; it goes on when that is settled, or at the deadline.
    Leaving {
        by: MemberId,
        generation: u64,
        to: MemberId,
        deadline: Instant,
    },
}

impl Lease {
    /// Who holds it, under which generation.
    pub(super) fn holder(self) -> Option<(MemberId, u64)> {
        match self {
            Self::Free => None,
            Self::Held { by, generation } | Self::Leaving { by, generation, .. } => {
                Some((by, generation))
            }
        }
    }

    /// Who is to have it.
    pub(super) fn heir(self) -> Option<MemberId> {
        match self {
            Self::Free => None,
            Self::Held { by, .. } => Some(by),
            Self::Leaving { to, .. } => Some(to),
        }
    }

    /// The generation under which `member` is sent events.
    pub(super) fn open_to(self, member: MemberId) -> Option<u64> {
        match self {
            Self::Held { by, generation } if by == member => Some(generation),
            Self::Free | Self::Held { .. } | Self::Leaving { .. } => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub(super) lease: Lease,
    /// Everything up to here was sent, or need not be.
    cursor: Position,
    /// The furthest that the cursor has been: what is behind is counted in `lag`.
    seen: Position,
    lag: Lag,
    pub(super) work: Work,
}

#[derive(Clone, Debug)]
pub(super) enum Work {
    Delivered(Sent),
    Explicit(Box<Unacknowledged>),
}

/// What became of an event that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// It is sent; how often it was, where that is counted.
    Send(Option<u32>),
    Pass,
    /// It is put aside, having been sent so often.
    Bury(u32),
    /// The partition goes no further until something of it is settled.
    Stuck,
}

impl Partition {
    pub(super) fn new(settings: &Settings, checkpoint: Position) -> Self {
        let work = match settings.mode {
            Mode::Delivered => Work::Delivered(Sent::new(checkpoint)),
            Mode::Explicit => Work::Explicit(Box::new(Unacknowledged::new(settings))),
        };
        Self {
            lease: Lease::Free,
            cursor: checkpoint,
            seen: checkpoint,
            lag: Lag::new(),
            work,
        }
    }

    pub(super) fn cursor(&self) -> Position {
        self.cursor
    }

    /// The furthest that its cursor has been.
    pub(super) fn seen(&self) -> Position {
        self.seen
    }

    /// Everything up to here is settled, but for subjects aside.
    pub(super) fn checkpoint(&self) -> Position {
        match &self.work {
            Work::Delivered(sent) => sent.checkpoint(self.cursor),
            Work::Explicit(work) => work.line.checkpoint(self.cursor),
        }
    }

    /// How many events are at the member, where that is counted.
    pub(super) fn in_flight(&self) -> usize {
        match &self.work {
            Work::Delivered(_) => 0,
            Work::Explicit(work) => work.in_flight(),
        }
    }

    /// How many events are not settled.
    pub(super) fn unsettled(&self) -> u64 {
        let sent = match &self.work {
            Work::Delivered(sent) => sent.events(),
            Work::Explicit(work) => work.unsettled(),
        };
        self.lag.events() + sent
    }

    /// When the first of them was recorded.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let sent = match &self.work {
            Work::Delivered(sent) => sent.since(),
            Work::Explicit(work) => work.since(),
        };
        sent.or_else(|| self.lag.since())
    }

    /// Whether nothing that was sent is open.
    pub(super) fn is_drained(&self) -> bool {
        match &self.work {
            Work::Delivered(sent) => sent.is_settled(),
            Work::Explicit(_) => self.in_flight() == 0,
        }
    }

    /// Whether nothing is to be sent of it beside its line.
    pub(super) fn has_line_alone(&self) -> bool {
        match &self.work {
            Work::Delivered(_) => true,
            Work::Explicit(work) => work.letters.unsettled() == 0 && work.asides.is_empty(),
        }
    }

    /// The subject aside of which there is something to be read, and when that was read last.
    pub(super) fn ready_aside(&self) -> Option<(u64, Identity)> {
        match &self.work {
            Work::Delivered(_) => None,
            Work::Explicit(work) => work.asides.ready(self.seen, work.aside_max()),
        }
    }

    /// An event was counted in the log.
    pub(super) fn count(&mut self, position: Position, recorded_at: Timestamp) -> bool {
        let is_ahead = position > self.seen;
        if is_ahead {
            self.lag.add(position, recorded_at);
        }
        is_ahead
    }

    /// Whether there may be something behind its cursor, of what was counted.
    pub(super) fn has_more(&self) -> bool {
        self.cursor < self.lag.newest() || self.cursor < self.seen
    }

    /// Whether it may go on from its cursor.
    pub(super) fn has_room(&self) -> bool {
        match &self.work {
            Work::Delivered(_) => true,
            // What comes again is among what is out.
            Work::Explicit(work) => self.cursor < self.seen || !work.is_full(),
        }
    }

    /// The cursor has come to `event`, whose subject is `identity`.
    pub(super) fn offer(&mut self, event: &Offered, identity: Identity, now: Instant) -> Offer {
        let Offered {
            position,
            recorded_at,
            ..
        } = *event;
        let is_again = position <= self.seen;
        let offer = match &mut self.work {
            Work::Delivered(sent) => {
                sent.send(self.cursor, recorded_at, is_again);
                Offer::Send(None)
            }
            Work::Explicit(work) => {
                let aside = work.asides.get(identity).filter(|lane| lane.is_open());
                if is_again && !work.line.knows(position) {
                    // It was aside, or was passed over before.
                    Offer::Pass
                } else if let Some(lane) = aside {
                    lane.behind += 1;
                    Offer::Pass
                } else if work.is_full() && !is_again {
                    return Offer::Stuck;
                } else {
                    match work.admit(Arrival::of(event, identity), now) {
                        Admission::Send(deliveries) => Offer::Send(Some(deliveries)),
                        Admission::Pass => Offer::Pass,
                        Admission::Bury(deliveries) => Offer::Bury(deliveries),
                    }
                }
            }
        };
        if !is_again {
            self.lag.take(position, recorded_at);
        }
        self.cursor = position;
        self.seen = self.seen.max(position);
        offer
    }

    /// Nothing of it stands between the cursor and `to` that was not offered.
    pub(super) fn advance(&mut self, to: Position) {
        if to < self.cursor {
            return;
        }
        self.cursor = to;
        if to >= self.seen {
            self.seen = to;
            self.lag.pass(to);
            if let Work::Delivered(sent) = &mut self.work {
                sent.caught_up();
            }
        }
        self.trim();
    }

    /// Lets go of what is settled.
    pub(super) fn trim(&mut self) {
        if let Work::Explicit(work) = &mut self.work {
            work.trim(self.cursor, self.seen);
        }
    }

    /// A heartbeat was taken by who holds it.
    pub(super) fn beat(&mut self, now: Instant, old: Duration) {
        if let Work::Delivered(sent) = &mut self.work {
            sent.beat(self.cursor, now, old);
        }
    }

    /// What is not settled is to be sent again, to whoever has it next.
    pub(super) fn rewind(&mut self, now: Instant) {
        if let Work::Explicit(work) = &mut self.work {
            work.asides.rewind(&mut work.line);
            work.line.trim(self.cursor);
        }
        self.cursor = self.checkpoint();
        match &mut self.work {
            Work::Delivered(sent) => sent.rewind(),
            Work::Explicit(work) => {
                work.line.take_back();
                work.letters.fail_all(now);
            }
        }
    }

    /// It goes on behind `to`, whatever was sent.
    pub(super) fn seek(&mut self, to: Position, now: Instant) {
        self.cursor = to;
        self.seen = to;
        self.lag.clear();
        match &mut self.work {
            Work::Delivered(sent) => *sent = Sent::new(to),
            Work::Explicit(work) => {
                work.line.clear();
                work.asides.clear();
                work.letters.fail_all(now);
            }
        }
    }
}
