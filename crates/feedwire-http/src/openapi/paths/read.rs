//! Reading a feed.

use feedwire_api::{CLOUDEVENTS_BATCH, CURSOR_HEADER, EVENT_STREAM, HEAD_HEADER, NDJSON};
use feedwire_core::limits::EXPRESSION_BYTES_MAX;
use feedwire_dialects::native::request::{PAGE_BYTES_MAX, PAGE_EVENTS_MAX};
use feedwire_event::Position;
use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::parameters::{self, header, list, query};
use crate::openapi::schemas::{at, cursor, moment, name, position, subject};

const EXPRESSION: &str = "Only events of which this is true: a condition in the Common Expression Language, such as `data.delay > 60`. It can name `data`, `type`, `subject`, `feed`, `id`, `source`, `time`, `recorded_at`, `position`, `labels`, `extensions` and `ids`.";

/// A position, or where a reading stands among states; behind the last colon there is what names the last one that was told.
const CURSOR: &str = "^([0-9]{1,15}|state:[0-9]{1,15}:)$";

pub(crate) fn path() -> Value {
    json!({
        "parameters": [parameters::project(), parameters::readable_feed()],
        "get": get(),
        "head": head(),
    })
}

fn get() -> Value {
    let words = "`Accept` picks the form. A page starts at the start, a stream now, unless `after`, `from` or `Last-Event-ID` says otherwise.";
    let content = [
        ("application/json", at("Page")),
        (CLOUDEVENTS_BATCH, array()),
        (EVENT_STREAM, at("ServerSentEvent")),
        (NDJSON, lines()),
    ];
    let end = "A stream with an `until` has nothing more for a client that came back with `Last-Event-ID`.";
    asked(Operation::new(
        "read",
        "events",
        "Read a feed: a page, a long poll, a stream",
    ))
    .description(words)
    .answer(200, "A page, or a stream.", of_pages(), &content)
    .if_none_match()
    .answer(204, end, json!({}), &[])
    .described()
}

/// Events as clients of HTTP Feeds have them: the id of each is its position.
fn array() -> Value {
    json!({ "type": "array", "items": at("Event") })
}

fn lines() -> Value {
    let words = "An event a line, as a page has them, and control lines: `{\"heartbeat\":{\"cursor\":\"…\"}}`, `{\"mark\":{\"cursor\":\"…\"}}`, `{\"expired\":{…}}`, `{\"end\":{\"cursor\":\"…\"}}`.";
    json!({ "type": "string", "description": words })
}

/// Headers of pages; streams have none of them.
fn of_pages() -> Value {
    json!({
        HEAD_HEADER: {
            "description": "Of pages: the last position of the project's log.",
            "schema": position("The last position."),
        },
        CURSOR_HEADER: {
            "description": "Of pages: where to go on from.",
            "schema": cursor("The cursor."),
        },
    })
}

fn head() -> Value {
    let head = json!({
        HEAD_HEADER: {
            "description": "The last position of the project's log.",
            "required": true,
            "schema": position("The last position."),
        },
    });
    asked(Operation::new(
        "head",
        "events",
        "The last position of the project's log",
    ))
    .description("Refused as `GET` is.")
    .answer(200, "The head.", head, &[])
    .described_as_head()
}

/// What is asked for, which `HEAD` checks as `GET` does.
fn asked(operation: Operation) -> Operation {
    let bytes = json!({ "type": "integer", "minimum": 1, "maximum": PAGE_BYTES_MAX });
    let operation = of_http_feeds(operation);
    let cursor = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let label = json!({ "type": "string", "pattern": "^[^=]" });
    let expression = json!({ "type": "string", "minLength": 1, "maxLength": EXPRESSION_BYTES_MAX });
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": Position::MAX.get() });
    let limits = format!(
        "Pages: at most this many events, up to {PAGE_EVENTS_MAX}. Streams: end when so many were sent."
    );
    operation
        .parameter(query(
            "after",
            "Go on behind this cursor; not with `from`.",
            cursor(CURSOR),
        ))
        .parameter(query(
            "from",
            "Where to start.",
            moment(&["start", "now", "state"]),
        ))
        .parameter(query("until", "End before this.", moment(&["now"])))
        .parameter(list("types", "Only events with one of these.", name()))
        .parameter(list("subjects", "Only events of one of these.", subject()))
        .parameter(list(
            "labels",
            "Only events whose subject has all of these now: a key, or key=value.",
            label,
        ))
        .parameter(query("filter", EXPRESSION, expression))
        .parameter(list("feeds", "Of `_all`: only these feeds.", name()))
        .parameter(query("limit", &limits, limit))
        .parameter(query(
            "bytes",
            "Pages: end with the batch that reaches this many bytes.",
            bytes,
        ))
        .parameter(query(
            "wait",
            "Pages: wait up to this long where there is nothing.",
            seconds("([1-5]?[0-9]|60)"),
        ))
        .parameter(query(
            "heartbeat",
            "Streams: send something at least this often.",
            seconds("([1-9][0-9]?|[12][0-9]{2}|300)"),
        ))
        .parameter(header(
            "Last-Event-ID",
            "Wins over `after` and `from`.",
            cursor("^([0-9]{0,15}|state:[0-9]{1,15}:)$"),
        ))
        .refuses(&[
            "not-found",
            "not-acceptable",
            "cursor-ahead",
            "cursor-expired",
            "damaged",
        ])
}

/// What clients of HTTP Feeds ask with.
fn of_http_feeds(operation: Operation) -> Operation {
    let id = "For clients of HTTP Feeds: the id of the last event of the array before. With it, or with `timeout`, the answer is an array. Wins over `after` and `from`.";
    let timeout = "For clients of HTTP Feeds: milliseconds to wait where there is nothing; not with `wait`. More than 60000 is taken for that.";
    let cursor = json!({ "type": "string", "pattern": "^([0-9]{1,15}|null)?$" });
    let millis = json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX });
    operation
        .parameter(query("lastEventId", id, cursor))
        .parameter(query("timeout", timeout, millis))
}

/// A span of as many seconds as `digits` allow; other ways to write it are read too.
fn seconds(digits: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^{digits}s$") })
}
