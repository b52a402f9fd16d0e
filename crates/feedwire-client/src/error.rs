//! Why a request brought nothing.

use std::time::Duration;

use feedwire_api::Problem;

/// The kind of problem that stays until somebody mends the server's folder.
const DAMAGED: &str = "damaged";
/// The kind of problem that is met before anything is written.
const NO_SPACE: &str = "no-space";
/// The kind of problem that whoever is not let into a stream has, because it has all the members that it may have.
pub(crate) const STREAM_FULL: &str = "stream-full";

/// Why a request brought nothing, by what its caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection came about: nothing was sent.
    #[error("the server at {server} cannot be reached")]
    Unreachable {
        /// Its address.
        server: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server showed a certificate that is not one to trust: nothing was sent.
    #[error("the certificate of {server} is refused: {reason}")]
    Untrusted {
        /// Its address.
        server: String,
        /// What is wrong with the certificate, and what to do.
        reason: String,
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
            Self::Refused { problem, .. } => {
                problem.kind() != DAMAGED && passing_status(problem.status)
            }
            Self::Strange { status, .. } => passing_status(*status),
            Self::Untrusted { .. } | Self::Unwritable(_) => false,
        }
    }

    /// Whether what was asked may have been done for all that: the answer was lost, or whoever gave it does not know.
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Untrusted { .. } | Self::Unwritable(_) => false,
            Self::Lost(_) => true,
            Self::Refused { problem, .. } => {
                problem.kind() != NO_SPACE && doubtful_status(problem.status)
            }
            Self::Strange { status, .. } => doubtful_status(*status),
        }
    }

    /// What the server said, where it did.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem, .. } => Some(problem),
            Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::Lost(_)
            | Self::Strange { .. }
            | Self::Unwritable(_) => None,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Strange { retry_after, .. } => *retry_after,
            Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::Lost(_)
            | Self::Unwritable(_) => None,
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

/// Every status from 500 on, of which proxies have some of their own, but for those that are about the request.
pub(crate) fn passing_status(status: u16) -> bool {
    match status {
        408 | 425 | 429 => true,
        501 | 505 => false,
        _ => status >= 500,
    }
}

/// An answer that cannot be read says nothing, a proxy may answer for a server that goes on, and of a body that is not
/// received in time the lines that are may be published.
fn doubtful_status(status: u16) -> bool {
    status < 300 || status == 408 || (status >= 500 && !matches!(status, 501 | 505))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_and_what_may_have_been_done_is_told_by_status_and_kind() {
        let refused = |kind: &str, status| Error::Refused {
            problem: Box::new(Problem {
                ty: format!("{}{kind}", feedwire_api::KIND_PREFIX),
                title: String::new(),
                status,
                detail: String::new(),
                members: serde_json::Map::default(),
            }),
            retry_after: None,
        };
        let strange = |status| Error::Strange {
            status,
            detail: String::new(),
            retry_after: None,
        };
        let check = |error: &Error, passing, in_doubt| {
            assert_eq!(error.is_passing(), passing, "{error:?}");
            assert_eq!(error.is_in_doubt(), in_doubt, "{error:?}");
        };
        check(&Error::Lost("broken".into()), true, true);
        check(&Error::Unwritable("a number".into()), false, false);
        check(&refused("unavailable", 503), true, true);
        check(&refused("request-timeout", 408), true, true);
        check(&refused("no-space", 507), true, false);
        check(&refused("conflict", 409), false, false);
        check(&refused("not-implemented", 501), false, false);
        // Whoever can mend it has to be told at once; that it was written is not ruled out.
        check(&refused("damaged", 500), false, true);
        check(&strange(429), true, false);
        check(&strange(521), true, true);
        check(&strange(404), false, false);
        check(&strange(200), false, true);
    }
}
