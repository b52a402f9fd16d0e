//! What is to be true after every step of a stream's life, and at its end.

use std::collections::BTreeMap;
use std::time::Duration;

use feedwire_event::{Position, Timestamp};
use tokio::time::Instant;

use super::world::{Client, World};
use crate::stream::group::partition::{Lease, Work};
use crate::stream::group::{Group, MemberId};
use crate::stream::{Mode, Receipt};

impl World {
    /// A partition goes from one member to another only when nothing that was sent of it is open, or time was up.
    pub(super) fn check_handovers(&self, before: &Group) {
        for (was, is) in before.partitions.iter().zip(&self.group.partitions) {
            let (Some((old, _)), Some((new, _))) = (was.lease.holder(), is.lease.holder()) else {
                continue;
            };
            if old == new || !self.clients.contains_key(&old) {
                continue;
            }
            let deadline = match was.lease {
                Lease::Leaving { deadline, .. } => deadline,
                Lease::Free | Lease::Held { .. } => self.now + Duration::from_secs(1),
            };
            let has_open = match &was.work {
                Work::Explicit(work) => {
                    let at_member = work.at_member();
                    let is_open = |position: &Position| !self.model.acknowledged.contains(position);
                    at_member
                        .iter()
                        .filter(|position| is_open(position))
                        .any(|position| {
                            let hash = self.hash(*position);
                            // A late one takes back those behind it.
                            let is_late = |(had, at): &(Receipt, Instant)| {
                                had.position <= *position
                                    && self.hash(had.position) == hash
                                    && *at + self.settings.ack_timeout <= self.now
                            };
                            let is_void = self.clients[&old]
                                .void
                                .iter()
                                .any(|(_, void)| *void == *position);
                            let Client { has, forgotten, .. } = &self.clients[&old];
                            has.iter().any(|(had, _)| had.position == *position)
                                && !has.iter().chain(forgotten).any(is_late)
                                && !is_void
                        })
                }
                Work::Delivered(sent) => {
                    sent.unsettled_after(self.now, self.settings.heartbeat * 2)
                }
            };
            assert!(
                !has_open || deadline <= self.now,
                "{:?} {:?} went on to {new:?}",
                was.lease,
                was.work
            );
        }
    }

    pub(super) fn check(&self) {
        let mut shares: BTreeMap<MemberId, usize> =
            self.clients.keys().map(|id| (*id, 0)).collect();
        for partition in &self.group.partitions {
            match partition.lease.heir() {
                Some(heir) => {
                    let share = shares.get_mut(&heir);
                    *share.expect("who has a partition is a member") += 1;
                }
                None => assert!(self.clients.is_empty(), "a partition is left alone"),
            }
        }
        if let (Some(most), Some(fewest)) = (shares.values().max(), shares.values().min()) {
            assert!(most - fewest < 2, "{shares:?}");
        }
        for id in self.clients.keys() {
            let mine = self
                .group
                .members()
                .into_iter()
                .find(|member| member.member == id.0);
            let in_flight = mine.expect("a client is a member").in_flight;
            assert!(
                in_flight <= self.settings.max_in_flight || self.group.partitions.len() > 1,
                "{in_flight}"
            );
        }
        for (index, checkpoint) in self.group.checkpoints().into_iter().enumerate() {
            let settled = self.log.iter().filter(|event| {
                usize::from(event.partition) == index && event.position <= checkpoint
            });
            let open = settled.filter(|event| !self.is_done(event.position));
            for event in open.filter(|event| !self.is_aside(event.position)) {
                let handed = self.model.handed.get(&event.position);
                let old = self.settings.heartbeat * 2;
                let is_settled = self.settings.mode == Mode::Delivered
                    && handed.is_some_and(|at| *at + old <= self.now);
                assert!(
                    is_settled,
                    "{event:?} is behind the checkpoint {checkpoint} and nobody has it"
                );
            }
        }
        self.check_asides();
        if !self.model.has_excuses && self.log.iter().all(|event| !event.is_live_only) {
            self.check_lag();
        }
    }

    /// Whether the event is behind where its subject is, which is aside.
    fn is_aside(&self, position: Position) -> bool {
        let subject = self.subject(position);
        let mut asides = self.group.asides().into_iter();
        asides.any(|aside| Self::named(aside.subject.as_ref()) == subject && aside.after < position)
    }

    /// What is settled of subjects aside is, little is known of them, and nothing that has failed stops a partition.
    fn check_asides(&self) {
        for aside in self.group.asides() {
            let subject = Self::named(aside.subject.as_ref());
            let own = self
                .log
                .iter()
                .filter(|event| self.subject(event.position) == subject);
            let settled = own.filter(|event| event.position <= aside.after);
            for event in settled {
                assert!(
                    self.is_done(event.position),
                    "{event:?} is behind {aside:?}, and nobody has it"
                );
            }
        }
        for partition in &self.group.partitions {
            let Work::Explicit(work) = &partition.work else {
                continue;
            };
            for lane in work.asides.lanes() {
                assert!(lane.line.len() <= self.settings.max_in_flight, "{lane:?}");
            }
            if let Some((holder, _)) = partition.lease.holder()
                && self.asleep.contains(&holder)
                && !self.group.is_woken(holder)
                && partition.lease.open_to(holder).is_some()
            {
                assert_eq!(work.crowding(), None, "{work:?} is held up");
            }
        }
    }

    /// A member was told that the stream has come to its end.
    pub(super) fn check_end(&self) {
        let end = self
            .settings
            .until
            .expect("a stream without an end has none");
        assert!(self.group.counted() >= end);
        if self.settings.mode == Mode::Explicit {
            let own = self.log.iter().filter(|event| event.position <= end);
            let open = own.filter(|event| !self.is_done(event.position));
            assert_eq!(open.count(), 0, "it ends too early");
        }
        assert!(self.kept.letters.values().all(|(_, again)| !again));
    }

    fn check_lag(&self) {
        if self.settings.mode == Mode::Delivered {
            return;
        }
        let open = self.log.iter().filter(|event| {
            event.position <= self.group.counted() && !self.is_done(event.position)
        });
        let lag = self.group.lag(Timestamp::from_micros(0)).events;
        assert!(lag >= open.count() as u64, "{lag}");
    }

    /// With members that do their work nothing is left over.
    pub(super) fn settle(&mut self) {
        let settled = |world: &Self| {
            let last = world.head().min(world.end());
            let at_head = |position: &Position| *position >= last;
            world.group.checkpoints().iter().all(at_head)
                && world.group.asides().is_empty()
                && world.kept.letters.values().all(|(_, again)| !again)
        };
        for _ in 0..10_000 {
            if settled(self) {
                assert_eq!(
                    self.group.lag(Timestamp::from_micros(0)).events,
                    0,
                    "nothing is left over: {:?}",
                    self.group.partitions
                );
                return;
            }
            if self.clients.is_empty() {
                self.join();
            }
            let before = self.group.clone();
            self.count();
            for id in self.clients.keys().copied().collect::<Vec<_>>() {
                while self.take_as(id) {}
                for (receipt, _) in self.clients[&id].has.clone() {
                    self.done(id, receipt);
                }
                self.group.beat(id, self.now);
            }
            self.pass(Duration::from_secs(5));
            self.bury(true);
            self.check_handovers(&before);
            self.check();
        }
        panic!("it does not settle: {:?}", self.group);
    }
}
