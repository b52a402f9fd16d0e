//! Why something is not done with a stream, as the native API tells it.

use feedwire_api::Problem;
use feedwire_core::stream::Error;
use http::StatusCode;

use crate::native::error::{self, problem, with};
use crate::stream_body as body;

/// The kind of problem that a member has who finds no place.
pub const STREAM_FULL: &str = "stream-full";

/// There is no such stream.
pub fn unknown() -> Problem {
    error::not_found("there is no such stream")
}

/// Something that is not done with a stream.
pub fn stream(told: &Error) -> Problem {
    match told {
        Error::Read(read) => error::read(read),
        Error::Unknown(_) => unknown(),
        Error::Exists(_) | Error::Called(_) => error::already_exists(told),
        Error::TooMany(_) => problem(
            StatusCode::CONFLICT,
            "too-many-streams",
            "There are as many streams as there may be",
            told,
        ),
        Error::Setting(bad) => error::body(&body::bad(*bad)),
        Error::Ahead(_) => error::invalid("start", told),
        Error::Full {
            members_max,
            retry_after,
        } => {
            let full = problem(
                StatusCode::TOO_MANY_REQUESTS,
                STREAM_FULL,
                "The stream has as many members as it may have",
                told,
            );
            let full = with(full, "members_max", *members_max);
            with(full, "retry_after", retry_after.as_secs().max(1))
        }
        Error::Connected(_) => error::invalid("name", told),
        Error::NotExplicit => problem(
            StatusCode::CONFLICT,
            "not-acknowledged",
            "Nothing is acknowledged in this stream",
            told,
        ),
        Error::NoSpace(_) => error::store_full(told),
        Error::Closing => error::stopping(),
        Error::Unavailable(_) => {
            error::unavailable("what is kept of streams cannot be read or written")
        }
    }
}
