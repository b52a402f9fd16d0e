//! What was sent of a partition in mode `explicit` and is not acknowledged: in its line, of the subjects aside, and of dead letters that
//! are sent once more. A receipt names a position, and whatever has that is asked.

use std::time::Duration;

use feedwire_event::{Position, Subject, Timestamp};
use tokio::time::Instant;

use super::super::{OnFailure, Settings};
use super::Identity;
use super::asides::{Asides, Lane};
use super::outstanding::{Admission, Answered, Arrival, Buried, Outstanding};
use crate::limits::ASIDE_EVENTS_MAX;

#[derive(Clone, Debug)]
pub(super) struct Unacknowledged {
    /// What came in its turn.
    pub(super) line: Outstanding,
    /// What was dead, and is sent once more.
    pub(super) letters: Outstanding,
    /// What failed, and does not hold up the line.
    pub(super) asides: Asides,
    /// How often something was sent.
    sendings: u64,
    max_in_flight: usize,
    deliveries_max: Option<u32>,
    on_failure: OnFailure,
}

/// Whether an acknowledgement was taken, and whether it was of a letter.
pub(super) struct Acknowledged {
    pub(super) answered: Answered,
    pub(super) is_letter: bool,
}

impl Unacknowledged {
    pub(super) fn new(settings: &Settings) -> Self {
        let outstanding = || Outstanding::new(settings.on_failure);
        Self {
            line: outstanding(),
            letters: outstanding(),
            asides: Asides::default(),
            sendings: 0,
            max_in_flight: settings.max_in_flight,
            deliveries_max: settings.max_deliveries,
            on_failure: settings.on_failure,
        }
    }

    /// All of it: what stands in no line comes first.
    fn all(&mut self) -> impl Iterator<Item = &mut Outstanding> {
        let first = [&mut self.letters, &mut self.line];
        first.into_iter().chain(self.asides.lines())
    }

    /// All but letters.
    fn lines(&mut self) -> impl Iterator<Item = &mut Outstanding> {
        std::iter::once(&mut self.line).chain(self.asides.lines())
    }

    pub(super) fn in_flight(&self) -> usize {
        let aside = self.asides.lanes().map(|lane| lane.line.in_flight());
        self.line.in_flight() + self.letters.in_flight() + aside.sum::<usize>()
    }

    /// Whether the event at `position` is with its member, as it was sent for the `deliveries`th time.
    pub(super) fn is_sent(&self, position: Position, deliveries: u32) -> bool {
        let aside = self.asides.lanes().map(|lane| &lane.line);
        let mut all = [&self.line, &self.letters].into_iter().chain(aside);
        all.any(|line| line.is_sent(position, deliveries))
    }

    /// At least how many events are not settled, beside letters.
    pub(super) fn unsettled(&self) -> u64 {
        let aside = self.asides.lanes().map(Lane::unsettled);
        self.line.unsettled() as u64 + aside.sum::<u64>()
    }

    /// When the first of them was recorded.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let aside = self.asides.lanes().map(Lane::since);
        aside.chain(self.line.since()).min()
    }

    /// Most events of a subject aside that are known.
    pub(super) fn aside_max(&self) -> usize {
        self.max_in_flight.min(ASIDE_EVENTS_MAX)
    }

    /// Whether no event that was not sent before has room in the line.
    pub(super) fn is_full(&self) -> bool {
        self.line.len() >= self.max_in_flight
    }

    fn is_crowded(&self) -> bool {
        2 * self.line.len() > self.max_in_flight
    }

    /// The event that holds up the line, and whose subject is to be set aside.
    pub(super) fn crowding(&self) -> Option<Position> {
        let (position, identity) = self.line.failed_first().filter(|_| self.is_crowded())?;
        let waits = self.on_failure == OnFailure::Wait;
        (waits && !self.asides.has(identity)).then_some(position)
    }

    /// The subject of what holds up the line goes on by itself, of a partition that was sent up to `seen`.
    pub(super) fn set_aside(&mut self, subject: Option<Subject>, seen: Position) {
        if let Some((_, identity)) = self.line.failed_first() {
            let taken = self.line.take_out(identity);
            let whose = (identity, subject);
            self.asides.set_aside(whose, taken, seen, self.on_failure);
        }
    }

    /// The cursor has come to an event, of a subject that is not aside.
    pub(super) fn admit(&mut self, event: Arrival, now: Instant) -> Admission {
        let is_held = self.asides.holds_up(event.identity);
        let max = self.deliveries_max;
        self.line.count_from(self.sendings);
        let admission = self.line.admit(event, is_held, now, max);
        self.sendings = self.line.sendings();
        admission
    }

    /// The cursor of a subject aside has come to an event.
    pub(super) fn admit_aside(&mut self, event: Arrival, now: Instant) -> Admission {
        let max = self.deliveries_max;
        let Some(lane) = self.asides.get(event.identity) else {
            return Admission::Pass;
        };
        if !lane.line.knows(event.position) {
            lane.behind = lane.behind.saturating_sub(1);
            lane.since = event.recorded_at;
        }
        lane.line.count_from(self.sendings);
        let admission = lane.line.admit(event, false, now, max);
        self.sendings = lane.line.sendings();
        admission
    }

    /// Whether a subject aside, that is read again, does not have the event at `position`: it was settled or let go of.
    pub(super) fn is_passed_aside(&mut self, identity: Identity, position: Position) -> bool {
        let lane = self.asides.get(identity);
        lane.is_none_or(|lane| {
            position <= lane.cursor
                || (lane.line.is_ahead_of(position) && !lane.line.knows(position))
        })
    }

    /// Whether a subject aside takes the event at `position` only later.
    pub(super) fn is_full_aside(&mut self, identity: Identity, position: Position) -> bool {
        let max = self.aside_max();
        let lane = self.asides.get(identity);
        lane.is_none_or(|lane| {
            let is_new = !lane.line.knows(position);
            is_new && (lane.line.holds_up() || lane.line.len() >= max)
        })
    }

    /// Takes `position` for done.
    pub(super) fn acknowledge(&mut self, position: Position) -> Acknowledged {
        let known = |answered: &Answered| *answered != Answered::Unknown;
        let of_letter = self.letters.acknowledge(position);
        if known(&of_letter) {
            return Acknowledged {
                answered: of_letter,
                is_letter: true,
            };
        }
        let mut others = self.all().map(|out| out.acknowledge(position));
        let answered = others.find(known);
        drop(others);
        let answered = answered.unwrap_or_else(|| {
            if self.asides.is_void(position) {
                Answered::Stale
            } else {
                Answered::Unknown
            }
        });
        Acknowledged {
            answered,
            is_letter: false,
        }
    }

    /// Takes for done what was sent up to `position` before it was; how many that is. A letter stands in no line.
    pub(super) fn acknowledge_through(&mut self, position: Position) -> usize {
        // What is not here any more was settled after everything before it.
        let sending = self
            .lines()
            .find_map(|out| out.sending_of(position))
            .unwrap_or(0);
        let settled = self
            .lines()
            .map(|out| out.acknowledge_through(position, sending));
        settled.sum()
    }

    /// The event at `position` failed: it is to be sent again at `due`, or was sent too often.
    pub(super) fn fail(
        &mut self,
        position: Position,
        due: Instant,
        deliveries_max: Option<u32>,
    ) -> Result<Option<Buried>, Answered> {
        let mut failed = Err(Answered::Unknown);
        for out in self.all() {
            failed = out.fail(position, due, deliveries_max);
            if !matches!(failed, Err(Answered::Unknown)) {
                return failed;
            }
        }
        if self.asides.is_void(position) {
            return Err(Answered::Stale);
        }
        failed
    }

    /// The events of all of it that were sent `timeout` ago fail now; those that were sent too often.
    pub(super) fn expire(&mut self, now: Instant, timeout: Duration) -> Vec<Buried> {
        let max = self.deliveries_max;
        let mut buried = Vec::new();
        for out in self.all() {
            for position in out.expired(now, timeout) {
                buried.extend(out.fail(position, now, max).ok().flatten());
            }
        }
        buried
    }

    /// The event at `position` is among the dead letters, or gone; whether that is new of a letter.
    pub(super) fn settle(&mut self, position: Position) -> bool {
        for out in self.lines() {
            out.settle(position);
        }
        self.letters.settle(position)
    }

    /// The event at `position` could not be put among the dead letters: it is to be sent again at `due`.
    pub(super) fn exhume(&mut self, position: Position, due: Instant) {
        self.all().for_each(|out| out.exhume(position, due));
    }

    /// The event at `position` has not failed, whatever it waits for.
    pub(super) fn has_not_failed(&mut self, position: Position) {
        self.all().for_each(|line| line.has_not_failed(position));
    }

    /// The event at `position` was not sent after all.
    pub(super) fn not_sent(&mut self, position: Position) {
        self.all().for_each(|out| out.not_sent(position));
    }

    /// What is to be sent again now, at most `room` events, of a partition that is at `cursor`.
    pub(super) fn due(&self, cursor: Position, now: Instant, room: usize) -> Vec<Position> {
        let held_up = self.asides.held_up();
        let mut due = self.line.due(cursor, now, room, held_up);
        let letters = self
            .letters
            .due(Position::MAX, now, room - due.len(), [].into());
        due.extend(letters);
        due.extend(self.asides.due(now, room - due.len()));
        due
    }

    /// Sends the event at `position` again, if it still is to be.
    pub(super) fn send_again(&mut self, position: Position, now: Instant) -> Option<u32> {
        let identity = self.line.identity_of(position);
        let is_held = identity.is_some_and(|identity| self.asides.holds_up(identity));
        let mut sendings = self.sendings;
        let in_line = std::iter::once(&mut self.line).filter(|_| !is_held);
        let mut all = in_line
            .chain([&mut self.letters])
            .chain(self.asides.lines());
        let sent = all.find_map(|out| {
            out.count_from(sendings);
            let sent = out.send_again(position, now)?;
            sendings = out.sendings();
            Some(sent)
        });
        drop(all);
        self.sendings = sendings;
        sent
    }

    /// Whether the event at `position` is known, beside as a letter.
    #[cfg(test)]
    pub(super) fn has_in_line(&self, position: Position) -> bool {
        let mut aside = self.asides.lanes();
        self.line.knows(position) || aside.any(|lane| lane.line.knows(position))
    }

    /// The positions of those that are at the member, beside letters.
    #[cfg(test)]
    pub(super) fn at_member(&self) -> Vec<Position> {
        let aside = self.asides.lanes().flat_map(|lane| lane.line.at_member());
        self.line.at_member().into_iter().chain(aside).collect()
    }

    /// Lets go of what is settled, of a partition that is at `cursor` and was at `seen`.
    pub(super) fn trim(&mut self, cursor: Position, seen: Position) {
        self.line.trim(cursor);
        self.letters.trim_all();
        if !self.asides.is_empty() {
            let is_crowded = self.is_crowded();
            let crowding = self.line.waiting_first().filter(|_| is_crowded);
            self.asides.tend(&mut self.line, crowding, (cursor, seen));
            self.line.trim(cursor);
        }
    }
}
