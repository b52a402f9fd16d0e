//! Subjects aside: what failed and would hold up its partition goes on by itself, until it has caught up.
//!
//! Of everything of a subject aside, up to the furthest that its partition has come, what is not settled is here, or behind the cursor
//! that the subject has here. The partition passes over it. A subject that has caught up comes back in two steps, so that nothing falls
//! between: first its later events are in line again and wait there, and once nothing of it is out here, they go.

use std::collections::{BTreeMap, HashSet};

use feedwire_event::{Position, Subject, Timestamp};
use tokio::time::Instant;

use super::super::OnFailure;
use super::Identity;
use super::outstanding::{Outstanding, Taken};
use crate::limits::ASIDE_EVENTS_MAX;

/// The subjects of a partition that are aside.
#[derive(Clone, Debug, Default)]
pub(super) struct Asides(BTreeMap<Identity, Lane>);

/// A subject that is aside.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// `None` is that of the events without one.
    pub(super) subject: Option<Subject>,
    /// Its hash.
    hash: u64,
    /// Everything of it up to here was sent, or need not be.
    pub(super) cursor: Position,
    /// What was sent of it and is not settled.
    pub(super) line: Outstanding,
    /// At least how many of its events are behind the cursor.
    pub(super) behind: u64,
    /// When one before those was recorded.
    pub(super) since: Timestamp,
    /// What it was sent up to here and is not known here was taken back.
    void: Position,
    /// It has caught up: its later events are in line.
    is_closing: bool,
    /// When it was read last, as a number of all readings.
    read: u64,
}

impl Lane {
    /// One that goes on behind `after`.
    pub(super) fn resume(
        (subject, hash): (Option<Subject>, u64),
        after: Position,
        (events, since): (u64, Timestamp),
        on_failure: OnFailure,
    ) -> Self {
        Self {
            subject,
            hash,
            cursor: after,
            line: Outstanding::new(on_failure),
            behind: events,
            since,
            void: Position::ZERO,
            is_closing: false,
            read: 0,
        }
    }

    /// Everything of it up to here is settled.
    pub(super) fn checkpoint(&self) -> Position {
        self.line.checkpoint(self.cursor)
    }

    /// At least how many of its events are not settled.
    pub(super) fn unsettled(&self) -> u64 {
        self.line.unsettled() as u64 + self.behind
    }

    /// When the first of them was recorded, or one before it.
    pub(super) fn since(&self) -> Timestamp {
        self.line.since().unwrap_or(self.since)
    }

    /// Whether what is behind its cursor is to be read, of what its partition has passed over up to `seen`.
    fn is_ready(&self, seen: Position, events_max: usize) -> bool {
        let has_room = self.line.len() < events_max && !self.line.holds_up();
        self.cursor < seen && !self.is_closing && (has_room || self.line.is_ahead_of(self.cursor))
    }

    /// Whether its partition passes over its events.
    pub(super) fn is_open(&self) -> bool {
        !self.is_closing
    }

    /// What is due of it, in order, at most `room` events.
    fn due(&self, now: Instant, room: usize) -> Vec<Position> {
        if self.line.is_held_until_after(now) {
            return Vec::new();
        }
        self.line.due(self.cursor, now, room, HashSet::new())
    }

    /// Its later events are here again, and not in `line`.
    fn reopen(&mut self, identity: Identity, line: &mut Outstanding) {
        let taken = line.take_out(identity);
        self.behind += taken.unsettled();
        self.is_closing = false;
    }
}

impl Asides {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.0.values()
    }

    /// What was sent of each and is not settled.
    pub(super) fn lines(&mut self) -> impl Iterator<Item = &mut Outstanding> {
        self.0.values_mut().map(|lane| &mut lane.line)
    }

    pub(super) fn get(&mut self, identity: Identity) -> Option<&mut Lane> {
        self.0.get_mut(&identity)
    }

    pub(super) fn has(&self, identity: Identity) -> bool {
        self.0.contains_key(&identity)
    }

    /// Whether events of `identity` wait in line for what is here.
    pub(super) fn holds_up(&self, identity: Identity) -> bool {
        let lane = self.0.get(&identity);
        lane.is_some_and(|lane| lane.is_closing)
    }

    /// The hashes of the subjects whose events wait in line for what is here.
    pub(super) fn held_up(&self) -> HashSet<u64> {
        let closing = self.lanes().filter(|lane| lane.is_closing);
        closing.map(|lane| lane.hash).collect()
    }

    pub(super) fn insert(&mut self, identity: Identity, lane: Lane) {
        self.0.insert(identity, lane);
    }

    /// What was taken out of a partition's line of `identity` goes on here, of a partition that was sent up to `seen`.
    pub(super) fn set_aside(
        &mut self,
        (identity, subject): (Identity, Option<Subject>),
        mut taken: Taken,
        seen: Position,
        on_failure: OnFailure,
    ) {
        let Some((hash, since)) = taken.first() else {
            return;
        };
        let mut lane = Lane::resume((subject, hash), seen, (0, since), on_failure);
        if let Some(left) = taken.cut(ASIDE_EVENTS_MAX) {
            lane.cursor = left.first.previous();
            lane.void = left.last;
            lane.behind = left.events;
        }
        lane.line.adopt(taken);
        lane.cursor = lane.line.before_returned(lane.cursor);
        self.insert(identity, lane);
    }

    /// Whether the event at `position`, of which nothing is known, may have been taken back.
    pub(super) fn is_void(&self, position: Position) -> bool {
        let mut lanes = self.lanes();
        lanes.any(|lane| lane.cursor < position && position <= lane.void)
    }

    /// What is due of them, at most `room` events.
    pub(super) fn due(&self, now: Instant, room: usize) -> Vec<Position> {
        let mut due = Vec::new();
        for lane in self.lanes() {
            if due.len() >= room {
                break;
            }
            due.extend(lane.due(now, room - due.len()));
        }
        due
    }

    /// The one that is to be read next, that was read least lately, and when that was.
    pub(super) fn ready(&self, seen: Position, events_max: usize) -> Option<(u64, Identity)> {
        let ready = self
            .0
            .iter()
            .filter(|(_, lane)| lane.is_ready(seen, events_max));
        let read = ready.map(|(identity, lane)| (lane.read, *identity));
        read.min()
    }

    /// Whether `identity` is here, and has come to `after`.
    pub(super) fn is_in_step(&self, identity: Identity, after: Position) -> bool {
        let lane = self.0.get(&identity);
        lane.is_some_and(|lane| lane.is_open() && lane.cursor >= after)
    }

    /// Nothing of `identity` stands between its cursor and `to` that was not looked at.
    pub(super) fn advance(&mut self, identity: Identity, to: Position) {
        if let Some(lane) = self.0.get_mut(&identity) {
            lane.cursor = lane.cursor.max(to);
        }
    }

    /// Nothing of `identity` is in the log up to `before`.
    pub(super) fn erased(&mut self, identity: Identity, before: Position) {
        if let Some(lane) = self.0.get_mut(&identity).filter(|lane| lane.is_open()) {
            lane.line.settle_up_to(before);
            lane.cursor = lane.cursor.max(before);
        }
    }

    /// The one is read as the `reading`th of all; its subject, and behind which position.
    pub(super) fn read(
        &mut self,
        identity: Identity,
        reading: u64,
    ) -> Option<(Option<Subject>, Position)> {
        let lane = self.0.get_mut(&identity)?;
        lane.read = reading;
        Some((lane.subject.clone(), lane.cursor))
    }

    /// Lets go of what is settled, and has subjects come back to `line` that have caught up with a partition that is at `cursor` and was
    /// at `seen`. One that fails meanwhile is aside for longer, and so is `crowding`, of which `line` is full.
    pub(super) fn tend(
        &mut self,
        line: &mut Outstanding,
        crowding: Option<Identity>,
        (cursor, seen): (Position, Position),
    ) {
        for (identity, lane) in &mut self.0 {
            lane.line.trim(lane.cursor);
            if lane.is_closing && (lane.line.holds_up() || crowding == Some(*identity)) {
                lane.reopen(*identity, line);
            }
            // After a crash, the partition may have to come to where the subject is.
            let has_caught_up = lane.cursor >= seen && lane.cursor <= cursor;
            if lane.is_open() && has_caught_up {
                lane.behind = 0;
                lane.is_closing = lane.line.is_on_its_way();
            }
        }
        self.0
            .retain(|_, lane| lane.is_open() || lane.line.len() > 0);
    }

    /// Nothing is at the member any more, and all that is not settled is to be sent again.
    pub(super) fn rewind(&mut self, line: &mut Outstanding) {
        for (identity, lane) in &mut self.0 {
            if lane.is_closing {
                lane.reopen(*identity, line);
            }
            lane.cursor = lane.checkpoint();
            lane.line.take_back();
        }
    }
}
