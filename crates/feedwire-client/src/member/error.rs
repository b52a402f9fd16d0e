//! Why a stream has lost a member for good.

use crate::Error as RequestError;
use crate::step::Interruption;

/// Why a member of a stream does not come back. What is not acknowledged goes to another, or comes again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refuses, and would again: the stream is not there, or not for whoever asks.
    #[error(transparent)]
    Refused(RequestError),
    /// A frame that is not one of Feedwire's.
    #[error("{} cannot be read", frame(*position))]
    Unreadable {
        /// The position of the event in it, if it has one.
        position: Option<u64>,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// So many tries failed in a row.
    #[error("given up after {tries} tries in a row")]
    GaveUp {
        /// How many.
        tries: u32,
        /// What the last one met.
        #[source]
        last: Interruption,
    },
}

fn frame(position: Option<u64>) -> String {
    match position {
        Some(position) => format!("the event at position {position}"),
        None => "what the server sent".to_owned(),
    }
}
