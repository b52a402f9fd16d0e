//! Who holds which partition: as even as can be, with as few moves as can be.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::partition::Lease;
use super::{DRAINED_AFTER, Group, MemberId, Mode, Overdue};

impl Group {
    /// Gives away what is free, and moves partitions from those who have more than others.
    pub(super) fn balance(&mut self, now: Instant) {
        let mut shares: BTreeMap<MemberId, usize> =
            self.members.keys().map(|id| (*id, 0)).collect();
        for partition in &self.partitions {
            if let Some(share) = partition
                .lease
                .heir()
                .and_then(|heir| shares.get_mut(&heir))
            {
                *share += 1;
            }
        }
        for index in 0..self.partitions.len() {
            if self.partitions[index].lease == Lease::Free
                && let Some((least, _)) = least(&shares)
            {
                self.give(index, least);
                *shares.entry(least).or_default() += 1;
            }
        }
        while let (Some((from, most)), Some((to, fewest))) = (most(&shares), least(&shares)) {
            if most - fewest < 2 {
                break;
            }
            self.shift(from, to, now);
            *shares.entry(from).or_default() -= 1;
            *shares.entry(to).or_default() += 1;
        }
    }

    /// Has one partition of `from` go to `to`: one that was to leave `to` stays there, one with nothing open goes at once.
    fn shift(&mut self, from: MemberId, to: MemberId, now: Instant) {
        let indices = || 0..self.partitions.len();
        let ranked = indices().filter_map(|index| {
            let partition = &self.partitions[index];
            let rank = match partition.lease {
                Lease::Leaving { by, to: heir, .. } if heir == from && by == to => 0,
                Lease::Held { by, .. } if by == from && partition.is_drained() => 1,
                Lease::Held { by, .. } if by == from => 2,
                Lease::Leaving { to: heir, .. } if heir == from => 3,
                Lease::Free | Lease::Held { .. } | Lease::Leaving { .. } => return None,
            };
            Some((rank, index))
        });
        let (_, index) = ranked.min().expect("who has most has some");
        match self.partitions[index].lease {
            Lease::Leaving { by, generation, .. } if by == to => self.stay(index, by, generation),
            Lease::Leaving {
                by,
                generation,
                deadline,
                ..
            } => {
                self.partitions[index].lease = Lease::Leaving {
                    by,
                    generation,
                    to,
                    deadline,
                };
            }
            Lease::Held { by, generation } => {
                let deadline = now + self.drain_time();
                self.partitions[index].lease = Lease::Leaving {
                    by,
                    generation,
                    to,
                    deadline,
                };
                self.tell(by);
                self.hand_over(index, now);
            }
            Lease::Free => {}
        }
    }

    fn drain_time(&self) -> std::time::Duration {
        match self.settings.mode {
            Mode::Delivered => self.settings.heartbeat * DRAINED_AFTER,
            Mode::Explicit => self.settings.ack_timeout,
        }
    }

    /// Passes the partition on if it is to leave and may: nothing that was sent of it is open, or its time is over.
    pub(super) fn hand_over(&mut self, index: usize, now: Instant) {
        let partition = &self.partitions[index];
        let Lease::Leaving { to, deadline, .. } = partition.lease else {
            return;
        };
        let is_drained = partition.is_drained();
        if is_drained || deadline <= now {
            if !is_drained {
                let late = Overdue {
                    partitions: 1,
                    after: partition.checkpoint(),
                    through: partition.cursor(),
                };
                self.overdue = Some(self.overdue.map_or(late, |earlier| earlier.and(late)));
            }
            self.let_go(index, Some(to), now);
        }
    }

    /// Takes the partition from who holds it, for `heir`; what is not settled comes again.
    pub(super) fn let_go(&mut self, index: usize, heir: Option<MemberId>, now: Instant) {
        let partition = &mut self.partitions[index];
        partition.rewind(now);
        let holder = partition.lease.holder();
        partition.lease = Lease::Free;
        if let Some((holder, _)) = holder {
            self.tell(holder);
        }
        if let Some(heir) = heir {
            self.give(index, heir);
        }
    }

    fn give(&mut self, index: usize, to: MemberId) {
        let generation = self.next_generation;
        self.next_generation += 1;
        self.partitions[index].lease = Lease::Held { by: to, generation };
        self.tell(to);
    }

    /// The partition stays where it is.
    pub(super) fn stay(&mut self, index: usize, by: MemberId, generation: u64) {
        self.partitions[index].lease = Lease::Held { by, generation };
        self.tell(by);
    }

    /// Has `id` told that what it holds has changed.
    pub(super) fn tell(&mut self, id: MemberId) {
        if let Some(member) = self.members.get_mut(&id) {
            member.is_changed = true;
            self.wakes.insert(id);
        }
    }
}

impl Overdue {
    fn and(self, other: Self) -> Self {
        Self {
            partitions: self.partitions + other.partitions,
            after: self.after.min(other.after),
            through: self.through.max(other.through),
        }
    }
}

fn most(shares: &BTreeMap<MemberId, usize>) -> Option<(MemberId, usize)> {
    let ranked = shares.iter().map(|(id, share)| (*share, *id)).max();
    ranked.map(|(share, id)| (id, share))
}

fn least(shares: &BTreeMap<MemberId, usize>) -> Option<(MemberId, usize)> {
    let ranked = shares.iter().map(|(id, share)| (*share, *id)).min();
    ranked.map(|(share, id)| (id, share))
}
