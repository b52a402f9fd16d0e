//! What a stream is made with.

use std::ops::RangeInclusive;
use std::time::Duration;

use feedwire_event::{FeedName, Position, StreamName, Subject, Timestamp, TypeName};

use crate::limits::FILTER_VALUES_MAX;
use crate::{Expression, Filter, LabelFilter, LabelGroup, TypesIn};

/// How many partitions a stream may have, in powers of two.
pub const PARTITIONS: RangeInclusive<u16> = 1..=1_024;

/// How many members a stream may have at once.
pub const MEMBERS: RangeInclusive<usize> = 1..=64;

/// How often a member may have a heartbeat.
pub const HEARTBEAT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(1);

/// How long checkpoints may be kept without any member.
pub const CHECKPOINT_LIFETIME: RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_hours(366 * 24);

/// How long an acknowledgement may be waited for.
pub const ACK_TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

/// How many events may be at one member and not acknowledged.
pub const IN_FLIGHT: RangeInclusive<usize> = 1..=10_000;

/// How often an event may be sent.
pub const DELIVERIES: RangeInclusive<u32> = 1..=1_000;

/// How many characters what people call it may have.
pub const DISPLAY_NAME_CHARS_MAX: usize = 256;

/// When an event counts as delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// When it was sent, some heartbeats ago, on a connection that lives.
    Delivered,
    /// When the client says so.
    #[default]
    Explicit,
}

/// What becomes of the later events of a subject when one fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// They wait for it.
    #[default]
    Wait,
    /// They are sent.
    GoOn,
}

/// Which events a stream is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The feeds; empty is every feed of the project.
    pub feeds: Vec<FeedName>,
    /// The types; empty is every type.
    pub types: Vec<TypeName>,
    /// The subjects; empty is every subject, and none.
    pub subjects: Vec<Subject>,
    /// Labels, all of which the subject has when the event is sent.
    pub labels: Vec<LabelFilter>,
    /// A feed of which these types alone are sent.
    pub types_in: Option<TypesIn>,
    /// Feeds of which all events are live only.
    pub live_feeds: Vec<FeedName>,
    /// What has to be true of an event when it is read for the members; `None` is nothing.
    pub expression: Option<Expression>,
}

impl Selection {
    /// The same as a filter.
    pub fn filter(&self) -> Filter {
        Filter {
            feeds: self.feeds.clone(),
            types: self.types.clone(),
            subjects: self.subjects.clone(),
            labels: self.labels.iter().cloned().map(LabelGroup::from).collect(),
            types_in: self.types_in.clone(),
            expression: self.expression.clone(),
            ..Filter::default()
        }
    }
}

/// Where a stream starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// With the first event that is retained.
    Start,
    /// Behind the last event that there is when it is made.
    Now,
    /// With the first event recorded at this time or later.
    At(Timestamp),
    /// Behind this position.
    After(Position),
}

/// What a stream is made with, and how it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What it is named by.
    pub name: StreamName,
    /// What people call it; may be empty.
    pub display_name: String,
    /// Which events it is of.
    pub selection: Selection,
    /// How many parts of the subjects its members share. For good.
    pub partitions: u16,
    /// When an event counts as delivered. For good.
    pub mode: Mode,
    /// Most members at once.
    pub members_max: usize,
    /// How often a member has a heartbeat.
    pub heartbeat: Duration,
    /// How long the checkpoints are kept without any member.
    pub checkpoint_lifetime: Duration,
    /// How long an acknowledgement is waited for.
    pub ack_timeout: Duration,
    /// Most events that are at one member and not acknowledged, and that a partition goes on past one that is not.
    pub max_in_flight: usize,
    /// How often an event is sent before it is put aside; `None` is for ever.
    pub max_deliveries: Option<u32>,
    /// What becomes of the later events of a subject when one fails.
    pub on_failure: OnFailure,
    /// Where it ends: nothing behind this position is ever sent. `None` is nowhere.
    pub until: Option<Position>,
}

impl Settings {
    /// Those of a stream `name`, which says nothing else.
    pub fn new(name: StreamName) -> Self {
        Self {
            name,
            display_name: String::new(),
            selection: Selection::default(),
            partitions: 64,
            mode: Mode::default(),
            members_max: 3,
            heartbeat: Duration::from_secs(5),
            checkpoint_lifetime: Duration::from_hours(7 * 24),
            ack_timeout: Duration::from_secs(30),
            max_in_flight: 1_000,
            max_deliveries: Some(10),
            on_failure: OnFailure::default(),
            until: None,
        }
    }
}

/// Names an event that was sent, and the lease under which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The partition that it is in.
    pub partition: u16,
    /// Which lease of the partition, among all that the stream ever gave.
    pub generation: u64,
    /// Its place in the log.
    pub position: Position,
}

/// Why a receipt was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its lease has passed on, or the event was taken back.
    Stale,
    /// It was never given.
    Unknown,
}

/// A setting that cannot be. As text, it is what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// The number of partitions.
    #[error("a power of two, {} to {}", PARTITIONS.start(), PARTITIONS.end())]
    Partitions,
    /// The number of members.
    #[error("{} to {}, and no more than there are partitions", MEMBERS.start(), MEMBERS.end())]
    Members,
    /// The time between heartbeats.
    #[error("{} s to {} s, in whole seconds", HEARTBEAT.start().as_secs(), HEARTBEAT.end().as_secs())]
    Heartbeat,
    /// How long checkpoints are kept.
    #[error("{} s to {} s, in whole seconds", CHECKPOINT_LIFETIME.start().as_secs(), CHECKPOINT_LIFETIME.end().as_secs())]
    CheckpointLifetime,
    /// The time to acknowledge.
    #[error("{} s to {} s, in whole seconds", ACK_TIMEOUT.start().as_secs(), ACK_TIMEOUT.end().as_secs())]
    AckTimeout,
    /// How many events may be out.
    #[error("{} to {}", IN_FLIGHT.start(), IN_FLIGHT.end())]
    InFlight,
    /// How often an event is sent.
    #[error("{} to {}, or null", DELIVERIES.start(), DELIVERIES.end())]
    Deliveries,
    /// What people call it.
    #[error("at most {DISPLAY_NAME_CHARS_MAX} characters, none of them a control character")]
    DisplayName,
    /// The filter names too much.
    #[error("at most {FILTER_VALUES_MAX} feeds, types, subjects or labels")]
    Filter,
}

impl Settings {
    /// Whether all of it can be.
    pub fn check(&self) -> Result<(), BadSetting> {
        let Selection {
            feeds,
            types,
            subjects,
            labels,
            types_in,
            live_feeds,
            expression: _,
        } = &self.selection;
        let types_in = types_in.as_ref().map_or(0, |types_in| types_in.types.len());
        let is_partitions =
            self.partitions.is_power_of_two() && PARTITIONS.contains(&self.partitions);
        let is_members =
            MEMBERS.contains(&self.members_max) && self.members_max <= usize::from(self.partitions);
        let is_deliveries = self
            .max_deliveries
            .is_none_or(|max| DELIVERIES.contains(&max));
        let is_display_name = self.display_name.chars().count() <= DISPLAY_NAME_CHARS_MAX
            && !self.display_name.contains(char::is_control);
        let longest = [
            feeds.len(),
            types.len(),
            subjects.len(),
            labels.len(),
            types_in,
            live_feeds.len(),
        ];
        let is_filter = longest.into_iter().all(|len| len <= FILTER_VALUES_MAX);
        let checks = [
            (is_partitions, BadSetting::Partitions),
            (is_members, BadSetting::Members),
            (HEARTBEAT.contains(&self.heartbeat), BadSetting::Heartbeat),
            (
                CHECKPOINT_LIFETIME.contains(&self.checkpoint_lifetime),
                BadSetting::CheckpointLifetime,
            ),
            (
                ACK_TIMEOUT.contains(&self.ack_timeout),
                BadSetting::AckTimeout,
            ),
            (
                IN_FLIGHT.contains(&self.max_in_flight),
                BadSetting::InFlight,
            ),
            (is_deliveries, BadSetting::Deliveries),
            (is_display_name, BadSetting::DisplayName),
            (is_filter, BadSetting::Filter),
        ];
        match checks.into_iter().find(|(is_good, _)| !is_good) {
            Some((_, bad)) => Err(bad),
            None => Ok(()),
        }
    }
}
