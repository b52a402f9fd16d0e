//! Each error as Aria's API tells it: `{"error":"…","error_description":"…"}`, as its answers about tokens are.

use feedwire_core::read;
use http::StatusCode;
use serde::Serialize;

use super::request;
use crate::ascii;
pub use crate::failure::Failure;
use crate::failure::{self, bad_request, forbidden, unavailable};

/// The body of `failure` as one line of ASCII.
pub fn json(failure: &Failure) -> Vec<u8> {
    #[derive(Serialize)]
    struct Answer<'a> {
        error: &'static str,
        error_description: &'a str,
    }
    ascii::json(&Answer {
        error: code(failure.status),
        error_description: &failure.message,
    })
}

/// What it is called, in the words of RFC 6749 and RFC 6750.
fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "invalid_token",
        StatusCode::FORBIDDEN => "insufficient_scope",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            "temporarily_unavailable"
        }
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    }
}

/// Why a feed begins with the oldest event there is, and not behind the id that it was asked to go on behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Detour {
    /// What follows it is not all there.
    #[error(
        "what follows the last id is no longer there: at most {lost_at_most} events are missing; this begins with the oldest that is there"
    )]
    Expired {
        /// At most so many events are gone.
        lost_at_most: u64,
    },
    /// It is past the last event.
    #[error(
        "no event has the last id as yet: it is another server's, or this one was restored; this begins with the oldest event that is there"
    )]
    Ahead,
}

impl Detour {
    /// What is to be done of an id behind which nothing can be read, because of `error`; `None` where that is not why.
    ///
    /// The vendor's own client would not survive a refusal, and can do nothing else about it.
    pub fn around(error: &read::Error) -> Option<Self> {
        match error {
            read::Error::Expired(expired) => Some(Self::Expired {
                lost_at_most: expired.lost_at_most,
            }),
            read::Error::CursorAhead { .. } => Some(Self::Ahead),
            read::Error::Forbidden(_)
            | read::Error::UnknownProject(_)
            | read::Error::Damaged(_)
            | read::Error::Unavailable(_) => None,
        }
    }
}

/// A request that cannot be meant.
pub fn request(error: &request::Error) -> Failure {
    match error {
        request::Error::Parameter { .. } => bad_request(error),
    }
}

/// A feed that is not begun.
pub fn read(error: &read::Error) -> Failure {
    match error {
        read::Error::Forbidden(_) => forbidden(error),
        read::Error::UnknownProject(_) => unknown_project(),
        // It was looked for once more, from the beginning on, and was let go of meanwhile.
        read::Error::Expired(_) | read::Error::CursorAhead { .. } => unavailable(error),
        read::Error::Damaged(_) => failure::damaged(error),
        read::Error::Unavailable(_) => unavailable("the log cannot be read"),
    }
}

/// The project of who asks is none.
pub fn unknown_project() -> Failure {
    failure::not_found("there is no such project")
}

#[cfg(test)]
pub(super) mod tests {
    use feedwire_core::{Forbidden, Right};
    use feedwire_engine::{Expired, Unavailable};
    use feedwire_event::{Cursor, Position, ProjectName};
    use insta::assert_snapshot;

    use super::*;

    pub(in crate::aria) fn told(failures: &[Failure]) -> String {
        let told = failures.iter().map(|failure| {
            let json = String::from_utf8(json(failure)).expect("ASCII");
            let status = failure.status.as_u16();
            match failure.retry_after {
                Some(seconds) => format!("{status} {json} after {seconds} s"),
                None => format!("{status} {json}"),
            }
        });
        told.collect::<Vec<_>>().join("\n")
    }

    fn errors() -> [read::Error; 6] {
        let position = Position::new(7).expect("a position");
        [
            Forbidden::Right(Right::Read).into(),
            read::Error::UnknownProject(ProjectName::new("p1").expect("a name")),
            read::Error::Expired(Expired {
                first: position,
                first_at: None,
                lost_at_most: 6,
            }),
            read::Error::CursorAhead {
                cursor: Cursor(position),
                head: Position::ZERO,
            },
            read::Error::Damaged("position 7: a hole".to_owned()),
            read::Error::Unavailable(Unavailable::new("the disk is away")),
        ]
    }

    #[test]
    fn every_error_has_its_status_and_says_when_to_come_again() {
        let odd = request::Error::Parameter {
            name: "from".to_owned(),
            reason: "it is \u{e9} \"odd\"".to_owned(),
        };
        let failures: Vec<Failure> = errors().iter().map(read).chain([request(&odd)]).collect();
        assert_snapshot!(told(&failures), @r#"
        403 {"error":"insufficient_scope","error_description":"the right to read is needed in this project"}
        404 {"error":"not_found","error_description":"there is no such project"}
        503 {"error":"temporarily_unavailable","error_description":"events before position 7 are no longer retained"} after 1 s
        503 {"error":"temporarily_unavailable","error_description":"the cursor 7 is past the last event, which is at 0"} after 1 s
        500 {"error":"server_error","error_description":"events are damaged on disk: position 7: a hole"}
        503 {"error":"temporarily_unavailable","error_description":"the log cannot be read"} after 1 s
        400 {"error":"invalid_request","error_description":"from: it is \u00e9 \"odd\""}
        "#);
    }

    #[test]
    fn only_an_id_that_cannot_be_gone_on_from_is_gone_around() {
        let around = errors().map(|error| Detour::around(&error));
        let expired = Some(Detour::Expired { lost_at_most: 6 });
        let ahead = Some(Detour::Ahead);
        assert_eq!(around, [None, None, expired, ahead, None, None]);
    }
}
