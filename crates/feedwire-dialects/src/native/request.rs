//! What is asked of the native API: path, query and headers into calls of the core.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use feedwire_api::{ALL_FEEDS, CLOUDEVENTS_BATCH, EVENT_STREAM, NDJSON};
use feedwire_core::{
    Filter, LabelFilter, LabelGroup, Reading, Start, Until, limits::FILTER_VALUES_MAX,
};
use feedwire_event::{FeedName, NameError, Position, Subject, SubjectError, Timestamp, TypeName};

use crate::beginning::{self, Beginning};
use crate::query::{self, Query};
use crate::{http_feeds, media, span};

pub use crate::beginning::States;

/// Most events of a page.
pub const PAGE_EVENTS_MAX: usize = 1_000;
/// Events of a page whose length is not asked for.
pub const PAGE_EVENTS: usize = 100;
/// Bytes of a page, where not fewer are asked for.
pub const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest wait of a long poll; proxies and clients give up soon after.
pub const WAIT_MAX: Duration = Duration::from_mins(1);
/// Shortest heartbeat of a stream: ten thousand readers are not to keep the server busy with nothing.
pub const HEARTBEAT_MIN: Duration = Duration::from_secs(1);
/// Longest heartbeat of a stream; routers on the way forget connections that are silent for longer.
pub const HEARTBEAT_MAX: Duration = Duration::from_mins(5);
/// The heartbeat where none is asked for.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// Most entries of a list of projects or credentials, and how many there are where it is not said.
pub const LIST_MAX: usize = 1_000;

/// The part of a list that is asked for: the entries behind `after`, at most `limit`.
pub fn part<T: FromStr<Err: fmt::Display>>(
    query: &str,
) -> Result<(Option<T>, Option<usize>), Error> {
    let mut query = Query::new(query)?;
    let after = query.parse("after")?;
    let limit = query.number("limit", 1..=LIST_MAX as u64)?;
    query.finish()?;
    Ok((after, limit.and_then(|limit| usize::try_from(limit).ok())))
}

/// The token that a deletion is confirmed by, if it is.
pub fn delete_token(query: &str) -> Result<Option<String>, Error> {
    let mut query = Query::new(query)?;
    let token = query.one("delete_token")?.map(Cow::into_owned);
    query.finish()?;
    Ok(token)
}

/// How a member of a stream is sent events, by the header `Accept`.
pub fn member(query: &str, accept: Option<&str>) -> Result<Stream, Error> {
    nothing(query)?;
    let offers = [(EVENT_STREAM, Stream::Sse), (NDJSON, Stream::Ndjson)];
    media::accept(accept, &offers).ok_or(Error::NotAcceptable)
}

/// The headers and the query of a request to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts<'a> {
    /// The feed, as the path names it.
    pub feed: &'a str,
    /// Behind the question mark.
    pub query: &'a str,
    /// The header `Accept`.
    pub accept: Option<&'a str>,
    /// The header `Last-Event-ID`.
    pub last_event_id: Option<&'a str>,
}

/// A request to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What is read.
    pub reading: Reading,
    /// The states that come before it, which then begins where they say; `None` where none do.
    pub states: Option<States>,
    /// How it is answered.
    pub form: Form,
}

/// How a reading is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With a page.
    Page(Poll),
    /// With a stream.
    Stream(Follow),
}

/// A page that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Its framing.
    pub kind: Page,
    /// It ends with the batch that reaches this many events.
    pub limit: usize,
    /// It ends with the batch that reaches this many bytes.
    pub bytes: usize,
    /// How long to wait for a first event.
    pub wait: Duration,
}

/// The framing of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// An object with the events, and where to go on.
    Object,
    /// An array of events and nothing else, as HTTP Feeds has it: the id of the last one says where to go on.
    Array,
}

/// A stream that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follow {
    /// Its framing.
    pub kind: Stream,
    /// It ends with the batch that reaches this many events.
    pub limit: Option<u64>,
    /// How often something is sent at least.
    pub heartbeat: Duration,
    /// Whether a client comes back to go on.
    pub is_resumed: bool,
}

/// The framing of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Server-Sent Events.
    Sse,
    /// Newline delimited JSON.
    Ndjson,
}

/// Why a request is refused before its body is looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A parameter, a header or a part of the path that cannot be meant.
    #[error("{name}: {reason}")]
    Parameter {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The client takes nothing that can be sent.
    #[error(
        "this is answered in application/json, text/event-stream, application/x-ndjson or application/cloudevents-batch+json"
    )]
    NotAcceptable,
    /// The body is compressed.
    #[error("bodies are taken as they are; this one has the content encoding {0}")]
    UnsupportedEncoding(String),
    /// The body is nothing that can be read.
    #[error("the content type is to be one of {accepted}; it is {found}")]
    UnsupportedMediaType {
        /// What can be read.
        accepted: &'static str,
        /// What was sent.
        found: String,
    },
}

impl Error {
    pub(crate) fn parameter(name: &str, reason: &(impl fmt::Display + ?Sized)) -> Self {
        Self::Parameter {
            name: name.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl From<query::Error> for Error {
    fn from(error: query::Error) -> Self {
        let (name, reason) = error.into_parts();
        Self::Parameter { name, reason }
    }
}

/// How a reading can be answered, by media type.
#[derive(Clone, Copy)]
enum Kind {
    Page(Page),
    Stream(Stream),
}

/// What a request to read asks for.
pub fn read(parts: Parts<'_>, now: Timestamp) -> Result<Read, Error> {
    let mut offers = [
        ("application/json", Kind::Page(Page::Object)),
        (EVENT_STREAM, Kind::Stream(Stream::Sse)),
        (NDJSON, Kind::Stream(Stream::Ndjson)),
        ("application/ndjson", Kind::Stream(Stream::Ndjson)),
        ("application/jsonl", Kind::Stream(Stream::Ndjson)),
        (CLOUDEVENTS_BATCH, Kind::Page(Page::Array)),
    ];
    let mut query = Query::new(parts.query)?;
    if http_feeds::is_spoken(&query) {
        // Its clients say that they take JSON, or nothing.
        offers[0].1 = Kind::Page(Page::Array);
        offers.rotate_right(1);
    }
    let kind = media::accept(parts.accept, &offers).ok_or(Error::NotAcceptable)?;
    let mut resumed = beginning::last_event_id(parts.last_event_id)?;
    if let Kind::Page(_) = kind {
        let last = http_feeds::last_event_id(&mut query)?;
        let last = last.map(|cursor| Beginning::Events(Start::After(cursor)));
        resumed = resumed.or(last);
    }
    let is_resumed = resumed.is_some();
    let asked = beginning::asked(&mut query, now)?.unwrap_or(Beginning::Events(match kind {
        Kind::Page(_) => Start::Beginning,
        Kind::Stream(_) => Start::Now,
    }));
    let is_of_states = matches!(asked, Beginning::States(_));
    let from = resumed.unwrap_or(asked);
    if matches!(kind, Kind::Page(Page::Array)) {
        beginning::in_array(&from)?;
    }
    let filter = filter(parts.feed, &mut query)?;
    if is_of_states || matches!(from, Beginning::States(_)) {
        beginning::tells_states(&from, &filter)?;
    }
    let (start, states) = match from {
        Beginning::Events(start) => (start, None),
        // Where the states began says where it goes on.
        Beginning::States(states) => (Start::Now, Some(states)),
    };
    let reading = Reading {
        start,
        until: until(&mut query, now)?,
        filter,
    };
    let form = match kind {
        Kind::Page(kind) => page(kind, &mut query)?,
        Kind::Stream(kind) => follow(kind, is_resumed, &mut query)?,
    };
    query.finish()?;
    Ok(Read {
        reading,
        states,
        form,
    })
}

fn page(kind: Page, query: &mut Query<'_>) -> Result<Form, Error> {
    let limit = query.number("limit", 1..=PAGE_EVENTS_MAX as u64)?;
    let bytes = query.number("bytes", 1..=PAGE_BYTES_MAX as u64)?;
    let size = |asked: Option<u64>| asked.and_then(|size| usize::try_from(size).ok());
    let wait = query.span("wait", Duration::ZERO..=WAIT_MAX)?;
    let timeout = http_feeds::timeout(query)?.map(|timeout| timeout.min(WAIT_MAX));
    if wait.is_some() && timeout.is_some() {
        return Err(Error::parameter(
            "timeout",
            "either `wait` or `timeout` says how long to wait, not both",
        ));
    }
    query.refuse("heartbeat", "streams have a heartbeat, pages have none")?;
    Ok(Form::Page(Poll {
        kind,
        limit: size(limit).unwrap_or(PAGE_EVENTS),
        bytes: size(bytes).unwrap_or(PAGE_BYTES_MAX),
        wait: wait.or(timeout).unwrap_or_default(),
    }))
}

fn follow(kind: Stream, is_resumed: bool, query: &mut Query<'_>) -> Result<Form, Error> {
    let limit = query.number("limit", 1..=Position::MAX.get())?;
    let heartbeat = query.span("heartbeat", HEARTBEAT_MIN..=HEARTBEAT_MAX)?;
    query.refuse(
        "wait",
        "pages can be waited for, streams wait by themselves",
    )?;
    query.refuse("bytes", "pages are limited in bytes, streams are not")?;
    http_feeds::refuse(query)?;
    let heartbeat = heartbeat.unwrap_or(HEARTBEAT);
    Ok(Form::Stream(Follow {
        kind,
        limit,
        heartbeat,
        is_resumed,
    }))
}

fn until(query: &mut Query<'_>, now: Timestamp) -> Result<Option<Until>, Error> {
    let Some(until) = query.one("until")? else {
        return Ok(None);
    };
    if until == "now" {
        return Ok(Some(Until::Now));
    }
    let time = span::time_or_ago(&until, now);
    let refused = || {
        Error::parameter(
            "until",
            "it has to be `now`, a time in RFC 3339 or a span such as 5hours",
        )
    };
    time.map(|time| Some(Until::At(time))).ok_or_else(refused)
}

/// Which events, or entities, of the feed that the path names.
pub(crate) fn filter(feed_in_path: &str, query: &mut Query<'_>) -> Result<Filter, Error> {
    let feeds = if feed_in_path == ALL_FEEDS {
        query.values("feeds", FILTER_VALUES_MAX, FeedName::new)?
    } else {
        query.refuse("feeds", "the path names the feed; many are read at _all")?;
        vec![feed(feed_in_path)?]
    };
    Ok(Filter {
        feeds,
        types: query.values("types", FILTER_VALUES_MAX, TypeName::new)?,
        subjects: query.values("subjects", FILTER_VALUES_MAX, Subject::new)?,
        labels: query.values("labels", FILTER_VALUES_MAX, label)?,
        expression: query.parse("filter")?,
        ..Filter::default()
    })
}

/// A label that is asked for: a group of its own, for all of them are.
fn label(text: &str) -> Result<LabelGroup, &'static str> {
    let (key, value) = text
        .split_once('=')
        .map_or((text, None), |(key, value)| (key, Some(value)));
    if key.is_empty() {
        return Err("a label has to be asked for by its key, or by key=value");
    }
    let label = LabelFilter {
        key: key.to_owned(),
        value: value.map(str::to_owned),
    };
    Ok(label.into())
}

/// The name of a feed in a path.
pub fn feed(text: &str) -> Result<FeedName, Error> {
    FeedName::new(text).map_err(|error: NameError| Error::parameter("feed", &error))
}

/// A subject in a path.
pub fn subject(text: &str) -> Result<Subject, Error> {
    Subject::new(text).map_err(|error: SubjectError| Error::parameter("subject", &error))
}

/// A query that asks for nothing.
pub fn nothing(query: &str) -> Result<(), Error> {
    Ok(Query::new(query)?.finish()?)
}

#[cfg(test)]
mod tests {
    use feedwire_event::Cursor;
    use insta::assert_debug_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn asked(
        feed: &str,
        query: &str,
        accept: Option<&str>,
        last_event_id: Option<&str>,
    ) -> Result<Read, Error> {
        let now = "2013-01-01T10:00:00Z".parse().expect("a time");
        read(
            Parts {
                feed,
                query,
                accept,
                last_event_id,
            },
            now,
        )
    }

    fn refused(query: &str) -> String {
        let page = asked("flights", query, None, None);
        page.expect_err("this query cannot be meant").to_string()
    }

    #[test]
    fn a_page_starts_at_the_start_and_a_stream_now() {
        let page = asked("flights", "", None, None).expect("a page");
        assert_eq!(page.reading.start, Start::Beginning);
        let poll = Poll {
            kind: Page::Object,
            limit: PAGE_EVENTS,
            bytes: PAGE_BYTES_MAX,
            wait: Duration::ZERO,
        };
        assert_eq!(page.form, Form::Page(poll));
        let stream = asked("flights", "", Some("text/event-stream"), None).expect("a stream");
        assert_eq!(stream.reading.start, Start::Now);
        let form = Form::Stream(Follow {
            kind: Stream::Sse,
            limit: None,
            heartbeat: HEARTBEAT,
            is_resumed: false,
        });
        assert_eq!(stream.form, form);
    }

    #[test]
    fn everything_that_can_be_asked_for_is_understood() {
        let query = "feeds=a&feeds=b&types=t&subjects=N1,N%2C2&labels=room%3Dlobby,vip&filter=data.a+%3E+1%26%26has(data.b)&after=7&until=now&limit=5&heartbeat=1s";
        let read = asked("_all", query, Some("application/jsonl"), None);
        assert_debug_snapshot!(read.expect("a stream"), @r#"
        Read {
            reading: Reading {
                filter: Filter {
                    feeds: [
                        "a",
                        "b",
                    ],
                    types: [
                        "t",
                    ],
                    subjects: [
                        "N1",
                        "N,2",
                    ],
                    labels: [
                        LabelGroup {
                            keys: {
                                "room": These(
                                    {
                                        "lobby",
                                    },
                                ),
                            },
                            untold: None,
                        },
                        LabelGroup {
                            keys: {
                                "vip": Any,
                            },
                            untold: None,
                        },
                    ],
                    partition: None,
                    types_in: None,
                    entity_feed: None,
                    expression: Some(
                        Expression(
                            "data.a > 1&&has(data.b)",
                        ),
                    ),
                },
                start: After(
                    Cursor(
                        @7,
                    ),
                ),
                until: Some(
                    Now,
                ),
            },
            states: None,
            form: Stream(
                Follow {
                    kind: Ndjson,
                    limit: Some(
                        5,
                    ),
                    heartbeat: 1s,
                    is_resumed: false,
                },
            ),
        }
        "#);
    }

    #[test]
    fn the_last_event_id_wins_over_after_and_from() {
        let start = |query, id| asked("f", query, None, Some(id)).map(|read| read.reading.start);
        let after = |position| {
            Ok(Start::After(Cursor(
                Position::new(position).expect("a position"),
            )))
        };
        assert_eq!(start("after=7", "9"), after(9));
        assert_eq!(start("from=now", "9"), after(9));
        assert_eq!(start("after=7", ""), after(7));
        assert!(
            start("", "x")
                .expect_err("no cursor")
                .to_string()
                .starts_with("Last-Event-ID")
        );
    }

    #[test]
    fn the_last_event_id_wins_over_the_parameter_of_that_name_too() {
        let both = asked("f", "lastEventId=7", None, Some("9")).expect("an array");
        let nine = Cursor(Position::new(9).expect("a position"));
        assert_eq!(both.reading.start, Start::After(nine));
    }

    #[test]
    fn states_come_first_where_they_are_asked_for_or_gone_on_with() {
        let states = |query, id| asked("f", query, None, id).map(|read| read.states);
        let behind = |text: &str| Ok(Some(States::Behind(text.parse().expect("a cursor"))));
        assert_eq!(states("from=state", None), Ok(Some(States::First)));
        assert_eq!(states("after=state:4:", None), behind("state:4:"));
        assert_eq!(states("from=state", Some("state:4:")), behind("state:4:"));
        assert_eq!(states("from=state", Some("4")), Ok(None));
        assert_eq!(states("from=start", None), Ok(None));
        for query in ["from=state&types=update", "after=state:4:&types=update"] {
            let refused = states(query, None).expect_err(query).to_string();
            assert!(refused.starts_with("types: "), "{refused}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_named_with_its_reason() {
        let refusals: Vec<String> = [
            "feeds=a",
            "limit=0",
            "limit=1001",
            "limit=+1",
            "limit=99999999999999999999",
            "limit=1&limit=1",
            "after=x",
            "after=1&from=now",
            "from=yesterday",
            "until=1month",
            "bytes=0",
            "bytes=4194305",
            "bytes=1MiB",
            "wait=61s",
            "wait=-1s",
            "heartbeat=1s",
            "types=a,,b",
            "types=a%20b",
            "subjects=a%0D%0Ab",
            "subjects=%FF",
            "labels=%3Dx",
            "filter=",
            "filter=data.a%0A+%3D%3D+datum",
            "filter=1%2B1",
            "page=2",
        ]
        .map(refused)
        .into();
        assert_debug_snapshot!(refusals, @r#"
        [
            "feeds: the path names the feed; many are read at _all",
            "limit: it has to be a whole number from 1 to 1000",
            "limit: it has to be a whole number from 1 to 1000",
            "limit: it has to be a whole number from 1 to 1000",
            "limit: it has to be a whole number from 1 to 1000",
            "limit: it is given more than once",
            "after: a cursor is the position of an event, a whole number from 0 to 9007199254740991",
            "from: either `after` or `from` says where to start, not both",
            "from: it has to be `start`, `now`, `state`, a time in RFC 3339 or a span such as 5hours",
            "until: it has to be `now`, a time in RFC 3339 or a span such as 5hours",
            "bytes: it has to be a whole number from 1 to 4194304",
            "bytes: it has to be a whole number from 1 to 4194304",
            "bytes: it has to be a whole number from 1 to 4194304",
            "wait: it has to be a span such as 15s, from 0s to 60s",
            "wait: it has to be a span such as 15s, from 0s to 60s",
            "heartbeat: streams have a heartbeat, pages have none",
            "types: a name has 1 to 128 characters, this one none",
            "types: a name is made of A-Z a-z 0-9 . _ -, not ' '",
            "subjects: a subject has no control characters, this one has '\\r'",
            "subjects: it is not percent-encoded UTF-8",
            "labels: a label has to be asked for by its key, or by key=value",
            "filter: line 1, column 1: here is the end where a value is expected",
            "filter: line 2, column 5: there is no `datum`; an event has data, type, subject, feed, id, source, time, recorded_at, position, labels, extensions, ids",
            "filter: line 1, column 1: this is a value, and no condition that is true or false",
            "page: there is no such parameter here",
        ]
        "#);
    }

    proptest! {
        #[test]
        fn any_request_is_read_without_panic(
            feed in any::<String>(), query in any::<String>(), accept in any::<Option<String>>(), id in any::<Option<String>>(),
        ) {
            drop(asked(&feed, &query, accept.as_deref(), id.as_deref()));
        }

        #[test]
        fn any_value_of_a_known_parameter_is_read_without_panic(
            name in prop::sample::select(vec![
                "after", "lastEventId", "from", "until", "limit", "bytes", "wait", "timeout", "heartbeat", "types", "labels", "filter",
            ]),
            value in "[ -~]{0,24}",
        ) {
            drop(asked("f", &format!("{name}={value}"), None, None));
        }
    }
}
