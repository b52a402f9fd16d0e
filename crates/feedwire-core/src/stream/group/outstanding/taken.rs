//! What a line is asked for and gives away so that a subject can go on beside it.

use feedwire_event::{Position, Timestamp};
use tokio::time::Instant;

use super::super::Identity;
use super::{Out, Outstanding, State};
use crate::stream::OnFailure;

/// What is known of the events of a subject that were taken out.
#[derive(Debug)]
pub(in crate::stream::group) struct Taken(Vec<Out>);

/// Those of them that are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stream::group) struct Left {
    pub(in crate::stream::group) first: Position,
    pub(in crate::stream::group) last: Position,
    /// How many of them are not settled.
    pub(in crate::stream::group) events: u64,
}

impl Taken {
    /// How many are not settled.
    pub(in crate::stream::group) fn unsettled(&self) -> u64 {
        unsettled(&self.0)
    }

    /// The hash of the subject, and when the first of them was recorded.
    pub(in crate::stream::group) fn first(&self) -> Option<(u64, Timestamp)> {
        let first = self.0.first()?;
        Some((first.subject, first.recorded_at))
    }

    /// Keeps the first `max` of them; the rest, if there is one.
    pub(in crate::stream::group) fn cut(&mut self, max: usize) -> Option<Left> {
        let kept = max.min(self.0.len());
        let left = self.0.split_off(kept);
        Some(Left {
            first: left.first()?.position,
            last: left.last()?.position,
            events: unsettled(&left),
        })
    }
}

fn unsettled(outs: &[Out]) -> u64 {
    let open = outs.iter().filter(|out| out.state != State::Settled);
    open.count() as u64
}

impl Outstanding {
    /// The first event, where it has failed, and whose it is.
    pub(in crate::stream::group) fn failed_first(&self) -> Option<(Position, Identity)> {
        let first = self.out.front()?;
        let is_failed = matches!(first.state, State::Failed(_));
        let identity = first.identity.filter(|_| is_failed)?;
        Some((first.position, identity))
    }

    /// Whose the first event is, where it waits.
    pub(in crate::stream::group) fn waiting_first(&self) -> Option<Identity> {
        let first = self.out.front()?;
        first.identity.filter(|_| first.state == State::Waiting)
    }

    /// Whether nothing is to be sent again now, as the first event is not.
    pub(in crate::stream::group) fn is_held_until_after(&self, now: Instant) -> bool {
        let first = self.out.front().map(|first| first.state);
        self.on_failure == OnFailure::Wait
            && match first {
                None | Some(State::Burying) => true,
                Some(State::Failed(due)) => due > now,
                Some(State::Sent(_) | State::Settled | State::Waiting | State::Returned) => false,
            }
    }

    /// Whether later events have to wait.
    pub(in crate::stream::group) fn holds_up(&self) -> bool {
        !self.blocked.is_empty()
    }

    /// Whether all that is not settled is at the member.
    pub(in crate::stream::group) fn is_on_its_way(&self) -> bool {
        self.unsettled == self.in_flight
    }

    /// Whether there are events behind `cursor`.
    pub(in crate::stream::group) fn is_ahead_of(&self, cursor: Position) -> bool {
        self.out.back().is_some_and(|last| last.position > cursor)
    }

    /// The position before the first that is to be sent when the cursor comes to it, where that is before `cursor`.
    pub(in crate::stream::group) fn before_returned(&self, cursor: Position) -> Position {
        let is_returned = |out: &&Out| out.state == State::Returned;
        let first = self.out.iter().find(is_returned);
        first.map_or(cursor, |first| first.position.previous().min(cursor))
    }

    /// Everything up to `before` is gone.
    pub(in crate::stream::group) fn settle_up_to(&mut self, before: Position) {
        for index in 0..self.out.len() {
            if self.out[index].position > before {
                break;
            }
            self.set(index, State::Settled);
        }
    }

    /// Takes out all that is known of `identity`.
    pub(in crate::stream::group) fn take_out(&mut self, identity: Identity) -> Taken {
        let mut taken = Vec::new();
        self.out.retain(|out| {
            let is_of = out.identity == Some(identity);
            taken.extend(is_of.then_some(*out));
            !is_of
        });
        for out in &taken {
            self.leave(out.subject, out.state);
        }
        Taken(taken)
    }

    /// What was taken out elsewhere, where nothing was at the member, is here.
    pub(in crate::stream::group) fn adopt(&mut self, taken: Taken) {
        for out in taken.0 {
            self.insert(self.out.len(), out);
        }
    }
}
