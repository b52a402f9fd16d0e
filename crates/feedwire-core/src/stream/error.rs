//! Why something was not done with a stream.

use std::time::Duration;

use feedwire_engine::{MinFree, OpenError, PutError, ReadError, Unavailable};
use feedwire_event::{ConnectorName, Position, StreamName};

use super::BadSetting;
use crate::{Forbidden, read};

/// Why something was not done with a stream. Everything is as it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It is not granted, or the project could not be opened or read.
    #[error(transparent)]
    Read(read::Error),
    /// There is no such stream.
    #[error("there is no stream {0}")]
    Unknown(StreamName),
    /// There is one of that name.
    #[error("there is a stream {0} already")]
    Exists(StreamName),
    /// Another is called so, where no two may be.
    #[error("there is a stream called {0:?} already")]
    Called(String),
    /// There are as many as there may be.
    #[error("there are {0} streams, which is as many as there may be")]
    TooMany(usize),
    /// With it there were more partitions than there may be.
    #[error(
        "the streams have {there} partitions together, and with {more} more they would have more than the {max} that they may have"
    )]
    TooManyPartitions {
        /// How many there are.
        there: usize,
        /// How many it is to have.
        more: usize,
        /// How many there may be.
        max: usize,
    },
    /// A setting cannot be.
    #[error("a setting has to be {0}")]
    Setting(#[from] BadSetting),
    /// It starts where nothing is yet.
    #[error(
        "a stream starts at a time that is past, or at a position up to the last one, which is {0}"
    )]
    Ahead(Position),
    /// It has as many members as it may have.
    #[error("the stream has its {members_max} members")]
    Full {
        /// How many that are.
        members_max: usize,
        /// When to come again: by then a connection that is dead is found to be.
        retry_after: Duration,
    },
    /// It has members.
    #[error("the stream has {0} members")]
    Connected(usize),
    /// A connector pushes what it is of.
    #[error("connector {0} pushes what the stream is of: delete the connector first")]
    Pushed(ConnectorName),
    /// Nothing is acknowledged in its mode.
    #[error("the stream is in mode delivered: nothing is acknowledged")]
    NotExplicit,
    /// The disk is full.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// The server stops.
    #[error("the server is stopping")]
    Closing,
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(Unavailable),
}

impl From<read::Error> for Error {
    fn from(error: read::Error) -> Self {
        match error {
            read::Error::Unavailable(unavailable) => Self::Unavailable(unavailable),
            error => Self::Read(error),
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        read::Error::from(error).into()
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        read::Error::from(error).into()
    }
}

impl From<Forbidden> for Error {
    fn from(forbidden: Forbidden) -> Self {
        Self::Read(forbidden.into())
    }
}

impl From<PutError> for Error {
    fn from(error: PutError) -> Self {
        match error {
            PutError::NoSpace(min_free) => Self::NoSpace(min_free),
            PutError::Unavailable(unavailable) => Self::Unavailable(unavailable),
            PutError::Changed { .. } => Self::Unavailable(Unavailable::new(error)),
        }
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}
