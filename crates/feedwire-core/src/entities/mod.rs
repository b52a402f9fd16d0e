//! Entities: the present states of things, kept beside the log that tells how they change.
//!
//! The log is the truth. A change is an event that holds the whole new state and is appended under the expectation that its subject is
//! where the writer saw it (`change.rs`); the states are a view that follows the log (`fold.rs`), and what has not reached the store yet
//! is in memory above it.

mod change;
mod cursor;
mod fold;
mod forget;
mod key;
mod list;
mod snapshot;
mod stored;

use feedwire_engine::{Record, Unavailable};
use feedwire_event::{
    FeedName, Ids, Patch, Payload, Position, Source, State, Subject, Timestamp, Version, payload,
};

use crate::{Forbidden, publish, read};

pub use change::Outcome;
pub use cursor::{StateCursor, StateCursorError};
pub(crate) use fold::Entities;
pub use key::EntityKey;
pub(crate) use list::Walk;
pub use list::{Page, Part};
pub use snapshot::Snapshot;

/// What is to become of an entity.
#[derive(Clone, Debug)]
pub struct Write {
    /// The feed of the entity.
    pub feed: FeedName,
    /// Its subject.
    pub subject: Subject,
    /// What it is to be.
    pub wanted: Wanted,
    /// When it became so, by the producer.
    pub time: Option<Timestamp>,
    /// Where it happened; `None` is the feed's own address.
    pub source: Option<Source>,
    /// What must be true of it before.
    pub expected: Option<Expected>,
}

/// What an entity is to be.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// This, whatever it was.
    Put {
        /// Its state.
        state: State,
        /// Its ids.
        ids: Option<Ids>,
    },
    /// What it is, patched (RFC 7396); what is not there is patched as if it were nothing.
    Patched {
        /// What becomes of its state.
        state: Option<Patch>,
        /// What becomes of its ids.
        ids: Option<Patch>,
    },
    /// Nothing.
    Deleted,
}

/// What must be true of an entity for it to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It is not there.
    Absent,
    /// It is there.
    Present,
    /// Its last change is at one of these positions.
    At(Vec<Position>),
}

impl Expected {
    fn holds(&self, position: Option<Position>) -> bool {
        match self {
            Self::Absent => position.is_none(),
            Self::Present => position.is_some(),
            Self::At(positions) => position.is_some_and(|at| positions.contains(&at)),
        }
    }
}

/// Why nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The change could not be published.
    #[error(transparent)]
    Publish(#[from] publish::Error),
    /// The entity is not what it was expected to be.
    #[error("{key} {}", found(.position.as_ref()))]
    Unexpected {
        /// Which.
        key: EntityKey,
        /// Where its last change is; `None` where it is not there.
        position: Option<Position>,
    },
    /// There is nothing that could be patched so that it becomes an entity.
    #[error("{0} is not there")]
    NotThere(EntityKey),
    /// What comes out of a patch is no state.
    #[error("patched, the state of {key} is none: {error}")]
    PatchedState {
        /// Which.
        key: EntityKey,
        /// Why not.
        error: feedwire_event::entity::StateError,
    },
    /// What comes out of a patch are no ids.
    #[error("patched, the ids of {key} are none: {error}")]
    PatchedIds {
        /// Which.
        key: EntityKey,
        /// Why not.
        error: feedwire_event::entity::IdsError,
    },
    /// An entity is named twice.
    #[error("{0} is changed twice in one batch")]
    Twice(EntityKey),
}

fn found(position: Option<&Position>) -> String {
    position.map_or_else(
        || "is not there".to_owned(),
        |position| format!("was changed last at position {position}"),
    )
}

impl From<Forbidden> for Error {
    fn from(forbidden: Forbidden) -> Self {
        Self::Publish(forbidden.into())
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Publish(publish::Error::Unavailable(unavailable))
    }
}

impl From<read::Error> for Error {
    fn from(error: read::Error) -> Self {
        match error {
            read::Error::Unavailable(unavailable) => unavailable.into(),
            error => Unavailable::new(error).into(),
        }
    }
}

/// An entity that is there: the record of a `load` event that tells its state, at the position of its last change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity(Record);

impl Entity {
    /// The state as an event.
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// The same.
    pub fn into_record(self) -> Record {
        self.0
    }

    /// Where its last change is.
    pub fn position(&self) -> Position {
        self.0.position()
    }

    /// The version of its subject with that.
    pub fn version(&self) -> Version {
        self.0.stamp().version
    }

    /// What names it.
    fn key(&self) -> Result<EntityKey, Unavailable> {
        let feed = FeedName::new(self.0.feed()).map_err(Unavailable::new)?;
        let subject = self.0.subject().unwrap_or_default();
        let subject = Subject::new(subject).map_err(Unavailable::new)?;
        Ok(EntityKey { feed, subject })
    }

    /// Its payload: the state, and the ids with what is told of it.
    pub fn payload(&self) -> Result<Payload<'_>, payload::Error> {
        self.0.payload()
    }
}
