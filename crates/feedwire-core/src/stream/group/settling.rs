//! What becomes of what was sent: acknowledged, failed, buried, and what time does to it.

use std::sync::Arc;
use std::time::Duration;

use feedwire_event::{Position, Timestamp};
use tokio::time::Instant;

use super::outstanding::{Answered, Buried};
use super::partition::{Lease, Work};
use super::unacknowledged::{Acknowledged, Unacknowledged};
use super::{Burial, Group, MemberId, Receipt, SETTLED_AFTER, number};
use crate::stream::Refused;

/// How long what cannot be buried waits at most before it is sent again.
const UNBURIED_WAIT: Duration = Duration::from_mins(1);

/// How an acknowledgement was taken.
pub(in crate::stream) type Acked = Result<usize, Refused>;

impl Group {
    /// The partition and the work of `receipt`, if its lease still stands.
    fn under(&mut self, receipt: Receipt) -> Result<(usize, &mut Unacknowledged), Refused> {
        let index = usize::from(receipt.partition);
        let partition = self.partitions.get_mut(index).ok_or(Refused::Unknown)?;
        let (_, generation) = partition.lease.holder().ok_or(Refused::Stale)?;
        if generation < receipt.generation {
            return Err(Refused::Unknown);
        }
        if generation != receipt.generation {
            return Err(Refused::Stale);
        }
        match &mut partition.work {
            Work::Explicit(work) => Ok((index, work)),
            Work::Delivered(_) => Err(Refused::Unknown),
        }
    }

    /// The event of `receipt` is done.
    pub(in crate::stream) fn acknowledge(&mut self, receipt: Receipt, now: Instant) -> Acked {
        let (index, work) = self.under(receipt)?;
        let position = receipt.position;
        let Acknowledged {
            answered,
            is_letter,
        } = work.acknowledge(position);
        match answered {
            Answered::Taken => {}
            // What is known no more was settled before everything that is.
            Answered::Unknown if position <= self.partitions[index].seen() => {}
            Answered::Unknown => return Err(Refused::Unknown),
            Answered::Stale => return Err(Refused::Stale),
        }
        if is_letter {
            self.delivered_letters.push(position);
        }
        self.settled(index, now);
        Ok(1)
    }

    /// The event of `receipt` is done, and everything that was sent before it of its partition.
    pub(in crate::stream) fn acknowledge_through(
        &mut self,
        receipt: Receipt,
        now: Instant,
    ) -> Acked {
        let (index, work) = self.under(receipt)?;
        let mut count = work.acknowledge_through(receipt.position);
        // A letter stands in no line, and holds up nothing.
        let is_letter = work.letters.acknowledge(receipt.position) == Answered::Taken;
        if is_letter {
            count += 1;
            self.delivered_letters.push(receipt.position);
        }
        self.settled(index, now);
        Ok(count)
    }

    /// The event of `receipt` failed, and is to come again after `delay`, or was sent too often, which is put down to `reason`.
    pub(in crate::stream) fn refuse(
        &mut self,
        receipt: Receipt,
        delay: Duration,
        reason: Option<Arc<str>>,
        now: Instant,
    ) -> Acked {
        let max = self.settings.max_deliveries;
        self.fail((receipt, now + delay), max, reason, now)
    }

    /// The event of `receipt` is put among the dead letters for `reason`, however often it was sent.
    pub(in crate::stream) fn give_up(
        &mut self,
        receipt: Receipt,
        reason: Option<Arc<str>>,
        now: Instant,
    ) -> Acked {
        self.fail((receipt, now), Some(0), reason, now)
    }

    fn fail(
        &mut self,
        (receipt, due): (Receipt, Instant),
        max: Option<u32>,
        reason: Option<Arc<str>>,
        now: Instant,
    ) -> Acked {
        let (index, work) = self.under(receipt)?;
        let position = receipt.position;
        let failed = work.fail(position, due, max);
        let buried = failed.map_err(|answered| match answered {
            Answered::Stale => Refused::Stale,
            Answered::Unknown | Answered::Taken => Refused::Unknown,
        })?;
        if let Some(buried) = buried {
            self.bury(index, buried, reason);
        }
        self.settled(index, now);
        Ok(1)
    }

    fn bury(&mut self, index: usize, buried: Buried, reason: Option<Arc<str>>) {
        self.burials.push(Burial {
            partition: number(index),
            position: buried.position,
            subject: buried.subject,
            deliveries: buried.deliveries,
            reason,
        });
    }

    /// Something of the partition was settled or failed: it may go on, or there is room for more of it.
    fn settled(&mut self, index: usize, now: Instant) {
        self.partitions[index].trim();
        if let Some((holder, _)) = self.partitions[index].lease.holder() {
            self.wakes.insert(holder);
        }
        self.hand_over(index, now);
    }

    /// The event of `receipt`, which was to be sent again, is not there any more.
    pub(in crate::stream) fn gone(&mut self, receipt: Receipt) {
        let index = usize::from(receipt.partition);
        if let Work::Explicit(work) = &mut self.partitions[index].work
            && work.settle(receipt.position)
        {
            self.delivered_letters.push(receipt.position);
        }
        self.partitions[index].trim();
    }

    /// Whether the event of `receipt` is with its member, as it was sent for the `attempt`th time.
    pub(in crate::stream) fn is_sent(&self, receipt: Receipt, attempt: u32) -> bool {
        let partition = self.partitions.get(usize::from(receipt.partition));
        partition.is_some_and(|partition| {
            let holder = partition.lease.holder();
            let is_held = holder.is_some_and(|(_, generation)| generation == receipt.generation);
            let is_sent = match &partition.work {
                Work::Explicit(work) => work.is_sent(receipt.position, attempt),
                Work::Delivered(_) => false,
            };
            is_held && is_sent
        })
    }

    /// The event of `receipt` was not sent after all.
    pub(in crate::stream) fn not_sent(&mut self, receipt: Receipt) {
        if let Ok((_, work)) = self.under(receipt) {
            work.not_sent(receipt.position);
        }
    }

    /// The event of `receipt` was not sent after all, and is to come again after `delay`.
    pub(in crate::stream) fn put_off(
        &mut self,
        receipt: Receipt,
        delay: Duration,
        now: Instant,
    ) -> Acked {
        self.not_sent(receipt);
        let taken = self.refuse(receipt, delay, None, now);
        if let Ok((_, work)) = self.under(receipt) {
            work.has_not_failed(receipt.position);
        }
        taken
    }

    /// An event is among the dead letters now.
    pub(in crate::stream) fn buried(&mut self, burial: &Burial, now: Instant) {
        let index = usize::from(burial.partition);
        if let Work::Explicit(work) = &mut self.partitions[index].work {
            work.settle(burial.position);
        }
        self.settled(index, now);
    }

    /// There is no room for another dead letter: the event is sent again instead, in a while.
    pub(in crate::stream) fn unburied(&mut self, burial: &Burial, now: Instant) {
        let due = now + self.settings.ack_timeout.min(UNBURIED_WAIT);
        let index = usize::from(burial.partition);
        if let Work::Explicit(work) = &mut self.partitions[index].work {
            work.exhume(burial.position, due);
        }
        // Its subject may be set aside now.
        if let Some((holder, _)) = self.partitions[index].lease.holder() {
            self.wakes.insert(holder);
        }
    }

    /// A letter is to be sent once more.
    pub(in crate::stream) fn post(
        &mut self,
        (partition, position, subject): (u16, Position, u64),
        recorded_at: Timestamp,
        now: Instant,
    ) {
        let partition = &mut self.partitions[usize::from(partition)];
        if let Work::Explicit(work) = &mut partition.work {
            work.letters.post(position, subject, recorded_at, now);
        }
        if let Some((holder, _)) = partition.lease.holder() {
            self.wakes.insert(holder);
        }
    }

    /// A letter is forgotten, also where it was being sent once more.
    pub(in crate::stream) fn drop_letter(&mut self, partition: u16, position: Position) {
        let partition = &mut self.partitions[usize::from(partition)];
        if let Work::Explicit(work) = &mut partition.work {
            work.letters.settle(position);
            work.letters.trim_all();
        }
    }

    /// A heartbeat was taken by `id`, with everything before it.
    pub(in crate::stream) fn beat(&mut self, id: MemberId, now: Instant) {
        let old = self.settings.heartbeat * SETTLED_AFTER;
        if let Some(member) = self.members.get_mut(&id) {
            // It tells what the member holds.
            member.is_changed = false;
        }
        for index in 0..self.partitions.len() {
            let partition = &mut self.partitions[index];
            if partition
                .lease
                .holder()
                .is_some_and(|(holder, _)| holder == id)
            {
                partition.beat(now, old);
                self.hand_over(index, now);
            }
        }
    }

    /// Time has passed: what was not acknowledged in time has failed, and what was to be drained in time goes on.
    pub(in crate::stream) fn tick(&mut self, now: Instant) {
        let timeout = self.settings.ack_timeout;
        for index in 0..self.partitions.len() {
            let partition = &mut self.partitions[index];
            let mut buried = Vec::new();
            let mut is_due = false;
            if let Work::Explicit(work) = &mut partition.work {
                buried = work.expire(now, timeout);
                is_due = !work.due(Position::MAX, now, 1).is_empty();
            }
            // A subject that has failed comes back no more.
            partition.trim();
            for buried in buried {
                self.bury(index, buried, None);
            }
            let partition = &self.partitions[index];
            if let Lease::Held { by, .. } = partition.lease
                && is_due
            {
                self.wakes.insert(by);
            }
            self.hand_over(index, now);
        }
    }

    /// All of it goes on behind `to`, whatever was sent.
    pub(in crate::stream) fn seek(&mut self, to: Position, now: Instant) {
        for index in 0..self.partitions.len() {
            self.partitions[index].seek(to, now);
            if let Some(heir) = self.partitions[index].lease.heir() {
                self.let_go(index, Some(heir), now);
            }
        }
        self.counted = to;
    }
}
