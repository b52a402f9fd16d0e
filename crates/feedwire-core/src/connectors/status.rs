//! How a connector is, as whoever looks at it is told.

use std::sync::Arc;
use std::time::Duration;

use feedwire_event::{Position, Timestamp};

use super::Overview;

/// How pushing goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// How many requests are on their way.
    pub in_flight: usize,
    /// Since when nothing has succeeded, where something has failed since.
    pub failing_since: Option<Timestamp>,
    /// How many requests failed since one succeeded.
    pub failures: u32,
    /// When one succeeded last, since the server was started.
    pub succeeded_at: Option<Timestamp>,
    /// When the next is sent at the earliest, where all of them wait for that.
    pub held_until: Option<Timestamp>,
    /// Why nothing is pushed, though it is to be: its stream is full, its project cannot be opened.
    pub hindrance: Option<String>,
    /// Requests since the server was started, and those of them that failed.
    pub requests: u64,
    /// See `requests`.
    pub failed: u64,
    /// Events that were delivered since the server was started.
    pub delivered: u64,
    /// Events that were put among the dead letters since then.
    pub buried: u64,
}

/// Why something was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It was its turn.
    Event,
    /// Somebody tried the connector.
    Test,
    /// Somebody had what is latest sent.
    Sync,
}

/// One request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Why it was made.
    pub occasion: Occasion,
    /// When it was sent.
    pub at: Timestamp,
    /// What the receiver was told as `webhook-id`.
    pub id: Arc<str>,
    /// The events: the first, the last and how many; `None` of what is no event of the log.
    pub events: Option<(Position, Position, usize)>,
    /// The how-manieth time it was, of the event that was sent most often.
    pub number: u32,
    /// What came of it.
    pub answered: Answered,
    /// How long that took.
    pub latency: Duration,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// An answer, and a cut of its body.
    Status(u16, Arc<str>),
    /// None, for this reason.
    Nothing(Arc<str>),
}

impl Answered {
    /// Whether it is delivered.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Status(200..=299, _))
    }
}

/// The requests of the last three hours, since the server was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// How many succeeded.
    pub succeeded: u64,
    /// How many failed.
    pub failed: u64,
    /// How long 99 of 100 of them took at most.
    pub latency_p99: Duration,
}

/// A connector, as whoever looks at it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The connector and its stream.
    pub overview: Overview,
    /// How pushing goes.
    pub health: Health,
    /// The names of its headers, in lower case.
    pub headers: Vec<String>,
    /// Whether its requests are signed.
    pub is_signed: bool,
    /// Until when they are signed by the secret before, too.
    pub previous_until: Option<Timestamp>,
}
