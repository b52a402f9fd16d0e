//! What members say of what they have: it is done, or it failed, or nothing.

use std::time::Duration;

use feedwire_event::Position;

use super::world::World;
use crate::stream::group::MemberId;
use crate::stream::group::partition::Work;
use crate::stream::{Mode, OnFailure, Receipt, Refused};

impl World {
    pub(super) fn acknowledge(&mut self) {
        let Some(id) = self.client() else { return };
        let has = self.clients[&id].has.clone();
        for _ in 0..=self.random.below(8) {
            if let Some((receipt, _)) = self.random.pick(&has).copied() {
                if self.subject(receipt.position) == self.cursed && !self.random.chance(20) {
                    self.refuse_one(id, receipt);
                } else if self.settings.mode == Mode::Explicit && self.random.chance(4) {
                    self.through(id, receipt);
                } else {
                    self.done(id, receipt);
                }
            }
        }
    }

    pub(super) fn done(&mut self, id: MemberId, receipt: Receipt) {
        let stands = self.stands(id, receipt);
        let acked = self.group.acknowledge(receipt, self.now);
        self.tell(|| format!("{id:?} is done with {receipt:?}: {acked:?}"));
        if self.settings.mode == Mode::Delivered {
            assert!(acked.is_err());
            return;
        }
        match acked {
            Ok(_) => {
                let is_void = self.clients[&id]
                    .void
                    .contains(&(receipt.generation, receipt.position));
                let is_gone = receipt.position < self.first;
                let is_letter = self.posted.contains(&receipt.position);
                assert!(
                    !is_void || is_gone || is_letter,
                    "{receipt:?} was good though it was taken back"
                );
                assert!(
                    stands,
                    "{receipt:?} was good though its lease has passed on"
                );
                self.model.acknowledged.insert(receipt.position);
            }
            Err(refused) => assert!(
                refused == Refused::Stale || !stands || self.posted.contains(&receipt.position),
                "{receipt:?} is {refused:?}"
            ),
        }
        let client = self.clients.get_mut(&id).expect("it is there");
        client.has.retain(|(had, _)| *had != receipt);
        self.forget_letters();
    }

    /// All that the member has of the partition up to there is done.
    fn through(&mut self, id: MemberId, receipt: Receipt) {
        let has = self.clients[&id].has.clone();
        let before: Vec<Receipt> = has
            .iter()
            .map(|(had, _)| *had)
            .filter(|had| had.partition == receipt.partition && had.position <= receipt.position)
            .collect();
        // What has failed meanwhile is not with the member any more.
        if before.iter().any(|had| {
            had.generation != receipt.generation || self.kept.letters.contains_key(&had.position)
        }) {
            return;
        }
        let before = self.open(receipt.partition);
        if self.group.acknowledge_through(receipt, self.now).is_ok() {
            let after = self.open(receipt.partition);
            let settled = before
                .into_iter()
                .filter(|position| !after.contains(position));
            for position in settled {
                assert!(
                    position <= receipt.position,
                    "{position} is behind {receipt:?}"
                );
                self.model.acknowledged.insert(position);
            }
        }
    }

    /// What the group holds for sent of the partition.
    pub(super) fn open(&self, partition: u16) -> Vec<Position> {
        let partition = &self.group.partitions[usize::from(partition)];
        match &partition.work {
            Work::Explicit(work) => work.at_member(),
            Work::Delivered(_) => Vec::new(),
        }
    }

    fn stands(&self, id: MemberId, receipt: Receipt) -> bool {
        let partition = &self.group.partitions[usize::from(receipt.partition)];
        partition.lease.holder() == Some((id, receipt.generation))
    }

    pub(super) fn refuse(&mut self) {
        let Some(id) = self.client() else { return };
        let has = self.clients[&id].has.clone();
        if let Some((receipt, at)) = self.random.pick(&has).copied() {
            if self.random.chance(3) {
                self.tell(|| format!("{id:?} forgets {receipt:?}"));
                let client = self.clients.get_mut(&id).expect("it is there");
                client.has.retain(|(had, _)| *had != receipt);
                client.forgotten.push((receipt, at));
                return;
            }
            self.refuse_one(id, receipt);
        }
        if self.random.chance(6) {
            self.cursed = self.random.below(self.variety);
        }
    }

    /// The event of `receipt` fails.
    fn refuse_one(&mut self, id: MemberId, receipt: Receipt) {
        let before = self.open(receipt.partition);
        let delay = Duration::from_secs(self.random.below(3));
        let is_dead = self.random.chance(6);
        let refused = if is_dead {
            self.group.give_up(receipt, None, self.now)
        } else {
            self.group.refuse(receipt, delay, None, self.now)
        };
        self.tell(|| format!("{id:?} refuses {receipt:?}, {is_dead}: {refused:?}"));
        let after = self.open(receipt.partition);
        let is_letter = |position: &Position| self.posted.contains(position);
        let behind = before.into_iter().filter(|position| {
            *position > receipt.position && self.hash(*position) == self.hash(receipt.position)
        });
        let behind: Vec<Position> = behind.collect();
        let waits = self.settings.on_failure == OnFailure::Wait;
        if waits && refused.is_ok() && !is_letter(&receipt.position) {
            let own = |position: &&Position| {
                self.subject(**position) == self.subject(receipt.position) && !is_letter(position)
            };
            let left = behind.iter().filter(own).find(|own| after.contains(own));
            assert_eq!(left, None, "it is out, and one before it has failed");
        }
        let client = self.clients.get_mut(&id).expect("it is there");
        client.has.retain(|(had, _)| *had != receipt);
        let taken_back = behind.iter().filter(|position| !after.contains(position));
        let void = taken_back.map(|position| (receipt.generation, *position));
        client.void.extend(void);
    }
}
