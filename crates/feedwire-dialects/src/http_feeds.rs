//! The parameters of HTTP Feeds (<https://www.http-feeds.org>), whose clients poll arrays of events.
//!
//! A client sends back the id of the last event that it has. It is told an event's position for its id, so that this is a cursor:
//! found without looking for it, also once the event is no longer retained, and then known to be so.

use std::time::Duration;

use feedwire_event::Cursor;

use crate::query::{Error, Query};

const LAST_EVENT_ID: &str = "lastEventId";
const TIMEOUT: &str = "timeout";

/// Whether a client of HTTP Feeds asks.
pub(crate) fn is_spoken(query: &Query<'_>) -> bool {
    [LAST_EVENT_ID, TIMEOUT].iter().any(|name| query.has(name))
}

/// The last event that the client has; before it has any, it names none or `null`.
pub(crate) fn last_event_id(query: &mut Query<'_>) -> Result<Option<Cursor>, Error> {
    let text = query.one(LAST_EVENT_ID)?;
    let Some(text) = text.filter(|text| !matches!(&**text, "" | "null")) else {
        return Ok(None);
    };
    let refused = |_| {
        let reason = "it has to be the id of an event as an array of application/cloudevents-batch+json tells it, which is its position";
        Error::value(LAST_EVENT_ID, reason)
    };
    text.parse().map(Some).map_err(refused)
}

/// How long the client waits at most for events, in milliseconds.
pub(crate) fn timeout(query: &mut Query<'_>) -> Result<Option<Duration>, Error> {
    let millis = query.number(TIMEOUT, 0..=u64::MAX)?;
    Ok(millis.map(Duration::from_millis))
}

/// Refuses both for what is no array.
pub(crate) fn refuse(query: &mut Query<'_>) -> Result<(), Error> {
    let reason = "this is a parameter of HTTP Feeds, which is answered by an array of events and not by a stream";
    query.refuse(LAST_EVENT_ID, reason)?;
    query.refuse(TIMEOUT, reason)
}

#[cfg(test)]
mod tests {
    use feedwire_api::CLOUDEVENTS_BATCH;
    use feedwire_core::Start;
    use feedwire_event::{Position, Timestamp};
    use insta::assert_debug_snapshot;

    use crate::native::request::{self, Form, Page, Parts, Read};

    use super::*;

    fn asked(query: &str, accept: Option<&str>) -> Result<Read, request::Error> {
        let parts = Parts {
            feed: "f",
            query,
            accept,
            last_event_id: None,
        };
        request::read(parts, Timestamp::MIN)
    }

    #[test]
    fn a_client_of_http_feeds_is_understood_whatever_it_says_that_it_takes() {
        let array = |query, accept| {
            let Read { reading, form, .. } = asked(query, accept).expect("a page");
            match form {
                Form::Page(poll) if poll.kind == Page::Array => (reading.start, poll.wait),
                other => panic!("{query} is answered by an array, not {other:?}"),
            }
        };
        let after = |value| Start::After(Cursor(Position::new(value).expect("a position")));
        let batch = Some(CLOUDEVENTS_BATCH);
        for (query, accept, start, millis) in [
            ("", batch, Start::Beginning, 0),
            ("lastEventId=7", batch, after(7), 0),
            ("lastEventId=7", None, after(7), 0),
            ("lastEventId=7", Some("*/*"), after(7), 0),
            (
                "lastEventId=7",
                Some("application/json, text/plain, */*"),
                after(7),
                0,
            ),
            (
                "lastEventId=null&timeout=5000",
                None,
                Start::Beginning,
                5_000,
            ),
            (
                "lastEventId=&timeout=0",
                Some("text/html, */*;q=0.8"),
                Start::Beginning,
                0,
            ),
            (
                "timeout=18446744073709551615",
                None,
                Start::Beginning,
                60_000,
            ),
            ("after=7&wait=1s", batch, after(7), 1_000),
            ("from=start&lastEventId=", batch, Start::Beginning, 0),
            ("from=now&lastEventId=7", batch, after(7), 0),
            ("after=5&lastEventId=7", batch, after(7), 0),
        ] {
            assert_eq!(
                array(query, accept),
                (start, Duration::from_millis(millis)),
                "{query}"
            );
        }
    }

    #[test]
    fn the_parameters_of_http_feeds_have_no_other_answer_and_say_one_thing() {
        let refusals: Vec<String> = [
            ("lastEventId=7", Some("text/event-stream")),
            ("timeout=7", Some("text/event-stream")),
            ("lastEventId=fa3e2a22-398c-4d02-ad08-9415e43178e6", None),
            ("lastEventId=7&lastEventId=8", None),
            ("lastEventId=&from=now", None),
            ("timeout=5s", None),
            ("timeout=-1", None),
            ("timeout=1&wait=1s", None),
            ("timeout=1&heartbeat=1s", None),
        ]
        .map(|(query, accept)| {
            let refused = asked(query, accept);
            refused.expect_err("this query cannot be meant").to_string()
        })
        .into();
        assert_debug_snapshot!(refusals, @r#"
        [
            "lastEventId: this is a parameter of HTTP Feeds, which is answered by an array of events and not by a stream",
            "timeout: this is a parameter of HTTP Feeds, which is answered by an array of events and not by a stream",
            "lastEventId: it has to be the id of an event as an array of application/cloudevents-batch+json tells it, which is its position",
            "lastEventId: it is given more than once",
            "from: an empty array does not say where to go on, so what comes before the next request would be lost; a page does",
            "timeout: it has to be a whole number from 0 to 18446744073709551615",
            "timeout: it has to be a whole number from 0 to 18446744073709551615",
            "timeout: either `wait` or `timeout` says how long to wait, not both",
            "heartbeat: streams have a heartbeat, pages have none",
        ]
        "#);
    }
}
