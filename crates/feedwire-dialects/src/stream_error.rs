//! Why something is not done with a stream, as the native API tells it.

use std::fmt::Display;

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

/// A connector pushes what the stream is of.
pub(crate) fn pushed(told: &impl Display) -> Problem {
    problem(
        StatusCode::CONFLICT,
        "stream-pushed",
        "A connector pushes what the stream is of",
        told,
    )
}

/// Nothing is acknowledged in the stream.
pub(crate) fn not_acknowledged(told: &impl Display) -> Problem {
    problem(
        StatusCode::CONFLICT,
        "not-acknowledged",
        "Nothing is acknowledged in this stream",
        told,
    )
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
        Error::TooManyPartitions { .. } => problem(
            StatusCode::CONFLICT,
            "too-many-partitions",
            "The streams would have more partitions than they may have",
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
        Error::Pushed(_) => pushed(told),
        Error::NotExplicit => not_acknowledged(told),
        Error::NoSpace(_) => error::store_full(told),
        Error::Closing => error::stopping(),
        Error::Unavailable(_) => {
            error::unavailable("what is kept of streams cannot be read or written")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use feedwire_core::stream::BadSetting;
    use feedwire_core::{Forbidden, Right, read};
    use feedwire_engine::{MinFree, Unavailable};
    use feedwire_event::{ConnectorName, Position, StreamName};
    use insta::assert_snapshot;

    use super::*;

    fn name() -> StreamName {
        StreamName::new("s").expect("a name")
    }

    #[test]
    fn every_reason_has_its_words() {
        let full = |seconds| Error::Full {
            members_max: 3,
            retry_after: Duration::from_secs(seconds),
        };
        let problems = [
            Error::Read(read::Error::Forbidden(Forbidden::Right(Right::Streams))),
            Error::Unknown(name()),
            Error::Exists(name()),
            Error::Called("B\u{f6}ok".into()),
            Error::TooMany(100),
            Error::TooManyPartitions {
                there: 8_192,
                more: 1,
                max: 8_192,
            },
            Error::Setting(BadSetting::Partitions),
            Error::Ahead(Position::new(7).expect("a position")),
            full(10),
            full(0),
            Error::Connected(2),
            Error::Pushed(ConnectorName::new("c").expect("a name")),
            Error::NotExplicit,
            Error::NoSpace(MinFree(None)),
            Error::Closing,
            Error::Unavailable(Unavailable::new("the path of a file")),
        ];
        let told = problems
            .map(|problem| String::from_utf8(error::json(&stream(&problem))).expect("ASCII"));
        assert_snapshot!(told.join("\n"), @r#"
        {"type":"urn:feedwire:problem:forbidden","title":"Not granted","status":403,"detail":"the right to streams is needed in this project"}
        {"type":"urn:feedwire:problem:not-found","title":"Not found","status":404,"detail":"there is no such stream"}
        {"type":"urn:feedwire:problem:already-exists","title":"It is there already","status":409,"detail":"there is a stream s already"}
        {"type":"urn:feedwire:problem:already-exists","title":"It is there already","status":409,"detail":"there is a stream called \"B\u00f6ok\" already"}
        {"type":"urn:feedwire:problem:too-many-streams","title":"There are as many streams as there may be","status":409,"detail":"there are 100 streams, which is as many as there may be"}
        {"type":"urn:feedwire:problem:too-many-partitions","title":"The streams would have more partitions than they may have","status":409,"detail":"the streams have 8192 partitions together, and with 1 more they would have more than the 8192 that they may have"}
        {"type":"urn:feedwire:problem:invalid-parameter","title":"A parameter cannot be meant","status":400,"detail":"partitions: it has to be a power of two, 1 to 1024","parameter":"partitions"}
        {"type":"urn:feedwire:problem:invalid-parameter","title":"A parameter cannot be meant","status":400,"detail":"a stream starts at a time that is past, or at a position up to the last one, which is 7","parameter":"start"}
        {"type":"urn:feedwire:problem:stream-full","title":"The stream has as many members as it may have","status":429,"detail":"the stream has its 3 members","members_max":3,"retry_after":10}
        {"type":"urn:feedwire:problem:stream-full","title":"The stream has as many members as it may have","status":429,"detail":"the stream has its 3 members","members_max":3,"retry_after":1}
        {"type":"urn:feedwire:problem:invalid-parameter","title":"A parameter cannot be meant","status":400,"detail":"the stream has 2 members","parameter":"name"}
        {"type":"urn:feedwire:problem:stream-pushed","title":"A connector pushes what the stream is of","status":409,"detail":"connector c pushes what the stream is of: delete the connector first"}
        {"type":"urn:feedwire:problem:not-acknowledged","title":"Nothing is acknowledged in this stream","status":409,"detail":"the stream is in mode delivered: nothing is acknowledged"}
        {"type":"urn:feedwire:problem:no-space","title":"The disk is full","status":507,"detail":"no space left in the store"}
        {"type":"urn:feedwire:problem:unavailable","title":"Not available at present","status":503,"detail":"the server is stopping"}
        {"type":"urn:feedwire:problem:unavailable","title":"Not available at present","status":503,"detail":"what is kept of streams cannot be read or written"}
        "#);
    }
}
