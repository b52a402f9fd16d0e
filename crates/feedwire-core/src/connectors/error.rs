//! Why something was not done with a connector.

use feedwire_event::{ConnectorName, StreamName};

use crate::{Forbidden, store, stream};

/// Why something was not done with a connector. Everything is as it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is no such connector.
    #[error("there is no connector {0}")]
    Unknown(ConnectorName),
    /// There is one of that name.
    #[error("there is a connector {0} already")]
    Exists(ConnectorName),
    /// There is a stream of the name that it would have for its own.
    #[error(
        "there is a stream {0} already: name it as \"stream\" to push what it is of, or take another name"
    )]
    StreamExists(StreamName),
    /// Another connector pushes what the stream is of.
    #[error("connector {by} pushes stream {stream}: two would each push a part")]
    Taken {
        /// Which stream.
        stream: StreamName,
        /// Which connector.
        by: ConnectorName,
    },
    /// There are as many as there may be.
    #[error("there are {0} connectors, which is as many as there may be")]
    TooMany(usize),
    /// A setting cannot be.
    #[error("{name} has to be {has_to_be}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What it has to be.
        has_to_be: String,
    },
    /// What a setting says is refused.
    #[error("{name}: {why}")]
    Refused {
        /// Its name.
        name: &'static str,
        /// Why it is.
        why: String,
    },
    /// Which events it pushes is settled at its stream.
    #[error("stream {0} is not the connector's own: which events it is of is changed there")]
    NotItsOwn(StreamName),
    /// The stream is one of which nothing is acknowledged.
    #[error("stream {0} is in mode delivered, and a connector acknowledges what was delivered")]
    NotExplicit(StreamName),
    /// A replay that is done cannot be taken up again.
    #[error("everything is pushed that it was made for: make another replay")]
    Done,
    /// What it is asked to do takes another kind of connector.
    #[error("{0}")]
    Unfit(&'static str),
    /// A secret cannot be read or kept.
    #[error("{0}")]
    Secret(String),
    /// See [`stream::Error`].
    #[error(transparent)]
    Stream(#[from] stream::Error),
    /// See [`store::Error`].
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<Forbidden> for Error {
    fn from(forbidden: Forbidden) -> Self {
        Self::Store(forbidden.into())
    }
}
