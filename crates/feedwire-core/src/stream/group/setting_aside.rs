//! What is done about subjects aside: they are set aside, read, and told.

use feedwire_event::{Position, Subject, Timestamp};
use tokio::time::Instant;

use super::asides::Lane;
use super::outstanding::{Admission, Arrival};
use super::partition::Work;
use super::{Burial, Group, Handed, Identity, MemberId, Offered, Portion, Receipt, number};
use crate::limits::SUBJECTS_ASIDE_MAX;
use crate::stream::Lost;

/// A subject that is aside, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::stream) struct Aside {
    pub(in crate::stream) partition: u16,
    /// `None` is that of the events without one.
    pub(in crate::stream) subject: Option<Subject>,
    /// Everything of it up to here is settled.
    pub(in crate::stream) after: Position,
    /// When one of those was recorded that are not, or one before them.
    pub(in crate::stream) since: Timestamp,
    /// At least how many are not, up to where its partition was sent.
    pub(in crate::stream) events: u64,
}

/// Events of a subject aside that are to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::stream) struct AsideRead {
    partition: u16,
    generation: u64,
    identity: Identity,
    pub(in crate::stream) subject: Option<Subject>,
    /// Behind which position.
    pub(in crate::stream) after: Position,
}

impl Group {
    /// What is aside, and how far that is.
    pub(in crate::stream) fn asides(&self) -> Vec<Aside> {
        let mut asides = Vec::new();
        for (index, partition) in self.partitions.iter().enumerate() {
            if let Work::Explicit(work) = &partition.work {
                asides.extend(work.asides.lanes().map(|lane| Aside {
                    partition: number(index),
                    subject: lane.subject.clone(),
                    after: lane.checkpoint(),
                    since: lane.since(),
                    events: lane.unsettled(),
                }));
            }
        }
        asides
    }

    /// How many subjects are aside.
    pub(in crate::stream) fn asides_count(&self) -> usize {
        let counts = self
            .partitions
            .iter()
            .map(|partition| match &partition.work {
                Work::Explicit(work) => work.asides.len(),
                Work::Delivered(_) => 0,
            });
        counts.sum()
    }

    /// Goes on with a subject that was aside; `hash` and `identity` are its.
    pub(in crate::stream) fn resume(&mut self, aside: Aside, (hash, identity): (u64, Identity)) {
        let on_failure = self.settings.on_failure;
        let Some(partition) = self.partitions.get_mut(usize::from(aside.partition)) else {
            return;
        };
        if let Work::Explicit(work) = &mut partition.work {
            let whose = (aside.subject, hash);
            let lag = (aside.events, aside.since);
            let lane = Lane::resume(whose, aside.after, lag, on_failure);
            work.asides.insert(identity, lane);
        }
    }

    /// An event that holds up a partition of `id`, and whose subject is to be set aside.
    pub(super) fn crowding(&self, id: MemberId) -> Option<Receipt> {
        let mut open = self.partitions.iter().enumerate();
        let found = open.find_map(|(index, partition)| {
            let (Some(generation), Work::Explicit(work)) =
                (partition.lease.open_to(id), &partition.work)
            else {
                return None;
            };
            Some(Receipt {
                partition: number(index),
                generation,
                position: work.crowding()?,
            })
        });
        found.filter(|_| self.asides_count() < SUBJECTS_ASIDE_MAX)
    }

    /// The event of `receipt` is of `subject`, which is set aside, if it is to be still.
    pub(in crate::stream) fn set_aside(
        &mut self,
        id: MemberId,
        receipt: Receipt,
        subject: Option<Subject>,
    ) {
        let Some(partition) = self.partitions.get_mut(usize::from(receipt.partition)) else {
            return;
        };
        let is_open = partition.lease.open_to(id) == Some(receipt.generation);
        let seen = partition.seen();
        if let Work::Explicit(work) = &mut partition.work
            && is_open
            && work.crowding() == Some(receipt.position)
        {
            work.set_aside(subject, seen);
            partition.trim();
        }
    }

    /// The subject aside that `id` is to read next.
    pub(super) fn aside_to_read(&mut self, id: MemberId) -> Option<AsideRead> {
        let mut next: Option<(u64, usize, u64, Identity)> = None;
        for (index, partition) in self.partitions.iter().enumerate() {
            if let Some(generation) = partition.lease.open_to(id)
                && let Some((read, identity)) = partition.ready_aside()
                && next.is_none_or(|(earliest, ..)| read < earliest)
            {
                next = Some((read, index, generation, identity));
            }
        }
        let (_, index, generation, identity) = next?;
        self.readings += 1;
        let Work::Explicit(work) = &mut self.partitions[index].work else {
            return None;
        };
        let (subject, after) = work.asides.read(identity, self.readings)?;
        Some(AsideRead {
            partition: number(index),
            generation,
            identity,
            subject,
            after,
        })
    }

    /// What was read of a subject aside up to `through` is offered to `id`, as in [`Group::offer`].
    pub(in crate::stream) fn offer_aside<'e>(
        &mut self,
        id: MemberId,
        (read, through): (&AsideRead, Position),
        events: impl Iterator<Item = &'e Offered>,
        shows: impl Fn(usize) -> bool,
        portion: Portion,
        now: Instant,
    ) -> Vec<Handed> {
        let mut handed = Vec::new();
        let room = self.room(id).min(portion.events);
        let Some(joined) = self.members.get(&id).map(|member| member.joined) else {
            return handed;
        };
        let partition = &mut self.partitions[usize::from(read.partition)];
        let mut reached = through.min(partition.seen());
        let is_open = partition.lease.open_to(id) == Some(read.generation);
        let Work::Explicit(work) = &mut partition.work else {
            return handed;
        };
        if !is_open || !work.asides.is_in_step(read.identity, read.after) {
            return handed;
        }
        let mut bytes = 0;
        for (index, event) in events.enumerate() {
            let position = event.position;
            if position > reached {
                break;
            }
            let is_passed = work.is_passed_aside(read.identity, position)
                || !shows(index)
                || (event.is_live_only && position <= joined);
            if is_passed {
                continue;
            }
            let is_full = work.is_full_aside(read.identity, position);
            if handed.len() >= room || bytes >= portion.bytes || is_full {
                reached = position.previous();
                break;
            }
            match work.admit_aside(Arrival::of(event, read.identity), now) {
                Admission::Send(deliveries) => {
                    bytes += event.bytes;
                    handed.push(Handed {
                        index,
                        receipt: read.receipt(position),
                        attempt: Some(deliveries),
                    });
                }
                Admission::Pass => {}
                Admission::Bury(deliveries) => self.burials.push(Burial {
                    partition: read.partition,
                    position,
                    subject: event.subject,
                    deliveries,
                    reason: None,
                }),
            }
        }
        work.asides.advance(read.identity, reached);
        partition.trim();
        handed
    }

    /// Retention has left what begins at `first`: at most `lost_at_most` positions are gone behind where the subject is.
    pub(in crate::stream) fn trimmed_aside(
        &mut self,
        read: &AsideRead,
        first: Position,
        lost_at_most: u64,
    ) {
        let partition = &mut self.partitions[usize::from(read.partition)];
        let before = first.previous().min(partition.seen());
        let Work::Explicit(work) = &mut partition.work else {
            return;
        };
        let Some(lane) = work.asides.get(read.identity) else {
            return;
        };
        let behind = before.get().saturating_sub(lane.cursor.get());
        work.asides.advance(read.identity, before);
        partition.trim();
        if behind > 0 {
            let lost_at_most = lost_at_most.min(behind);
            self.lost += lost_at_most;
            self.tell_lost(Lost {
                lost_at_most,
                first,
            });
        }
    }

    /// Of `aside`, nothing is in the log any more before `first`.
    pub(in crate::stream) fn erased_aside(
        &mut self,
        aside: &Aside,
        identity: Identity,
        first: Position,
    ) {
        let partition = &mut self.partitions[usize::from(aside.partition)];
        let before = first.previous().min(partition.seen());
        if let Work::Explicit(work) = &mut partition.work {
            work.asides.erased(identity, before);
        }
        partition.trim();
        if let Some((holder, _)) = partition.lease.holder() {
            self.wakes.insert(holder);
        }
    }
}

impl AsideRead {
    fn receipt(&self, position: Position) -> Receipt {
        Receipt {
            partition: self.partition,
            generation: self.generation,
            position,
        }
    }
}
