//! Why a request brought nothing.

use std::time::Duration;

use feedwire_api::Problem;

/// Why a request brought nothing, by what its caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection came about: nothing was sent, so it can be tried again.
    #[error("the server at {server} cannot be reached")]
    Unreachable {
        /// Its address.
        server: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection broke, or nothing was heard for too long, before the answer was complete. Whether an event was
    /// published is not known.
    #[error("the connection was lost before the answer came")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server says why not.
    #[error("{}", words(problem))]
    Refused {
        /// In its own words.
        problem: Box<Problem>,
        /// After how long it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// What answers is not a Feedwire server, or a proxy before it had to answer in its place.
    #[error("the answer, with status {status}, is not one of Feedwire: {detail}")]
    Strange {
        /// The HTTP status.
        status: u16,
        /// What is wrong with the answer.
        detail: String,
        /// After how long it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The request cannot be written: an event has no JSON, or a query is longer than a URL can be.
    #[error("the request cannot be written")]
    Unwritable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether the same request may well be answered later: the server is away, starting, stopping or overloaded.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost(_) => true,
            Self::Refused { problem, .. } => passing_status(problem.status),
            Self::Strange { status, .. } => passing_status(*status),
            Self::Unwritable(_) => false,
        }
    }

    /// What the server said, where it did.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem, .. } => Some(problem),
            Self::Unreachable { .. }
            | Self::Lost(_)
            | Self::Strange { .. }
            | Self::Unwritable(_) => None,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Strange { retry_after, .. } => *retry_after,
            Self::Unreachable { .. } | Self::Lost(_) | Self::Unwritable(_) => None,
        }
    }
}

/// What a problem says: its detail, or its title where it has no more to say.
pub(crate) fn words(problem: &Problem) -> &str {
    if problem.detail.is_empty() {
        &problem.title
    } else {
        &problem.detail
    }
}

fn passing_status(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}
