//! Load jobs: the present states of entities, written as `load` events for whoever begins with them.
//!
//! A job goes through the entities of its feeds in the order of their names and writes each to the load feed of its feed, a batch at a
//! time. The log says how far it is: its last load event names the entity and the job, so that after a crash it goes on with the next one,
//! and each entity is written once.

mod jobs;
mod run;
mod stored;

use std::sync::Arc;

use feedwire_event::{EventId, FeedName, Position, Subject, Timestamp};

use crate::{Expression, Forbidden, LabelFilter, read, store};

pub(crate) use jobs::Loads;

/// What is to be loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The feeds of the entities; empty is every feed that has entities when the job is started.
    pub feeds: Vec<FeedName>,
    /// The subjects; empty is every one.
    pub subjects: Vec<Subject>,
    /// Labels of the subject as they are when it is come to, all of them.
    pub labels: Vec<LabelFilter>,
    /// What has to be true of the entity; `None` is nothing.
    pub expression: Option<Expression>,
    /// How many bytes it may write; `None` is [`LOAD_BYTES`](crate::limits::LOAD_BYTES).
    pub bytes_max: Option<u64>,
}

/// A load job.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Names it.
    pub id: EventId,
    /// What it loads, with the feeds and the bytes that it was found to be of.
    pub settings: Arc<Settings>,
    /// How far it is.
    pub phase: Phase,
    /// The position of the log when it was started: no state is older than that.
    pub start: Position,
    /// How many entities its feeds had then.
    pub total: u64,
    /// How many were looked at.
    pub done: u64,
    /// How many passed, and were written.
    pub written: u64,
    /// How many bytes that were.
    pub bytes: u64,
    /// How many entities were looked at a second, of the time that it was run for since the project was opened, or altogether.
    pub rate: f64,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How far a load job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Others are run before it.
    Waiting,
    /// It is run.
    Running,
    /// Everything is written.
    Done,
    /// Somebody had it end.
    Cancelled,
    /// It ended before everything was written, for this reason.
    Failed(String),
}

impl Phase {
    /// Whether nothing more comes.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Waiting | Self::Running => false,
            Self::Done | Self::Cancelled | Self::Failed(_) => true,
        }
    }
}

/// Why a job is not started or cancelled.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// See [`store::Error`].
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Too many wait.
    #[error("at most {0} load jobs of a project wait to be done")]
    TooManyWait(usize),
    /// Too many are on record, with events that are still retained.
    #[error("at most {0} load jobs of a project are on record while their events are retained")]
    TooMany(usize),
}

impl From<Forbidden> for Error {
    fn from(forbidden: Forbidden) -> Self {
        Self::Store(forbidden.into())
    }
}

impl From<read::Error> for Error {
    fn from(error: read::Error) -> Self {
        Self::Store(error.into())
    }
}
