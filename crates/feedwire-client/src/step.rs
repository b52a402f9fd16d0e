//! What a feed that is followed says: an event, what happens until one comes, and why none comes any more.

use std::time::Duration;

use feedwire_api::Problem;

use crate::error::words;
use crate::{Error as RequestError, Event};

/// What came next.
#[derive(Debug)]
pub enum Step {
    /// An event.
    Event(Box<Event>),
    /// Every state was told, of a reading that began with them (`from` is `state`): what comes now are the events behind this position.
    Mark {
        /// The position.
        position: u64,
    },
    /// No event, but a sign of life; [`Follow::cursor`](crate::Follow::cursor) may have moved.
    Idle,
    /// The connection was lost; the next call waits and tries again.
    Lost {
        /// Why.
        reason: Interruption,
        /// How long it waits.
        wait: Duration,
    },
    /// The limit or the end that was asked for is reached, or an error was told before. Every further call says so again.
    End,
}

/// Why a connection came to its end.
#[derive(Debug, thiserror::Error)]
pub enum Interruption {
    /// The server ended it in good order, as it does when it is stopped.
    #[error("the server ended the stream")]
    Closed,
    /// It did not come about, or the server could not answer now.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// It broke, or nothing was heard for too long.
    #[error("the stream broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a feed cannot be followed further. It is told once; to go on for all that, follow anew behind
/// [`Follow::cursor`](crate::Follow::cursor).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What comes next was dropped by retention. The problem's members `first_position`, `first_time` and `lost_at_most`
    /// say what is still there; to take the loss, start anew behind the position before the first.
    #[error("{}", words(.0))]
    Expired(Box<Problem>),
    /// The server refuses, and would again.
    #[error(transparent)]
    Refused(RequestError),
    /// A frame that is not one of Feedwire's. To leave an event out, start anew behind its position.
    #[error("{} cannot be read", frame(*position, cursor.as_deref()))]
    Unreadable {
        /// The position of the event in it, if it has one.
        position: Option<u64>,
        /// The cursor of the frame before it.
        cursor: Option<String>,
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

fn frame(position: Option<u64>, cursor: Option<&str>) -> String {
    match (position, cursor) {
        (Some(position), _) => format!("the event at position {position}"),
        (None, Some(cursor)) => format!("the frame behind cursor {cursor}"),
        (None, None) => "the first frame".to_owned(),
    }
}
