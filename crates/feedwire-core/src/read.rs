//! What a reading asks for, and why it may not be had.

use feedwire_engine::{Expired, OpenError, ReadError, Unavailable};
use feedwire_event::{Cursor, Position, ProjectName, Timestamp};

use crate::{Filter, Forbidden};

/// A reading: which events, from where, up to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which events.
    pub filter: Filter,
    /// From where.
    pub start: Start,
    /// Up to where; `None` has no end.
    pub until: Option<Until>,
}

/// Where a reading starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first event that is retained.
    Beginning,
    /// Behind the last event that there is.
    Now,
    /// Behind this position.
    After(Cursor),
    /// With the first event recorded at this time or later.
    At(Timestamp),
    /// With the first event behind this position, also where that is past the last one, recorded at this time or later.
    Past(Position, Option<Timestamp>),
}

/// Where a reading ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// With the last event that there is when the reading starts.
    Now,
    /// Before the first event recorded at this time or later.
    At(Timestamp),
}

/// Why nothing is read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It is not granted.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The project is not there.
    #[error("there is no project {0}")]
    UnknownProject(ProjectName),
    /// Part of what was asked for is no longer retained.
    #[error(transparent)]
    Expired(Expired),
    /// The cursor is past the last event: it is of another log, or of an earlier life of this one.
    #[error("the cursor {cursor} is past the last event, which is at {head}")]
    CursorAhead {
        /// What was asked for.
        cursor: Cursor,
        /// The last position there is.
        head: Position,
    },
    /// Events are damaged on disk.
    #[error("events are damaged on disk: {0}")]
    Damaged(String),
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(Unavailable),
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Expired(expired) => Self::Expired(expired),
            ReadError::Damaged { position, detail } => {
                Self::Damaged(format!("position {position}: {detail}"))
            }
            ReadError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unknown(project) => Self::UnknownProject(project),
            OpenError::Damaged { detail, .. } => Self::Damaged(detail),
            OpenError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}
