//! Streams: durable consumer groups, and what their members say and are told.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Which events a stream is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamFilter {
    /// The feeds; empty is every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<String>,
    /// The types; empty is every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// The subjects; empty is every one, and none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// Labels that the subject has, all of them: `key`, or `key=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What has to be true of an event, in the Common Expression Language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
}

/// What `POST …/streams` takes, and, without what is for good, `PATCH …/streams/{name}`. What is not there has its default, or stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewStream {
    /// What it is named by: 1 to 128 of `A-Z a-z 0-9 . _ -`. For good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it starts: `start`, `now`, a time that is past (RFC 3339), a span ago (`5hours`), or a position. For good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// `explicit` or `delivered`. For good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// How many partitions it has: a power of two. For good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u64>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Which events it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<StreamFilter>,
    /// Most members at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members_max: Option<u64>,
    /// How often a member has a heartbeat, such as `5s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<String>,
    /// How long checkpoints are kept without any member, such as `7days`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_lifetime: Option<String>,
    /// How long an acknowledgement is waited for, such as `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_timeout: Option<String>,
    /// Most events that are at one member and not acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<u64>,
    /// How often an event is sent before it is put aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_deliveries: Option<MaxDeliveries>,
    /// What later events of a subject do when one fails: `wait` or `go_on`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
}

/// How often an event is sent before it is put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum MaxDeliveries {
    /// So often.
    Times(u64),
    /// `null`: again and again.
    Unbounded,
}

/// How much of a stream, or of a partition, is not settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamLag {
    /// How many events.
    pub events: u64,
    /// How long ago the oldest of them was recorded, in seconds.
    pub seconds: f64,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// What it is named by.
    pub name: String,
    /// What people call it; may be empty.
    pub display_name: String,
    /// Which events it is of.
    pub filter: StreamFilter,
    /// Where it starts: `start`, or the position that it starts behind.
    pub start: String,
    /// `explicit` or `delivered`.
    pub mode: String,
    /// How many partitions it has.
    pub partitions: u64,
    /// Most members at once.
    pub members_max: u64,
    /// How often a member has a heartbeat.
    pub heartbeat: String,
    /// How long checkpoints are kept without any member.
    pub checkpoint_lifetime: String,
    /// How long an acknowledgement is waited for.
    pub ack_timeout: String,
    /// Most events that are at one member and not acknowledged.
    pub max_in_flight: u64,
    /// How often an event is sent before it is put aside; `None` is again and again.
    pub max_deliveries: Option<u64>,
    /// What later events of a subject do when one fails: `wait` or `go_on`.
    pub on_failure: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it was changed last, RFC 3339.
    pub updated_at: String,
    /// How many members there are.
    pub member_count: u64,
    /// How much is not settled; at least so much, until `counted` is at `head`.
    pub lag: StreamLag,
    /// The position up to which its events are counted.
    pub counted: u64,
    /// The last position of the log.
    pub head: u64,
    /// At most how many positions retention has taken from it, since its project was opened.
    pub lost_at_most: u64,
    /// How many events were put aside.
    pub dead_letters: u64,
    /// How many subjects have failed, would hold up others, and go on by themselves.
    #[serde(default)]
    pub subjects_aside: u64,
}

/// What `GET …/streams` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Streams {
    /// In order of their names.
    pub streams: Vec<Stream>,
    /// What to ask for as `after` for more; `None` when there are none.
    pub next: Option<String>,
}

/// A member of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamMember {
    /// Its number, among all that the stream had since the server was started.
    pub member: u64,
    /// How many partitions it holds.
    pub partitions: u64,
    /// How many events it has and has not acknowledged.
    pub in_flight: u64,
}

/// A partition of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamPartition {
    /// Its number.
    pub partition: u64,
    /// The position up to which everything is settled.
    pub checkpoint: u64,
    /// Who holds it.
    pub member: Option<u64>,
    /// That of the lease that it is held under.
    pub generation: Option<u64>,
    /// How many of its events are at the member and not acknowledged.
    pub in_flight: u64,
    /// How much of it is not settled.
    pub lag: StreamLag,
}

/// What `GET …/streams/{name}` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamDetails {
    /// The stream.
    #[serde(flatten)]
    pub stream: Stream,
    /// Its members.
    pub members: Vec<StreamMember>,
    /// Its partitions, in order; their number is that of this list.
    pub partition_details: Vec<StreamPartition>,
}

/// What `POST …/ack` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ack {
    /// The receipts of events that are done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<String>,
    /// Receipts up to which everything is done that was sent before, each in its partition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<String>,
}

/// What `POST …/nack` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Nack {
    /// The receipts of events that failed.
    pub receipts: Vec<String>,
    /// How much later they are to come again, such as `10s`; without it at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
}

/// What `POST …/ack` and `POST …/nack` answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// How many events were acknowledged, or are to come again.
    pub settled: u64,
    /// The receipts that were not taken.
    pub refused: Vec<RefusedReceipt>,
}

/// A receipt that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedReceipt {
    /// The receipt.
    pub receipt: String,
    /// `stale`: its lease has passed on, or it was taken back; `unknown`: it was never given.
    pub reason: String,
}

/// What `POST …/seek` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seek {
    /// `start`, `now`, a time (RFC 3339), a span ago (`5hours`), or a position, behind which it goes on.
    pub to: String,
}

/// What `POST …/seek` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sought {
    /// The position that the stream goes on behind.
    pub position: u64,
}

/// Which dead letters are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WhichLetters {
    /// Those of the events at these positions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<u64>,
    /// All of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// What `POST …/dead-letters/redrive` and `…/drop` answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LettersChosen {
    /// How many letters it was about.
    pub count: u64,
}

/// A dead letter: an event that failed too often.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Where its event is in the log.
    pub position: u64,
    /// The partition that it is in.
    pub partition: u64,
    /// How often it was sent.
    pub deliveries: u64,
    /// When it was put aside, RFC 3339.
    pub buried_at: String,
    /// Whether it is being sent once more.
    pub redriven: bool,
    /// Why it failed, where whoever had it said that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The event, as the server writes it; `None` where it is no longer there.
    pub event: Option<Box<RawValue>>,
}

/// What `GET …/dead-letters` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeadLetters {
    /// In order of their positions.
    pub dead_letters: Vec<DeadLetter>,
    /// What to ask for as `after` for more; `None` when there are none.
    pub next: Option<String>,
}

/// What a heartbeat tells a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// How many members there are, and may be.
    pub members: MemberCount,
    /// How much of the whole stream is not settled.
    pub lag: StreamLag,
    /// The partitions that this member holds.
    pub partitions: Vec<HeldPartition>,
}

/// How many members a stream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberCount {
    /// How many there are.
    pub count: u64,
    /// How many there may be.
    pub max: u64,
}

/// A partition that a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPartition {
    /// Its number.
    pub partition: u64,
    /// That of the lease.
    pub generation: u64,
    /// How many of its events are not settled.
    pub lag: u64,
    /// Whether it goes to another member once what was sent of it is settled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaving: bool,
}

/// Events that retention took before they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostEvents {
    /// At most how many positions.
    pub lost_at_most: u64,
    /// The first position that is still there.
    pub first: u64,
}
