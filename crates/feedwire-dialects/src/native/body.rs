//! What is sent to the native API: events with what is expected of their subject, labels, retention and what to erase.

use std::fmt;
use std::time::Duration;

use feedwire_core::Repetition;
use feedwire_engine::{Expectation, Expected, Retention};
use feedwire_event::limits::BATCH_EVENTS_MAX;
use feedwire_event::{Cursor, Event, FeedName, Labels, Subject, Version};
use http::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Number;

use super::request;
use crate::attributes::Fault;
use crate::cloudevents::{self, Shape};
use crate::content::Content;
use crate::digits::whole;
use crate::document::{Malformed, text};
use crate::object::{Object, Texts};
use crate::query::Query;
use crate::{binary_mode, idempotency_key, span};

/// The longest age that events can be kept for; for longer, there is no bound.
pub const RETENTION_AGE_MAX: Duration = Duration::from_hours(24 * 36_500);
/// The most bytes that a log can be bounded to: what every JSON reader has exactly.
pub const RETENTION_BYTES_MAX: u64 = (1 << 53) - 1;

/// The header that names a request, so that a repetition of it is known.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not JSON, or not of the shape that is asked for.
    #[error("{reason}")]
    Json {
        /// From 1.
        line: usize,
        /// In bytes, from 1; 0 where a line end is what was wrong.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// An event is not one.
    #[error("{attribute}: {reason}")]
    Event {
        /// Which of the batch, from 0.
        index: usize,
        /// Which of its attributes.
        attribute: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More events than a batch may have.
    #[error("a batch has at most {BATCH_EVENTS_MAX} events, this one {0}")]
    TooMany(usize),
    /// No event at all.
    #[error("there is no event in it")]
    Empty,
    /// A member of an object cannot be meant.
    #[error("{name}: {reason}")]
    Member {
        /// Its name.
        name: &'static str,
        /// Why not.
        reason: String,
    },
}

impl Error {
    /// The member `name` cannot be meant, because of `reason`.
    pub fn member(name: &'static str, reason: &(impl fmt::Display + ?Sized)) -> Self {
        Self::Member {
            name,
            reason: reason.to_string(),
        }
    }
}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        let Malformed {
            line,
            column,
            reason,
        } = malformed;
        Self::Json {
            line,
            column,
            reason,
        }
    }
}

impl From<cloudevents::Error> for Error {
    fn from(error: cloudevents::Error) -> Self {
        match error {
            cloudevents::Error::Json(error) => Malformed::from(error).into(),
            cloudevents::Error::Event(Fault {
                index,
                attribute,
                reason,
            }) => Self::Event {
                index,
                attribute,
                reason,
            },
            cloudevents::Error::TooMany(count) => Self::TooMany(count),
        }
    }
}

/// The events of a JSON document, one or an array of them, for `feed`.
pub fn events(body: &[u8], feed: &FeedName) -> Result<Vec<(FeedName, Event)>, Error> {
    events_in(Shape::Any, body, feed)
}

/// The events of a JSON document of this `shape`, for `feed`.
pub fn events_in(
    shape: Shape,
    body: &[u8],
    feed: &FeedName,
) -> Result<Vec<(FeedName, Event)>, Error> {
    let events = cloudevents::batch(text(body)?, shape)?;
    Ok(events
        .into_iter()
        .map(|event| (feed.clone(), event))
        .collect())
}

/// The event whose attributes are `headers` and whose data is `body`.
pub fn event_of(headers: &HeaderMap, body: &[u8]) -> Result<Event, Error> {
    Ok(binary_mode::event(headers, body)?)
}

/// The event of a line.
pub fn event(line: &[u8]) -> Result<Event, Error> {
    Ok(cloudevents::one(text(line)?)?)
}

/// Labels out of `{"labels":{"key":"value"}}`.
pub fn labels(body: &[u8]) -> Result<Labels, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        labels: Texts,
    }
    let body: Body = object(body)?;
    let Texts(labels) = body.labels;
    Labels::new(labels).map_err(|error| Error::member("labels", &error))
}

/// How long events are to be kept, out of `{"age":"30d","bytes":1000000}`; what is `null` or not there has no bound.
pub fn retention(body: &[u8]) -> Result<Retention, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        age: Option<String>,
        bytes: Option<Number>,
    }
    let Body { age, bytes } = object(body)?;
    Ok(Retention {
        age: age.as_deref().map(retention_age).transpose()?,
        bytes: bytes.as_ref().map(retention_bytes).transpose()?,
    })
}

fn retention_age(text: &str) -> Result<Duration, Error> {
    let range = Duration::from_secs(1)..=RETENTION_AGE_MAX;
    let age = span::parse(text).filter(|age| age.subsec_nanos() == 0 && range.contains(age));
    let refused = || {
        Error::member(
            "age",
            "it has to be a span of whole seconds such as 30days or 5hours, from 1s to 36500d",
        )
    };
    age.ok_or_else(refused)
}

fn retention_bytes(number: &Number) -> Result<u64, Error> {
    let bytes = whole(number).filter(|bytes| (1..=RETENTION_BYTES_MAX).contains(bytes));
    let refused = || {
        let reason = format!("it has to be a whole number from 1 to {RETENTION_BYTES_MAX}");
        Error::member("bytes", &reason)
    };
    bytes.ok_or_else(refused)
}

/// The feed and the subject to erase, out of `{"subject":"a","feed":"f"}`; there is one of them at least.
pub fn erasure(body: &[u8]) -> Result<(Option<FeedName>, Option<Subject>), Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        subject: Option<String>,
        feed: Option<String>,
    }
    let Body { subject, feed } = object(body)?;
    if subject.is_none() && feed.is_none() {
        return Err(Error::member(
            "subject",
            "an erasure names a subject, a feed, or both",
        ));
    }
    let subject = subject.map(|text| Subject::new(&text)).transpose();
    let feed = feed.map(|text| FeedName::new(&text)).transpose();
    Ok((
        feed.map_err(|error| Error::member("feed", &error))?,
        subject.map_err(|error| Error::member("subject", &error))?,
    ))
}

pub(crate) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let read = serde_json::from_str(text(body)?);
    let Object(object) = read.map_err(Malformed::from)?;
    Ok(object)
}

/// What the events of a request expect of their subject.
pub fn expect(query: &str) -> Result<Option<Expected>, request::Error> {
    let mut query = Query::new(query)?;
    let expected = query.one("expect")?;
    query.finish()?;
    let Some(text) = expected else {
        return Ok(None);
    };
    let number = |text: &str| text.parse::<Cursor>().ok().map(|Cursor(position)| position);
    let expected = match text.split_once(':') {
        None if text == "none" => Some(Expected::Version(Version::NONE)),
        Some(("version", version)) => number(version).map(|n| Expected::Version(Version(n.get()))),
        Some(("position", position)) => number(position).map(Expected::Position),
        _ => None,
    };
    let refused =
        || request::Error::parameter("expect", "it has to be `none`, `version:N` or `position:N`");
    expected.map(Some).ok_or_else(refused)
}

/// The expectation `expected` of the one subject that `events` have.
pub fn expectation(
    expected: Expected,
    events: &[(FeedName, Event)],
) -> Result<Vec<Expectation>, request::Error> {
    let mut subjects = events
        .iter()
        .map(|(feed, event)| (feed, event.subject.as_ref()));
    let first = subjects.next();
    match first {
        Some((feed, Some(subject))) if subjects.all(|other| Some(other) == first) => {
            Ok(vec![Expectation {
                feed: feed.clone(),
                subject: subject.clone(),
                expected,
            }])
        }
        _ => Err(request::Error::parameter(
            "expect",
            "every event has to have one and the same subject",
        )),
    }
}

/// An expectation came with more events than one batch holds.
pub fn expectation_of_many() -> request::Error {
    request::Error::parameter(
        "expect",
        "what is expected is expected of one batch; these are more",
    )
}

/// What a repetition of a request is known by: ids, and the key that the header names.
pub fn repetition(idempotency_key: Option<&str>) -> Result<Repetition, request::Error> {
    let key = idempotency_key.map(idempotency_key::parse).transpose();
    let key = key.map_err(|error| request::Error::parameter(IDEMPOTENCY_KEY, &error))?;
    Ok(key.map_or(Repetition::ByIds, Repetition::ByKey))
}

/// A key came with what has no memory for keys.
pub fn no_key() -> request::Error {
    request::Error::parameter(
        IDEMPOTENCY_KEY,
        "only publishing to …/events takes a key: nothing here would be known by it",
    )
}

/// A key came with more events than one batch holds.
pub fn key_of_many() -> request::Error {
    request::Error::parameter(
        IDEMPOTENCY_KEY,
        "a key is that of one batch; these are more: give the events ids instead",
    )
}

/// What the body of a request to publish is; `has_attributes` where headers hold those of an event.
pub fn content(
    content_type: Option<&str>,
    has_attributes: bool,
) -> Result<Content, request::Error> {
    const ACCEPTED: &str = "application/json, application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson, \
         all in UTF-8; or anything, with the attributes of an event in headers such as ce-type";
    Content::of(content_type, has_attributes).ok_or_else(|| unsupported(ACCEPTED, content_type))
}

/// Refuses a body that is compressed.
pub fn encoding(content_encoding: Option<&str>) -> Result<(), request::Error> {
    match content_encoding.map(str::trim) {
        None | Some("" | "identity") => Ok(()),
        Some(other) => Err(request::Error::UnsupportedEncoding(other.to_owned())),
    }
}

/// Refuses a body that is not one JSON document.
pub fn json_content(content_type: Option<&str>) -> Result<(), request::Error> {
    match Content::of(content_type, false) {
        Some(Content::Json(Shape::Any)) => Ok(()),
        _ => Err(unsupported("application/json in UTF-8", content_type)),
    }
}

fn unsupported(accepted: &'static str, found: Option<&str>) -> request::Error {
    request::Error::UnsupportedMediaType {
        accepted,
        found: found.unwrap_or("missing").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use feedwire_event::Position;
    use insta::assert_debug_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn read(body: impl AsRef<[u8]>) -> Result<Vec<Event>, Error> {
        let feed = FeedName::new("f").expect("a name");
        Ok(events(body.as_ref(), &feed)?
            .into_iter()
            .map(|(_, event)| event)
            .collect())
    }

    #[test]
    fn broken_json_is_told_by_line_and_column() {
        let refusals: Vec<String> = [
            &b""[..],
            b"{\"type\":\n  \"t\",}",
            b"[{\"type\":\"t\"}\n{",
            b"{\"type\":\"t\"} x",
            b"7",
            b"{\"type\":\"t\"}\n\xff",
            b"[1]",
            b"{\"type\":\"a\nb\"}",
        ]
        .map(|body| match read(body) {
            Err(Error::Json {
                line,
                column,
                reason,
            }) => format!("{line}:{column} {reason}"),
            other => panic!("{body:?} is not JSON, and not {other:?}"),
        })
        .into();
        assert_debug_snapshot!(refusals, @r#"
        [
            "1:0 EOF while parsing a value",
            "2:7 trailing comma",
            "2:1 expected `,` or `]`",
            "1:14 trailing characters",
            "1:1 invalid type: integer `7`, expected an event, which is an object",
            "2:1 this is not UTF-8",
            "1:2 invalid type: integer `1`, expected an event, which is an object",
            "1:10 control character (\\u0000-\\u001F) found while parsing a string",
        ]
        "#);
    }

    #[test]
    fn labels_are_texts_by_key() {
        let found = labels(br#"{"labels":{"room":"lobby"}}"#).expect("labels");
        assert_eq!(found.get("room"), Some("lobby"));
        for body in [
            &br#"{"labels":{"room":1}}"#[..],
            br#"{"label":{}}"#,
            b"[]",
            br#"{"labels":{"a=b":""}}"#,
            br#"{"labels":{"room":"lobby","r\u006fom":"attic"}}"#,
            br#"{"labels":{},"labels":{}}"#,
        ] {
            assert!(labels(body).is_err());
        }
    }

    fn problem(error: &Error) -> String {
        match error {
            Error::Json {
                line,
                column,
                reason,
            } => format!("{line}:{column} {reason}"),
            other => other.to_string(),
        }
    }

    #[test]
    fn a_retention_has_an_age_and_a_size_or_no_bound() {
        let check = |body: &str, days: Option<u64>, bytes| {
            let age = days.map(|days| Duration::from_hours(24 * days));
            assert_eq!(
                retention(body.as_bytes()),
                Ok(Retention { age, bytes }),
                "{body}"
            );
        };
        check(r#"{"age":"30d","bytes":123}"#, Some(30), Some(123));
        check(r#"{"age":"PT48H"}"#, Some(2), None);
        check(r#"{"age":null,"bytes":1}"#, None, Some(1));
        check(r#"{"bytes":11510.0}"#, None, Some(11_510));
        check(r#"{"bytes":1e9}"#, None, Some(1_000_000_000));
        check("{}", None, None);
    }

    #[test]
    fn what_no_retention_can_be_is_named_with_its_reason() {
        let refusals: Vec<String> = [
            r#"{"age":"soon"}"#,
            r#"{"age":"0s"}"#,
            r#"{"age":"-1d"}"#,
            r#"{"age":"1month"}"#,
            r#"{"age":"1500ms"}"#,
            r#"{"age":"36501d"}"#,
            r#"{"age":7}"#,
            r#"{"bytes":0}"#,
            r#"{"bytes":-1}"#,
            r#"{"bytes":1.5}"#,
            r#"{"bytes":1e300}"#,
            r#"{"bytes":18446744073709551615}"#,
            r#"{"bytes":"10GiB"}"#,
            r#"{"days":1}"#,
            "[]",
        ]
        .map(|body| problem(&retention(body.as_bytes()).expect_err("no retention")))
        .into();
        assert_debug_snapshot!(refusals, @r#"
        [
            "age: it has to be a span of whole seconds such as 30days or 5hours, from 1s to 36500d",
            "age: it has to be a span of whole seconds such as 30days or 5hours, from 1s to 36500d",
            "age: it has to be a span of whole seconds such as 30days or 5hours, from 1s to 36500d",
            "age: it has to be a span of whole seconds such as 30days or 5hours, from 1s to 36500d",
            "age: it has to be a span of whole seconds such as 30days or 5hours, from 1s to 36500d",
            "age: it has to be a span of whole seconds such as 30days or 5hours, from 1s to 36500d",
            "1:8 invalid type: integer `7`, expected a string",
            "bytes: it has to be a whole number from 1 to 9007199254740991",
            "bytes: it has to be a whole number from 1 to 9007199254740991",
            "bytes: it has to be a whole number from 1 to 9007199254740991",
            "bytes: it has to be a whole number from 1 to 9007199254740991",
            "bytes: it has to be a whole number from 1 to 9007199254740991",
            "1:16 invalid type: string \"10GiB\", expected a JSON number",
            "1:7 unknown field `days`, expected `age` or `bytes`",
            "1:0 invalid type: sequence, expected an object",
        ]
        "#);
    }

    #[test]
    fn an_erasure_names_a_subject_a_feed_or_both() {
        let (feed, subject) = (FeedName::new("f").ok(), Subject::new("a").ok());
        let check = |body: &str, asked| assert_eq!(erasure(body.as_bytes()), Ok(asked), "{body}");
        check(r#"{"subject":"a"}"#, (None, subject.clone()));
        check(r#"{"feed":"f","subject":null}"#, (feed.clone(), None));
        check(r#"{"feed":"f","subject":"a"}"#, (feed, subject));
        let refusals: Vec<String> = [
            "{}",
            r#"{"subject":null}"#,
            r#"{"subject":""}"#,
            r#"{"feed":"_all"}"#,
            r#"{"subject":7}"#,
            r#"{"type":"t"}"#,
            r#"["a","f"]"#,
        ]
        .map(|body| problem(&erasure(body.as_bytes()).expect_err("no erasure")))
        .into();
        assert_debug_snapshot!(refusals, @r#"
        [
            "subject: an erasure names a subject, a feed, or both",
            "subject: an erasure names a subject, a feed, or both",
            "subject: a subject has 1 to 512 bytes, this one none",
            "feed: a name does not start with '_': names that do are the server's own",
            "1:12 invalid type: integer `7`, expected a string",
            "1:7 unknown field `type`, expected `subject` or `feed`",
            "1:0 invalid type: sequence, expected an object",
        ]
        "#);
    }

    #[test]
    fn expectations_need_one_subject() {
        assert_eq!(
            expect("expect=none"),
            Ok(Some(Expected::Version(Version::NONE)))
        );
        assert_eq!(
            expect("expect=version:3"),
            Ok(Some(Expected::Version(Version(3))))
        );
        assert_eq!(
            expect("expect=position:0"),
            Ok(Some(Expected::Position(Position::ZERO)))
        );
        assert_eq!(expect(""), Ok(None));
        for query in [
            "expect=3",
            "expect=version:-1",
            "expect=version:",
            "expect=none:1",
            "except=none",
        ] {
            assert!(expect(query).is_err(), "{query}");
        }
        let feed = FeedName::new("f").expect("a name");
        let batch = |text: &str| events(text.as_bytes(), &feed).expect("events");
        let of = |text: &str| {
            expectation(Expected::Version(Version(1)), &batch(text)).map(|found| found.len())
        };
        assert_eq!(
            of(r#"[{"type":"t","subject":"a"},{"type":"u","subject":"a"}]"#),
            Ok(1)
        );
        assert!(of(r#"[{"type":"t","subject":"a"},{"type":"t","subject":"b"}]"#).is_err());
        assert!(of(r#"{"type":"t"}"#).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(body in any::<Vec<u8>>()) {
            drop(read(&body));
            drop(labels(&body));
            drop(retention(&body));
            drop(erasure(&body));
        }

        #[test]
        fn any_headers_and_query_are_read_without_panic(text in any::<String>()) {
            drop(expect(&text));
        }
    }
}
