//! How a stream is: what its members are told, and whoever looks at it.

use std::time::Duration;

use feedwire_event::Position;

/// How much is not settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// How many events; of a subject aside at least as many as are known since it is.
    pub events: u64,
    /// How long ago the oldest of them was recorded.
    pub age: Duration,
}

/// Events that retention took before they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// At most how many positions.
    pub lost_at_most: u64,
    /// The first position that is still there.
    pub first: Position,
}

impl Lost {
    pub(super) fn and(self, later: Self) -> Self {
        Self {
            lost_at_most: self.lost_at_most + later.lost_at_most,
            first: later.first,
        }
    }
}

/// A partition that a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub partition: u16,
    /// That of its lease.
    pub generation: u64,
    /// How many of its events are not settled.
    pub lag: u64,
    /// Whether it goes to another member once what was sent of it is settled.
    pub is_leaving: bool,
}

/// How a stream is, as a member is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many members there are.
    pub members: usize,
    /// How many there may be.
    pub members_max: usize,
    /// Of the whole stream.
    pub lag: Lag,
    /// What this member holds.
    pub held: Vec<Held>,
}

/// A member, as whoever looks at the stream is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// Its number, among all that the stream had since the server was started.
    pub member: u64,
    /// How many partitions it holds.
    pub partitions: usize,
    /// How many events it has and has not acknowledged.
    pub in_flight: usize,
}

/// A partition, as whoever looks at the stream is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionStatus {
    /// Its number.
    pub partition: u16,
    /// Everything up to here is settled, but for subjects aside.
    pub checkpoint: Position,
    /// The number of the member that holds it.
    pub member: Option<u64>,
    /// That of its lease.
    pub generation: Option<u64>,
    /// How many events are at the member and not acknowledged.
    pub in_flight: usize,
    /// How much of it is not settled.
    pub lag: Lag,
}
