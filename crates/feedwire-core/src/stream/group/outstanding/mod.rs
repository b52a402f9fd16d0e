//! What was sent in mode `explicit` and is not acknowledged, in order of positions.
//!
//! A partition has one of these for its line, in which the first event that is not settled holds the checkpoint, one for each subject
//! aside, which holds that of the subject, and one for letters that are sent once more, which holds nothing.

mod taken;
mod unsent;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use feedwire_event::{Position, Timestamp};
use tokio::time::Instant;

use super::super::OnFailure;
use super::{Identity, Offered};

pub(super) use taken::Taken;

/// How many sendings are remembered beyond twice as many as there are events.
const SENT_SLACK: usize = 64;

/// An event that a cursor has come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) position: Position,
    /// The hash of its subject.
    pub(super) subject: u64,
    pub(super) identity: Identity,
    pub(super) recorded_at: Timestamp,
}

impl Arrival {
    pub(super) fn of(event: &Offered, identity: Identity) -> Self {
        Self {
            position: event.position,
            subject: event.subject,
            identity,
            recorded_at: event.recorded_at,
        }
    }
}

/// What is known of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    pub(super) position: Position,
    /// The hash of its subject.
    pub(super) subject: u64,
    /// Of letters, none.
    identity: Option<Identity>,
    pub(super) recorded_at: Timestamp,
    /// How often it was sent.
    pub(super) deliveries: u32,
    /// Whether it has failed itself, and not merely waited.
    has_failed: bool,
    /// When it was sent last, as a number of all sendings.
    sending: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At one member, since then.
    Sent(Instant),
    /// Acknowledged, or buried, or gone.
    Settled,
    /// To be sent again from then on.
    Failed(Instant),
    /// To be sent once what is before it of its subject is.
    Waiting,
    /// Was sent under a lease before: to be sent when the cursor comes to it.
    Returned,
    /// On its way to the dead letters.
    Burying,
}

/// What is to be done about an event that the cursor has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is sent, for the how-manieth time.
    Send(u32),
    /// It is not sent now, and not looked at again here.
    Pass,
    /// It was sent too often, and is put aside.
    Bury(u32),
}

/// Whether an acknowledgement was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// It was.
    Taken,
    /// The event was taken back.
    Stale,
    /// There is no such event out.
    Unknown,
}

/// Why an event is not with its member any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Buried {
    pub(super) position: Position,
    pub(super) subject: u64,
    pub(super) deliveries: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Outstanding {
    out: VecDeque<Out>,
    /// How often something was sent.
    sendings: u64,
    /// How many are neither settled nor unsent.
    unsettled: usize,
    /// When each was sent, in order; what is no longer so is passed over.
    sent: VecDeque<(Instant, Position)>,
    /// How many are at the member.
    in_flight: usize,
    /// How many are failed or waiting.
    troubled: usize,
    /// How many are to be sent when the cursor comes to them.
    returned: usize,
    /// The subjects whose later events wait, with how many hold them up.
    blocked: HashMap<u64, usize>,
    on_failure: OnFailure,
}

impl Outstanding {
    pub(super) fn new(on_failure: OnFailure) -> Self {
        Self {
            out: VecDeque::new(),
            sendings: 0,
            unsettled: 0,
            sent: VecDeque::new(),
            in_flight: 0,
            troubled: 0,
            returned: 0,
            blocked: HashMap::new(),
            on_failure,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn unsettled(&self) -> usize {
        self.unsettled
    }

    /// When the first that is not settled was recorded.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let unsettled = |out: &&Out| out.state != State::Settled;
        self.out.iter().find(unsettled).map(|out| out.recorded_at)
    }

    /// The position before the first that is not settled, where that is before `cursor`.
    pub(super) fn checkpoint(&self, cursor: Position) -> Position {
        let first = self.out.front().map(|out| out.position.previous());
        first.map_or(cursor, |first| first.min(cursor))
    }

    /// How often something was sent.
    pub(super) fn sendings(&self) -> u64 {
        self.sendings
    }

    /// What is sent from here on is so after `sendings` others.
    pub(super) fn count_from(&mut self, sendings: u64) {
        self.sendings = sendings;
    }

    /// Whether anything is known of the event at `position`.
    pub(super) fn knows(&self, position: Position) -> bool {
        self.index_of(position).is_ok()
    }

    /// Whose the event at `position` is.
    pub(super) fn identity_of(&self, position: Position) -> Option<Identity> {
        let index = self.index_of(position).ok()?;
        self.out[index].identity
    }

    fn index_of(&self, position: Position) -> Result<usize, usize> {
        match self.out.back() {
            Some(last) if last.position < position => Err(self.out.len()),
            _ => self.out.binary_search_by_key(&position, |out| out.position),
        }
    }

    /// Whether events of `subject` wait.
    fn is_blocked(&self, subject: u64) -> bool {
        self.on_failure == OnFailure::Wait && self.blocked.contains_key(&subject)
    }

    fn set(&mut self, index: usize, state: State) {
        let out = &mut self.out[index];
        let (subject, before) = (out.subject, out.state);
        out.state = state;
        self.leave(subject, before);
        self.enter(subject, state);
    }

    fn leave(&mut self, subject: u64, state: State) {
        self.in_flight -= usize::from(matches!(state, State::Sent(_)));
        self.unsettled -= usize::from(state != State::Settled);
        self.troubled -= usize::from(matches!(state, State::Failed(_) | State::Waiting));
        self.returned -= usize::from(state == State::Returned);
        if blocks(state)
            && let Some(count) = self.blocked.get_mut(&subject)
        {
            *count -= 1;
            if *count == 0 {
                self.blocked.remove(&subject);
            }
        }
    }

    fn enter(&mut self, subject: u64, state: State) {
        self.in_flight += usize::from(matches!(state, State::Sent(_)));
        self.unsettled += usize::from(state != State::Settled);
        self.troubled += usize::from(matches!(state, State::Failed(_) | State::Waiting));
        self.returned += usize::from(state == State::Returned);
        if blocks(state) {
            *self.blocked.entry(subject).or_default() += 1;
        }
    }

    fn insert(&mut self, index: usize, out: Out) {
        self.enter(out.subject, out.state);
        self.out.insert(index, out);
    }

    /// The cursor has come to an event: what is to be done about it. One that is sent counts as sent at `now`; one that `is_held` by what
    /// is elsewhere waits.
    pub(super) fn admit(
        &mut self,
        event: Arrival,
        is_held: bool,
        now: Instant,
        deliveries_max: Option<u32>,
    ) -> Admission {
        let Arrival {
            position,
            subject,
            identity,
            recorded_at,
        } = event;
        let is_blocked = is_held || self.is_blocked(subject);
        let index = match self.index_of(position) {
            Ok(index) => {
                if self.out[index].state != State::Returned {
                    return Admission::Pass;
                }
                index
            }
            Err(index) => {
                let state = State::Returned;
                let out = Out {
                    position,
                    subject,
                    identity: Some(identity),
                    recorded_at,
                    deliveries: 0,
                    has_failed: false,
                    sending: 0,
                    state,
                };
                self.insert(index, out);
                index
            }
        };
        if is_blocked {
            self.set(index, State::Waiting);
            return Admission::Pass;
        }
        let deliveries = self.out[index].deliveries;
        if deliveries_max.is_some_and(|max| deliveries >= max) {
            self.set(index, State::Burying);
            return Admission::Bury(deliveries);
        }
        Admission::Send(self.send(index, now))
    }

    fn send(&mut self, index: usize, now: Instant) -> u32 {
        self.set(index, State::Sent(now));
        self.sendings += 1;
        let out = &mut self.out[index];
        out.deliveries += 1;
        out.sending = self.sendings;
        let (position, deliveries) = (out.position, out.deliveries);
        self.sent.push_back((now, position));
        if self.sent.len() > 2 * self.out.len() + SENT_SLACK {
            self.forget_earlier();
        }
        deliveries
    }

    /// Lets go of what is known of sendings that something else has come of.
    fn forget_earlier(&mut self) {
        let sent = std::mem::take(&mut self.sent);
        let is_so = |(at, position): &(Instant, Position)| {
            let index = self.index_of(*position);
            index.is_ok_and(|index| self.out[index].state == State::Sent(*at))
        };
        self.sent = sent.into_iter().filter(is_so).collect();
    }

    /// Takes `position` for done.
    pub(super) fn acknowledge(&mut self, position: Position) -> Answered {
        let Ok(index) = self.index_of(position) else {
            return Answered::Unknown;
        };
        match self.out[index].state {
            // One that has failed is done late, and done all the same.
            State::Sent(_) | State::Failed(_) => {
                self.set(index, State::Settled);
                Answered::Taken
            }
            State::Settled => Answered::Taken,
            State::Waiting | State::Returned | State::Burying => Answered::Stale,
        }
    }

    /// When the event at `position` was sent last, as a number of all sendings, if it is here.
    pub(super) fn sending_of(&self, position: Position) -> Option<u64> {
        let index = self.index_of(position).ok()?;
        Some(self.out[index].sending)
    }

    /// Takes everything up to `position` for done that was sent to the member up to `sending`. What was sent later, because it had failed
    /// or had waited, may be on its way: whoever says this does not know of it.
    pub(super) fn acknowledge_through(&mut self, position: Position, sending: u64) -> usize {
        let mut count = 0;
        for index in 0..self.out.len() {
            let out = &self.out[index];
            if out.position > position {
                break;
            }
            if matches!(out.state, State::Sent(_)) && out.sending <= sending {
                self.set(index, State::Settled);
                count += 1;
            }
        }
        count
    }

    /// The event at `position` failed: it is to be sent again at `due`, or was sent too often.
    pub(super) fn fail(
        &mut self,
        position: Position,
        due: Instant,
        deliveries_max: Option<u32>,
    ) -> Result<Option<Buried>, Answered> {
        let Ok(index) = self.index_of(position) else {
            return Err(Answered::Unknown);
        };
        match self.out[index].state {
            State::Sent(_) => {}
            State::Settled => return Err(Answered::Unknown),
            State::Failed(_) | State::Waiting | State::Returned | State::Burying => {
                return Err(Answered::Stale);
            }
        }
        let Out {
            subject,
            deliveries,
            ..
        } = self.out[index];
        let is_over = deliveries_max.is_some_and(|max| deliveries >= max);
        let state = if is_over {
            State::Burying
        } else {
            State::Failed(due)
        };
        self.set(index, state);
        self.out[index].has_failed = true;
        if self.on_failure == OnFailure::Wait {
            for later in index + 1..self.out.len() {
                let out = &self.out[later];
                if out.subject == subject && matches!(out.state, State::Sent(_)) {
                    self.set(later, State::Waiting);
                }
            }
        }
        Ok(is_over.then_some(Buried {
            position,
            subject,
            deliveries,
        }))
    }

    /// The events that were sent `timeout` ago or earlier, and are still at the member.
    pub(super) fn expired(&mut self, now: Instant, timeout: Duration) -> Vec<Position> {
        let mut expired = Vec::new();
        while let Some((at, position)) = self.sent.front().copied() {
            let is_at_member = |index: usize| self.out[index].state == State::Sent(at);
            let is_at_member = self.index_of(position).is_ok_and(is_at_member);
            if is_at_member && at + timeout > now {
                break;
            }
            self.sent.pop_front();
            if is_at_member {
                expired.push(position);
            }
        }
        expired
    }

    /// The event at `position` is in its place among the dead letters, or gone.
    pub(super) fn settle(&mut self, position: Position) -> bool {
        let Ok(index) = self.index_of(position) else {
            return false;
        };
        let is_new = self.out[index].state != State::Settled;
        self.set(index, State::Settled);
        is_new
    }

    /// The event at `position` could not be put among the dead letters: it is to be sent again at `due`.
    pub(super) fn exhume(&mut self, position: Position, due: Instant) {
        if let Ok(index) = self.index_of(position)
            && self.out[index].state == State::Burying
        {
            self.set(index, State::Failed(due));
        }
    }

    /// Up to `room` events that are to be sent again now, in order; those of the subjects in `held_up` are not.
    pub(super) fn due(
        &self,
        cursor: Position,
        now: Instant,
        room: usize,
        mut held_up: HashSet<u64>,
    ) -> Vec<Position> {
        if self.troubled == 0 {
            return Vec::new();
        }
        let waits = self.on_failure == OnFailure::Wait;
        let mut due = Vec::new();
        for out in self.out.iter().take_while(|out| out.position <= cursor) {
            if due.len() >= room {
                break;
            }
            let is_free = !waits || !held_up.contains(&out.subject);
            match out.state {
                // Until it is known what becomes of one that has failed, what is behind it of its subject would only be in the way.
                State::Failed(at) if at <= now && is_free => {
                    due.push(out.position);
                    held_up.insert(out.subject);
                }
                State::Waiting if is_free => due.push(out.position),
                State::Sent(_) if waits && out.has_failed => {
                    held_up.insert(out.subject);
                }
                State::Failed(_) | State::Waiting | State::Burying => {
                    held_up.insert(out.subject);
                }
                State::Sent(_) | State::Settled | State::Returned => {}
            }
        }
        due
    }

    /// Sends the event at `position` again, if it still is to be.
    pub(super) fn send_again(&mut self, position: Position, now: Instant) -> Option<u32> {
        let index = self.index_of(position).ok()?;
        let is_due = match self.out[index].state {
            State::Failed(at) => at <= now,
            State::Waiting => true,
            State::Sent(_) | State::Settled | State::Returned | State::Burying => false,
        };
        let out = self.out[index];
        let is_held_up = self.on_failure == OnFailure::Wait
            && self
                .out
                .range(..index)
                .any(|earlier| earlier.subject == out.subject && blocks(earlier.state));
        (is_due && !is_held_up).then(|| self.send(index, now))
    }

    /// Lets go of what is settled at the front, up to the cursor. What was to come again and was not there any more is settled.
    pub(super) fn trim(&mut self, cursor: Position) {
        if self.returned > 0 {
            for index in 0..self.out.len() {
                let out = &self.out[index];
                if out.position > cursor {
                    break;
                }
                if out.state == State::Returned {
                    self.set(index, State::Settled);
                }
            }
        }
        while let Some(out) = self.out.front() {
            if out.state != State::Settled || out.position > cursor {
                break;
            }
            self.out.pop_front();
        }
    }

    /// Lets go of everything that is settled: of letters nothing is in order.
    pub(super) fn trim_all(&mut self) {
        // Most are settled in order: to look through all for each of thousands takes half a second.
        while let Some(out) = self.out.front()
            && out.state == State::Settled
        {
            self.out.pop_front();
        }
        if self.unsettled < self.out.len() {
            self.out.retain(|out| out.state != State::Settled);
        }
    }

    /// Nothing is at the member any more: what is not settled comes again when the cursor does.
    pub(super) fn take_back(&mut self) {
        for index in 0..self.out.len() {
            if !matches!(self.out[index].state, State::Settled | State::Burying) {
                self.set(index, State::Returned);
            }
        }
        self.sent.clear();
    }

    /// The same, of letters: no cursor comes to them.
    pub(super) fn fail_all(&mut self, now: Instant) {
        for index in 0..self.out.len() {
            if matches!(self.out[index].state, State::Sent(_)) {
                self.set(index, State::Failed(now));
            }
        }
        self.sent.clear();
    }

    /// A letter that is to be sent once more.
    pub(super) fn post(
        &mut self,
        position: Position,
        subject: u64,
        recorded_at: Timestamp,
        now: Instant,
    ) {
        if let Err(index) = self.index_of(position) {
            let state = State::Failed(now);
            let out = Out {
                position,
                subject,
                identity: None,
                recorded_at,
                deliveries: 0,
                has_failed: false,
                sending: 0,
                state,
            };
            self.insert(index, out);
        }
    }

    /// The positions of those that are at the member.
    #[cfg(test)]
    pub(super) fn at_member(&self) -> Vec<Position> {
        let at_member = |out: &&Out| matches!(out.state, State::Sent(_));
        self.out
            .iter()
            .filter(at_member)
            .map(|out| out.position)
            .collect()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.on_failure);
    }
}

/// Whether later events of the subject wait for one in this state.
fn blocks(state: State) -> bool {
    matches!(state, State::Failed(_) | State::Waiting | State::Burying)
}
