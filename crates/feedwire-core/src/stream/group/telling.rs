//! What is told of a group: to a member, and to whoever looks at the stream.

use std::time::Duration;

use feedwire_event::{Position, Timestamp};

use super::partition::{Lease, Partition};
use super::{Group, MemberId, number};
use crate::stream::{Held, Lag, MemberStatus, PartitionStatus, Standing};

impl Group {
    /// How the stream is, as `id` is told at the time `now`.
    pub(in crate::stream) fn standing(&self, id: MemberId, now: Timestamp) -> Standing {
        let mut held = Vec::new();
        for (index, partition) in self.partitions.iter().enumerate() {
            if let Some((_, generation)) = partition.lease.holder().filter(|(by, _)| *by == id) {
                held.push(Held {
                    partition: number(index),
                    generation,
                    lag: partition.unsettled(),
                    is_leaving: matches!(partition.lease, Lease::Leaving { .. }),
                });
            }
        }
        Standing {
            members: self.members.len(),
            members_max: self.settings.members_max,
            lag: self.lag(now),
            held,
        }
    }

    /// What `id` was sent and is not settled is behind the first of these, and not behind the other.
    pub(in crate::stream) fn sent_to(&self, id: MemberId) -> Option<(Position, Position)> {
        let holds = |partition: &&Partition| {
            let holder = partition.lease.holder();
            holder.is_some_and(|(holder, _)| holder == id)
        };
        let held = || self.partitions.iter().filter(holds);
        let after = held().map(Partition::checkpoint).min()?;
        let through = held().map(Partition::cursor).max()?;
        Some((after, through))
    }

    /// How much is not settled at the time `now`.
    pub(in crate::stream) fn lag(&self, now: Timestamp) -> Lag {
        let events = self.partitions.iter().map(Partition::unsettled);
        let since = self.partitions.iter().filter_map(Partition::since);
        Lag {
            events: events.sum(),
            age: since.min().map_or(Duration::ZERO, |since| since.until(now)),
        }
    }

    pub(in crate::stream) fn members(&self) -> Vec<MemberStatus> {
        let told = self.members.keys().map(|id| {
            let mine = self.partitions.iter().filter(|partition| {
                partition
                    .lease
                    .holder()
                    .is_some_and(|(holder, _)| holder == *id)
            });
            let (mut partitions, mut in_flight) = (0, 0);
            for partition in mine {
                partitions += 1;
                in_flight += partition.in_flight();
            }
            MemberStatus {
                member: id.0,
                partitions,
                in_flight,
            }
        });
        told.collect()
    }

    pub(in crate::stream) fn partitions(&self, now: Timestamp) -> Vec<PartitionStatus> {
        let told = self
            .partitions
            .iter()
            .enumerate()
            .map(|(index, partition)| {
                let (member, generation) = partition.lease.holder().unzip();
                let since = partition.since();
                PartitionStatus {
                    partition: number(index),
                    checkpoint: partition.checkpoint(),
                    member: member.map(|id| id.0),
                    generation,
                    in_flight: partition.in_flight(),
                    lag: Lag {
                        events: partition.unsettled(),
                        age: since.map_or(Duration::ZERO, |since| since.until(now)),
                    },
                }
            });
        told.collect()
    }

    /// At most how many positions retention has taken from it since it was opened.
    pub(in crate::stream) fn lost(&self) -> u64 {
        self.lost
    }
}
