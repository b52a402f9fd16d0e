//! A stream as a state machine: who is a member, who holds which partition, what was sent, settled and comes again.
//!
//! It knows no log, no store, no clock and no task. Whoever drives it tells it what was counted in the log, what a member takes, and
//! that time has passed, and carries out what it asks for: members to wake, letters to bury, checkpoints to keep.

mod asides;
mod balance;
mod lag;
mod outstanding;
mod partition;
mod sent;
mod setting_aside;
mod settling;
mod telling;
#[cfg(test)]
mod tests;
mod unacknowledged;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use feedwire_engine::Limit;
use feedwire_event::{Position, Timestamp};
use tokio::time::Instant;

use super::{Lost, Mode, Receipt, Settings};
use partition::{Lease, Offer, Partition, Work};
pub(super) use setting_aside::{Aside, AsideRead};

/// Heartbeats that what was sent has to be old before it is settled in mode `delivered`.
const SETTLED_AFTER: u32 = 2;

/// Heartbeats that a partition has to be drained in mode `delivered`: one until what was sent is marked, two until it is old enough, one more
/// where the last of these came a little early, and one for none of this to be late.
const DRAINED_AFTER: u32 = SETTLED_AFTER + 3;

/// A member, among all that the group ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct MemberId(u64);

/// A subject, by a hash that nobody can foresee: none is taken for another, whatever those who publish call theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity(pub(super) u64);

/// What of an event matters to the group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offered {
    pub(super) partition: u16,
    pub(super) position: Position,
    /// The hash of its subject.
    pub(super) subject: u64,
    pub(super) recorded_at: Timestamp,
    pub(super) bytes: usize,
    /// It is for those alone who were there before it.
    pub(super) is_live_only: bool,
}

/// An event that is handed to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handed {
    /// Which of those that were offered.
    pub(super) index: usize,
    pub(super) receipt: Receipt,
    /// The how-manieth time it is, where that is counted.
    pub(super) attempt: Option<u32>,
}

/// What a member is to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is no member any more.
    Gone,
    /// Events were lost to it.
    Lost(Lost),
    /// What it holds has changed.
    Changed,
    /// These are to be read and handed to it again, each under the lease of its receipt.
    Again(Vec<Receipt>),
    /// The event of the receipt is to be read, and its subject set aside.
    SetAside(Receipt),
    /// What is behind `after` is to be read and offered to it.
    Read { after: Position },
    /// The same of a subject that is aside.
    ReadAside(AsideRead),
    /// The stream has come to its end.
    Done,
    /// Nothing, until it is woken.
    Wait,
}

/// A letter that is to be kept among the dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Burial {
    pub(super) partition: u16,
    pub(super) position: Position,
    pub(super) subject: u64,
    pub(super) deliveries: u32,
    /// Why it failed, where that was said.
    pub(super) reason: Option<Arc<str>>,
}

/// Partitions that went to another member though not all that was sent of them was settled, as their time to drain was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overdue {
    /// How many.
    pub(super) partitions: u64,
    /// What comes again is behind this position, and not behind the other.
    pub(super) after: Position,
    pub(super) through: Position,
}

/// There is no place for another member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

#[derive(Clone, Debug)]
struct Member {
    /// The last position of the log when it came.
    joined: Position,
    is_changed: bool,
    lost: Option<Lost>,
    /// It has read of a subject aside, and not of a line since.
    was_aside: bool,
}

/// How much a member takes at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portion {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

impl Portion {
    pub(super) fn of(limit: Limit) -> Self {
        Self {
            events: limit.records,
            bytes: limit.bytes,
        }
    }
}

/// The state of a stream.
#[derive(Clone, Debug)]
pub(super) struct Group {
    settings: Settings,
    partitions: Vec<Partition>,
    members: BTreeMap<MemberId, Member>,
    next_member: u64,
    next_generation: u64,
    /// Up to where the log was counted. Nobody reads further.
    counted: Position,
    /// At most how many positions retention has taken from it.
    lost: u64,
    wakes: BTreeSet<MemberId>,
    burials: Vec<Burial>,
    /// Letters that were sent once more and are done.
    delivered_letters: Vec<Position>,
    overdue: Option<Overdue>,
    is_closed: bool,
    /// How often a subject aside was read.
    readings: u64,
    /// Which letters are to be sent once more is known.
    has_letters: bool,
    /// Its members were told that it has come to its end.
    is_done_told: bool,
}

impl Group {
    /// A group without members, which goes on behind these checkpoints, one for each partition.
    pub(super) fn new(settings: Settings, checkpoints: &[Position], next_generation: u64) -> Self {
        let partitions: Vec<Partition> = checkpoints
            .iter()
            .map(|checkpoint| Partition::new(&settings, *checkpoint))
            .collect();
        let counted = checkpoints.iter().min().copied().unwrap_or_default();
        Self {
            settings,
            partitions,
            members: BTreeMap::new(),
            next_member: 1,
            next_generation,
            counted,
            lost: 0,
            wakes: BTreeSet::new(),
            burials: Vec::new(),
            delivered_letters: Vec::new(),
            overdue: None,
            is_closed: false,
            readings: 0,
            has_letters: false,
            is_done_told: false,
        }
    }

    pub(super) fn counted(&self) -> Position {
        self.counted
    }

    pub(super) fn next_generation(&self) -> u64 {
        self.next_generation
    }

    pub(super) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// Whether all that is counted of it ever is.
    pub(super) fn is_counted_out(&self) -> bool {
        self.settings.until.is_some_and(|end| self.counted >= end)
    }

    /// Whether it has an end, all up to there is settled, and no letter is to be sent once more.
    pub(super) fn is_done(&self) -> bool {
        self.is_counted_out()
            && self.has_letters
            && self.partitions.iter().all(|partition| {
                partition.checkpoint() >= self.counted && partition.has_line_alone()
            })
    }

    /// All letters that are to be sent once more were posted.
    pub(super) fn letters_posted(&mut self) {
        self.has_letters = true;
    }

    /// Up to where each partition is settled, but for subjects aside.
    pub(super) fn checkpoints(&self) -> Vec<Position> {
        self.partitions.iter().map(Partition::checkpoint).collect()
    }

    /// Whom there may be something for, since this was asked last.
    pub(super) fn take_wakes(&mut self) -> BTreeSet<MemberId> {
        let is_done = self.is_done();
        if is_done && !self.is_done_told {
            self.wakes.extend(self.members.keys());
        }
        self.is_done_told = is_done;
        std::mem::take(&mut self.wakes)
    }

    /// Whether there may be something for `id` since [`Group::take_wakes`].
    #[cfg(test)]
    fn is_woken(&self, id: MemberId) -> bool {
        self.wakes.contains(&id)
    }

    /// Whether there is something to be carried out.
    pub(super) fn has_errands(&self) -> bool {
        !self.burials.is_empty() || !self.delivered_letters.is_empty() || self.overdue.is_some()
    }

    /// What went on before it was drained, to be told.
    pub(super) fn take_overdue(&mut self) -> Option<Overdue> {
        self.overdue.take()
    }

    /// What is to be buried, and is [`Group::buried`] then.
    pub(super) fn take_burials(&mut self) -> Vec<Burial> {
        std::mem::take(&mut self.burials)
    }

    /// Letters that are done, and need not be kept any more.
    pub(super) fn take_delivered_letters(&mut self) -> Vec<Position> {
        std::mem::take(&mut self.delivered_letters)
    }

    /// A member comes, who is there before whatever is behind `head`.
    pub(super) fn join(&mut self, head: Position, now: Instant) -> Result<MemberId, Full> {
        if self.is_closed || self.members.len() >= self.settings.members_max {
            return Err(Full);
        }
        let id = MemberId(self.next_member);
        self.next_member += 1;
        let member = Member {
            joined: head,
            is_changed: false,
            lost: None,
            was_aside: false,
        };
        self.members.insert(id, member);
        self.balance(now);
        Ok(id)
    }

    /// A member's connection is closed.
    pub(super) fn leave(&mut self, id: MemberId, now: Instant) {
        if self.members.remove(&id).is_none() {
            return;
        }
        self.wakes.remove(&id);
        for index in 0..self.partitions.len() {
            match self.partitions[index].lease {
                Lease::Held { by, .. } if by == id => self.let_go(index, None, now),
                Lease::Leaving { by, to, .. } if by == id => self.let_go(index, Some(to), now),
                Lease::Leaving {
                    by, generation, to, ..
                } if to == id => self.stay(index, by, generation),
                Lease::Free | Lease::Held { .. } | Lease::Leaving { .. } => {}
            }
        }
        self.balance(now);
    }

    /// Every member is sent away, and nobody comes any more.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        let members = std::mem::take(&mut self.members);
        self.wakes.extend(members.into_keys());
    }

    /// The log was counted up to `through`; these are the stream's events in it, behind what was counted before.
    pub(super) fn count(
        &mut self,
        events: impl IntoIterator<Item = (u16, Position, Timestamp)>,
        through: Position,
    ) {
        let end = self.settings.until.unwrap_or(Position::MAX);
        let through = through.min(end);
        for (partition, position, recorded_at) in events {
            if position > end {
                break;
            }
            let partition = &mut self.partitions[usize::from(partition)];
            if partition.count(position, recorded_at)
                && let Lease::Held { by, .. } = partition.lease
            {
                self.wakes.insert(by);
            }
        }
        let came_to = self.counted.max(through);
        self.counted = came_to;
        for partition in &mut self.partitions {
            if !partition.has_more() {
                partition.advance(came_to);
                if let Lease::Held { by, .. } = partition.lease
                    && partition.ready_aside().is_some()
                {
                    self.wakes.insert(by);
                }
            }
        }
    }

    /// What `id` is to do next.
    pub(super) fn next(&mut self, id: MemberId, now: Instant) -> Next {
        let Some(member) = self.members.get_mut(&id) else {
            return Next::Gone;
        };
        if let Some(lost) = member.lost.take() {
            return Next::Lost(lost);
        }
        if std::mem::take(&mut member.is_changed) {
            return Next::Changed;
        }
        if self.is_done() {
            return Next::Done;
        }
        if let Some(receipt) = self.crowding(id) {
            return Next::SetAside(receipt);
        }
        let room = self.room(id);
        if room == 0 {
            return Next::Wait;
        }
        let again = self.due(id, now, room);
        if !again.is_empty() {
            return Next::Again(again);
        }
        self.reading(id)
    }

    /// What `id` is to read next: of a line and of a subject aside by turns, where there is something of both.
    fn reading(&mut self, id: MemberId) -> Next {
        let mine = self.partitions.iter().filter(|partition| {
            partition.lease.open_to(id).is_some() && partition.has_more() && partition.has_room()
        });
        let line = mine.map(Partition::cursor).min();
        let line = line.filter(|after| *after < self.counted);
        let was_aside = self.members.get(&id).is_some_and(|member| member.was_aside);
        let aside = match line {
            Some(_) if was_aside => None,
            Some(_) | None => self.aside_to_read(id),
        };
        if let Some(member) = self.members.get_mut(&id) {
            member.was_aside = aside.is_some();
        }
        match (aside, line) {
            (Some(read), _) => Next::ReadAside(read),
            (None, Some(after)) => Next::Read { after },
            (None, None) => Next::Wait,
        }
    }

    /// How many more events may be at `id`.
    fn room(&self, id: MemberId) -> usize {
        if self.settings.mode == Mode::Delivered {
            return usize::MAX;
        }
        let holds = |partition: &&Partition| {
            partition
                .lease
                .holder()
                .is_some_and(|(holder, _)| holder == id)
        };
        let mine = self.partitions.iter().filter(holds);
        let in_flight: usize = mine.map(Partition::in_flight).sum();
        self.settings.max_in_flight.saturating_sub(in_flight)
    }

    /// What is to be sent again to `id` now, at most `room` events.
    fn due(&self, id: MemberId, now: Instant, room: usize) -> Vec<Receipt> {
        let mut again = Vec::new();
        for (index, partition) in self.partitions.iter().enumerate() {
            let (Some(generation), Work::Explicit(work)) =
                (partition.lease.open_to(id), &partition.work)
            else {
                continue;
            };
            let due = work.due(partition.cursor(), now, room - again.len());
            again.extend(due.into_iter().map(|position| Receipt {
                partition: number(index),
                generation,
                position,
            }));
        }
        again
    }

    /// The event of `receipt`, which was to be sent again, goes to `id` now; how often it was sent with that. `None` where it is not to be
    /// any more.
    pub(super) fn send_again(
        &mut self,
        id: MemberId,
        receipt: Receipt,
        is_live_only: bool,
        now: Instant,
    ) -> Option<u32> {
        let joined = self.members.get(&id)?.joined;
        let partition = self.partitions.get_mut(usize::from(receipt.partition))?;
        if partition.lease.open_to(id) != Some(receipt.generation) {
            return None;
        }
        if is_live_only && receipt.position <= joined {
            self.gone(receipt);
            return None;
        }
        let Work::Explicit(work) = &mut partition.work else {
            return None;
        };
        work.send_again(receipt.position, now)
    }

    /// What was read behind `after` up to `through` is offered to `id`; what is handed to it counts as sent. Of `events`, those are passed over
    /// for which `shows` has nothing by their index: it is asked of those alone that would be handed, and tells their subject.
    pub(super) fn offer<'e>(
        &mut self,
        id: MemberId,
        (after, through): (Position, Position),
        events: impl Iterator<Item = &'e Offered>,
        shows: impl Fn(usize) -> Option<Identity>,
        portion: Portion,
        now: Instant,
    ) -> Vec<Handed> {
        let mut handed = Vec::new();
        let Some(joined) = self.members.get(&id).map(|member| member.joined) else {
            return handed;
        };
        let mut open = self.open_to(id, after);
        let mut reached = through.min(self.counted);
        let room = self.room(id).min(portion.events);
        let mut bytes = 0;
        for (index, event) in events.enumerate() {
            let Offered {
                partition: at,
                position,
                ..
            } = *event;
            let at = usize::from(at);
            let Some(generation) = open[at].filter(|_| position <= reached) else {
                continue;
            };
            let partition = &mut self.partitions[at];
            if position <= partition.cursor() {
                continue;
            }
            let Some(identity) = shows(index) else {
                continue;
            };
            if handed.len() >= room || bytes >= portion.bytes {
                reached = position.previous();
                break;
            }
            if event.is_live_only && position <= joined {
                partition.advance(position);
                continue;
            }
            match partition.offer(event, identity, now) {
                Offer::Send(attempt) => {
                    bytes += event.bytes;
                    let receipt = Receipt {
                        partition: number(at),
                        generation,
                        position,
                    };
                    handed.push(Handed {
                        index,
                        receipt,
                        attempt,
                    });
                }
                Offer::Pass => {}
                Offer::Bury(deliveries) => self.burials.push(Burial {
                    partition: number(at),
                    position,
                    subject: event.subject,
                    deliveries,
                    reason: None,
                }),
                Offer::Stuck => {
                    partition.advance(position.previous());
                    open[at] = None;
                }
            }
        }
        for (partition, open) in self.partitions.iter_mut().zip(open) {
            if open.is_some() {
                partition.advance(reached);
            }
        }
        handed
    }

    /// Of each partition, the generation under which `id` is sent what was read behind `after`, if it is.
    fn open_to(&self, id: MemberId, after: Position) -> Vec<Option<u64>> {
        let open = self.partitions.iter().map(|partition| {
            let is_in_step = partition.cursor() >= after && partition.has_room();
            partition.lease.open_to(id).filter(|_| is_in_step)
        });
        open.collect()
    }

    /// Retention has left what begins at `first`: of what is behind `after`, `lost_at_most` positions are gone. Whatever has not come so far
    /// goes on there.
    pub(super) fn trimmed(&mut self, after: Position, first: Position, lost_at_most: u64) {
        let end = self.settings.until.unwrap_or(Position::MAX);
        let before = first.previous().min(end);
        let furthest_behind = self.partitions.iter().map(Partition::cursor).min();
        let Some(behind) = furthest_behind.filter(|cursor| *cursor < before) else {
            // Somebody has told of it already.
            return;
        };
        // More of it is gone for whoever is behind `after`.
        let more = after.get().saturating_sub(behind.get());
        let lost_at_most = (lost_at_most + more).min(before.get() - behind.get());
        self.lost += lost_at_most;
        self.counted = self.counted.max(before);
        for partition in &mut self.partitions {
            if partition.cursor() < before {
                partition.advance(before);
            }
        }
        self.tell_lost(Lost {
            lost_at_most,
            first,
        });
    }

    fn tell_lost(&mut self, lost: Lost) {
        for (id, member) in &mut self.members {
            member.lost = Some(member.lost.take().map_or(lost, |earlier| earlier.and(lost)));
            self.wakes.insert(*id);
        }
    }
}

fn number(index: usize) -> u16 {
    u16::try_from(index).expect("there are at most 1,024 partitions")
}
