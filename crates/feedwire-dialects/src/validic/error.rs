//! Each error as Validic's API tells it: `{"errors":["…"]}`.

use std::fmt::Display;

use feedwire_core::{read, stream};
use http::StatusCode;
use serde::Serialize;

use super::{body, request};
use crate::ascii;
use crate::failure::{self, bad_request, failure, forbidden, unavailable};
pub use crate::failure::{Failure, audit, damaged, unanswered};

/// The body of `failure` as one line of ASCII.
pub fn json(failure: &Failure) -> Vec<u8> {
    #[derive(Serialize)]
    struct Answer<'a> {
        errors: &'a [String],
    }
    let message = std::slice::from_ref(&failure.message);
    let errors = if failure.errors.is_empty() {
        message
    } else {
        &failure.errors
    };
    ascii::json(&Answer { errors })
}

fn unprocessable(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::UNPROCESSABLE_ENTITY, message)
}

/// The project of who asks is none.
pub fn unknown_project() -> Failure {
    failure::not_found("there is no such project")
}

/// There is no such stream.
pub fn not_found() -> Failure {
    failure::not_found("there is no such stream")
}

/// Another stream is called so.
pub fn name_taken() -> Failure {
    unprocessable("name: there is another stream of this name")
}

/// There are as many streams as there may be.
pub fn too_many(max: usize) -> Failure {
    unprocessable(&format!(
        "there are as many streams as there may be, which is {max}: delete one first"
    ))
}

/// A stream has as many members as it may, or the place of one that left is not free yet. In so many seconds it may be.
pub fn full(max: usize, retry_after_s: u64) -> Failure {
    Failure {
        retry_after: Some(retry_after_s),
        ..unprocessable(&format!(
            "this stream has as many connections as it may, which is {max}; the place of one that ended is free soon: try again in {retry_after_s} s"
        ))
    }
}

/// A stream that has members is not deleted.
pub fn members_connected() -> Failure {
    unprocessable("this stream has connections: it is deleted once they have ended")
}

/// A request that was refused before its body was looked at.
pub fn request(error: &request::Error) -> Failure {
    match error {
        request::Error::Parameter { .. } => bad_request(error),
        request::Error::ContentEncoding(_) | request::Error::OfPage => {
            failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, error)
        }
    }
}

/// A body that was refused.
pub fn body(error: &body::Error) -> Failure {
    match error {
        body::Error::Json(_) => {
            bad_request(&format!("the body is not JSON as it is asked for: {error}"))
        }
        body::Error::Members(faults) => Failure {
            errors: faults.iter().map(ToString::to_string).collect(),
            ..unprocessable(error)
        },
    }
}

/// Something that is not done with a stream.
pub fn stream(error: &stream::Error) -> Failure {
    match error {
        stream::Error::Read(error) => read(error),
        stream::Error::Unknown(_) => not_found(),
        stream::Error::Exists(_) | stream::Error::Called(_) => name_taken(),
        stream::Error::TooMany(max) => too_many(*max),
        stream::Error::Full {
            members_max,
            retry_after,
        } => full(*members_max, retry_after.as_secs().max(1)),
        stream::Error::Connected(_) => members_connected(),
        stream::Error::TooManyPartitions { .. }
        | stream::Error::Setting(_)
        | stream::Error::Ahead(_)
        | stream::Error::Pushed(_)
        | stream::Error::NotExplicit => unprocessable(error),
        stream::Error::NoSpace(_) => failure::no_space(error),
        stream::Error::Closing => failure::stopping(),
        stream::Error::Unavailable(_) => {
            unavailable("what is kept of streams cannot be read or written")
        }
    }
}

/// A reading that is not begun, or not gone on with.
pub fn read(error: &read::Error) -> Failure {
    match error {
        read::Error::Forbidden(_) => forbidden(error),
        read::Error::UnknownProject(_) => unknown_project(),
        // A replay begins with what there is of its time, but retention may overtake it.
        read::Error::Expired(_) => unavailable("it was let go of while it was read"),
        read::Error::CursorAhead { .. } => bad_request(error),
        read::Error::Damaged(_) => damaged(error),
        read::Error::Unavailable(_) => unavailable("the log cannot be read"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use feedwire_core::{Forbidden, Right, audit};
    use feedwire_engine::{Expired, MinFree, Unavailable};
    use feedwire_event::{Cursor, Position, ProjectName, StreamName};
    use insta::assert_snapshot;

    use super::*;
    use crate::{Malformed, Unreadable};

    pub(crate) fn told(failures: &[Failure]) -> String {
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

    fn position(value: u64) -> Position {
        Position::new(value).expect("a position")
    }

    fn broken() -> Unavailable {
        Unavailable::new("the path of a file")
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let fault = |path: &str| body::Fault {
            path: path.into(),
            reason: "it is \u{f6}dd".into(),
        };
        let malformed = Malformed {
            line: 2,
            column: 7,
            reason: "it is odd".into(),
        };
        let failures = [
            request(&request::Error::parameter("date", "it is \u{f6}dd")),
            request(&request::Error::ContentEncoding("gzip".into())),
            request(&request::Error::OfPage),
            body(&body::Error::Json(malformed)),
            body(&body::Error::Members(vec![
                fault("name"),
                fault("start_date"),
            ])),
        ];
        assert_snapshot!(told(&failures), @r#"
        400 {"errors":["date: it is \u00f6dd"]}
        415 {"errors":["Content-Encoding: bodies are taken as they are; this one is in gzip"]}
        415 {"errors":["Content-Type: a web page has to say application/json"]}
        400 {"errors":["the body is not JSON as it is asked for: line 2 column 7: it is odd"]}
        422 {"errors":["name: it is \u00f6dd","start_date: it is \u00f6dd"]}
        "#);
    }

    #[test]
    fn what_a_stream_does_not_allow_is_told() {
        let failures = [
            not_found(),
            name_taken(),
            too_many(5),
            full(3, 10),
            members_connected(),
        ];
        assert_snapshot!(told(&failures), @r#"
        404 {"errors":["there is no such stream"]}
        422 {"errors":["name: there is another stream of this name"]}
        422 {"errors":["there are as many streams as there may be, which is 5: delete one first"]}
        422 {"errors":["this stream has as many connections as it may, which is 3; the place of one that ended is free soon: try again in 10 s"]} after 10 s
        422 {"errors":["this stream has connections: it is deleted once they have ended"]}
        "#);
    }

    #[test]
    fn what_is_not_done_is_told_with_its_reason() {
        let secret = ProjectName::new("secret").expect("a name");
        let expired = Expired {
            first: position(200),
            first_at: None,
            lost_at_most: 49,
        };
        let ahead = read::Error::CursorAhead {
            cursor: Cursor(position(9)),
            head: position(3),
        };
        let failures = [
            read(&read::Error::Forbidden(Forbidden::Right(Right::Read))),
            read(&read::Error::UnknownProject(secret)),
            read(&read::Error::Expired(expired)),
            read(&ahead),
            read(&read::Error::Damaged("page 7".into())),
            read(&read::Error::Unavailable(broken())),
            stream(&stream::Error::Read(
                Forbidden::Right(Right::Streams).into(),
            )),
            stream(&stream::Error::Unknown(
                StreamName::new("s").expect("a name"),
            )),
            stream(&stream::Error::Called("a".into())),
            stream(&stream::Error::TooMany(5)),
            stream(&stream::Error::Full {
                members_max: 3,
                retry_after: Duration::from_secs(10),
            }),
            stream(&stream::Error::Connected(2)),
            stream(&stream::Error::Ahead(position(9))),
            stream(&stream::Error::NotExplicit),
            stream(&stream::Error::NoSpace(MinFree::default())),
            stream(&stream::Error::Closing),
            stream(&stream::Error::Unavailable(broken())),
            audit(&audit::Error::NoSpace(MinFree::default())),
            audit(&audit::Error::Closing),
            audit(&audit::Error::Unavailable(broken())),
            unanswered(&broken()),
            damaged(&Unreadable {
                position: position(7),
            }),
        ];
        let told = told(&failures);
        assert!(!told.contains("secret") && !told.contains("path"));
        assert_snapshot!(told, @r#"
        403 {"errors":["the right to read is needed in this project"]}
        404 {"errors":["there is no such project"]}
        503 {"errors":["it was let go of while it was read"]} after 1 s
        400 {"errors":["the cursor 9 is past the last event, which is at 3"]}
        500 {"errors":["events are damaged on disk: page 7"]}
        503 {"errors":["the log cannot be read"]} after 1 s
        403 {"errors":["the right to streams is needed in this project"]}
        404 {"errors":["there is no such stream"]}
        422 {"errors":["name: there is another stream of this name"]}
        422 {"errors":["there are as many streams as there may be, which is 5: delete one first"]}
        422 {"errors":["this stream has as many connections as it may, which is 3; the place of one that ended is free soon: try again in 10 s"]} after 10 s
        422 {"errors":["this stream has connections: it is deleted once they have ended"]}
        422 {"errors":["a stream starts at a time that is past, or at a position up to the last one, which is 9"]}
        422 {"errors":["the stream is in mode delivered: nothing is acknowledged"]}
        507 {"errors":["no space left in the store"]}
        503 {"errors":["the server is stopping"]} after 1 s
        503 {"errors":["what is kept of streams cannot be read or written"]} after 1 s
        507 {"errors":["no space left for the audit feed"]}
        503 {"errors":["the server is stopping"]} after 1 s
        503 {"errors":["it cannot be put on record, and so it is not done"]} after 1 s
        503 {"errors":["it cannot be looked up"]} after 1 s
        500 {"errors":["the payload of the event at position 7 cannot be read"]}
        "#);
    }
}
