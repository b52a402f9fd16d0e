//! What is sent to the native API: events with what is expected of their subject, and labels.

use std::collections::BTreeMap;

use feedwire_engine::{Expectation, Expected};
use feedwire_event::limits::BATCH_EVENTS_MAX;
use feedwire_event::{Cursor, Event, FeedName, Labels, Version};

use super::request;
use crate::cloudevents::{self, Fault};
use crate::media;
use crate::query::Query;

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
    /// The labels are not labels.
    #[error("{0}")]
    Labels(#[from] feedwire_event::LabelsError),
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A JSON document.
    Json,
    /// A JSON document a line.
    Ndjson,
}

impl From<cloudevents::Error> for Error {
    fn from(error: cloudevents::Error) -> Self {
        match error {
            cloudevents::Error::Json(error) => located(&error),
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
    let events = cloudevents::batch(text(body)?)?;
    Ok(events
        .into_iter()
        .map(|event| (feed.clone(), event))
        .collect())
}

/// The event of a line.
pub fn event(line: &[u8]) -> Result<Event, Error> {
    Ok(cloudevents::one(text(line)?)?)
}

/// Labels out of `{"labels":{"key":"value"}}`.
pub fn labels(body: &[u8]) -> Result<Labels, Error> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        labels: BTreeMap<String, String>,
    }
    let body: Body = serde_json::from_str(text(body)?).map_err(|error| located(&error))?;
    Ok(Labels::new(body.labels)?)
}

/// The body as text, checked once for all that is taken out of it.
fn text(body: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(body).map_err(|error| {
        let before = &body[..error.valid_up_to()];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        Error::Json {
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: before.len() - line_start + 1,
            reason: "this is not UTF-8".to_owned(),
        }
    })
}

fn located(error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    let reason = error.to_string();
    let place = format!(" at line {line} column {column}");
    let reason = reason.strip_suffix(&place).unwrap_or(&reason).to_owned();
    Error::Json {
        line,
        column,
        reason,
    }
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

/// What the body of a request to publish is.
pub fn content(content_type: Option<&str>) -> Result<Content, request::Error> {
    let essence = content_type.map(media::essence);
    match essence.as_deref() {
        Some(
            "application/json"
            | "application/cloudevents+json"
            | "application/cloudevents-batch+json",
        ) => Ok(Content::Json),
        Some("application/x-ndjson" | "application/ndjson" | "application/jsonl") => {
            Ok(Content::Ndjson)
        }
        found => Err(unsupported(
            "application/json, application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson",
            found,
        )),
    }
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
    let essence = content_type.map(media::essence);
    match essence.as_deref() {
        Some("application/json") => Ok(()),
        found => Err(unsupported("application/json", found)),
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
        ] {
            assert!(labels(body).is_err());
        }
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

    #[test]
    fn a_body_is_known_by_its_content_type() {
        assert_eq!(
            content(Some("application/json; charset=utf-8")),
            Ok(Content::Json)
        );
        assert_eq!(
            content(Some("Application/CloudEvents-Batch+JSON")),
            Ok(Content::Json)
        );
        assert_eq!(content(Some("application/jsonl")), Ok(Content::Ndjson));
        assert!(content(Some("text/plain")).is_err());
        assert!(content(None).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(body in any::<Vec<u8>>()) {
            drop(read(&body));
            drop(labels(&body));
        }

        #[test]
        fn any_headers_and_query_are_read_without_panic(text in any::<String>()) {
            drop(expect(&text));
            drop(content(Some(&text)));
        }
    }
}
