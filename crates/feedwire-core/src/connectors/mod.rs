//! Connectors: streams whose events the server itself pushes to a URL, as their member.
//!
//! Here is what is kept of them and who may do what with them. Pushing is the outbound edge's business: it is told what there is by
//! [`Core::connectors_to_push`](crate::Core::connectors_to_push) and when that changes, and takes the events as any member of a stream does.

mod condition;
mod error;
mod manage;
mod register;
mod secrets;
mod settings;
mod status;
mod stored;

use bytes::Bytes;
use feedwire_event::{ConnectorName, Position, StreamName, Timestamp};

use crate::stream;

pub use condition::{Condition, Trying};
pub use error::Error;
pub use manage::{Overview, Revised, Revision, Rewritten};
pub use secrets::{SecretText, Secrets};
pub use settings::*;
pub use status::{Answered, Attempt, Health, Numbers, Occasion, Shown};

pub(crate) use register::Connectors;

/// A connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    /// What it was made with, and how it was changed.
    pub settings: Settings,
    /// The stream that it is the member of.
    pub stream: StreamName,
    /// Whether the stream was made with it, and goes with it.
    pub owns_stream: bool,
    /// What it pushes once more, where it was made for that.
    pub replay: Option<Replay>,
    /// Whether it pushes.
    pub phase: Phase,
    /// Since when that is so.
    pub phase_since: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// Its secrets, as the outbound edge keeps them.
    pub sealed: Bytes,
}

/// Whether a connector pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It does.
    Active,
    /// Somebody has it wait.
    Paused,
    /// The server has it wait, for this reason, until somebody says that it is to go on.
    Disabled(String),
    /// Everything that it was made for is pushed.
    Done,
}

/// What a connector pushes once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The connector whose events they are.
    pub of: ConnectorName,
    /// The last position.
    pub until: Position,
}

/// What a connector is made of.
#[derive(Clone, Debug)]
pub struct Draft {
    /// How it pushes.
    pub settings: Settings,
    /// What nobody is told.
    pub secrets: Secrets,
    /// Where its events are from.
    pub source: Source,
    /// What it pushes once more, where it is made for that. Its stream ends there.
    pub replay: Option<Replay>,
    /// Whether it pushes at once.
    pub is_active: bool,
}

/// Where the events of a connector are from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A stream of its own, made with it under its name.
    Own(stream::Selection, stream::Origin),
    /// A stream that there is.
    Stream(StreamName),
}
