//! How the native API frames events: pages, Server-Sent Events and newline delimited JSON.

use std::time::Duration;

use feedwire_core::{Delivered, Delivery};
use feedwire_engine::Expired;
use feedwire_event::{Cursor, Position, ProjectName, Timestamp};

use super::event::{self, Id};
use super::{error, request};
use crate::framing::render;
use crate::{Framing, Unreadable, digits, slots};

/// What of an encoded event is neither tags nor payload, for buffers that are to be large enough at once.
const ENVELOPE_BYTES: usize = 256;

/// The framing of a stream of `project`.
pub fn stream(kind: request::Stream, project: &ProjectName) -> Box<dyn Framing> {
    let project = project.clone();
    match kind {
        request::Stream::Sse => Box::new(Sse { project }),
        request::Stream::Ndjson => Box::new(Ndjson { project }),
    }
}

/// A page as it is sent.
#[derive(Debug)]
pub struct Page {
    /// The body.
    pub bytes: Vec<u8>,
    /// How much of the body, from its start, says nothing but which events there are and where they end: the rest changes by itself.
    pub lasting: usize,
    /// Where to go on from.
    pub cursor: Cursor,
    /// The last position of the log.
    pub head: Position,
}

/// A page of `project`, which ends with the batch that reaches `bytes_max`.
pub fn page(
    kind: request::Page,
    project: &ProjectName,
    delivery: &Delivery,
    bytes_max: usize,
) -> Result<Page, Unreadable> {
    let bytes = delivery
        .events
        .iter()
        .map(|event| event.record().bytes() + ENVELOPE_BYTES);
    let mut out = Vec::with_capacity(bytes.sum::<usize>() + ENVELOPE_BYTES);
    let (start, id) = match kind {
        request::Page::Object => (&b"{\"events\":["[..], Id::Published),
        request::Page::Array => (&b"["[..], Id::Position),
    };
    out.extend_from_slice(start);
    let mut cut = None;
    for (index, event) in delivery.events.iter().enumerate() {
        let record = event.record();
        if let Some(before) = index.checked_sub(1).map(|at| delivery.events[at].record()) {
            if out.len() >= bytes_max && before.batch() != record.batch() {
                cut = Some(Cursor(before.position()));
                break;
            }
            out.push(b',');
        }
        event::write_with(id, project, record, &mut out)
            .ok()
            .ok_or_else(|| Unreadable::of(record))?;
    }
    out.push(b']');
    let cursor = cut.unwrap_or(delivery.cursor);
    if kind == request::Page::Object {
        write_place(cursor, delivery.more || cut.is_some(), &mut out);
    }
    let lasting = out.len();
    if kind == request::Page::Object {
        out.extend_from_slice(b",\"head\":");
        digits::write(delivery.head.get(), &mut out);
        out.push(b'}');
    }
    Ok(Page {
        bytes: out,
        lasting,
        cursor,
        head: delivery.head,
    })
}

fn write_place(Cursor(cursor): Cursor, more: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"cursor\":\"");
    digits::write(cursor.get(), out);
    out.extend_from_slice(b"\",\"has_more\":");
    out.extend_from_slice(if more { b"true" } else { b"false" });
}

/// Server-Sent Events: the cursor is the id, idle frames bear it too.
#[derive(Debug)]
struct Sse {
    project: ProjectName,
}

impl Framing for Sse {
    fn media_type(&self) -> &'static str {
        feedwire_api::EVENT_STREAM
    }

    fn open(&self, cursor: Cursor, now: Timestamp, out: &mut Vec<u8>) {
        out.extend_from_slice(b"retry: 1000\n");
        self.idle(cursor, now, out);
    }

    fn event(&self, event: &Delivered, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        render(event, slots::NATIVE_SSE, out, |record, out| {
            let start = out.len();
            out.extend_from_slice(b"id: ");
            digits::write(record.position().get(), out);
            out.extend_from_slice(b"\ndata: ");
            match event::write(&self.project, record, out) {
                Ok(()) => out.extend_from_slice(b"\n\n"),
                Err(_) => out.truncate(start),
            }
        })
    }

    fn idle(&self, Cursor(cursor): Cursor, _now: Timestamp, out: &mut Vec<u8>) {
        out.extend_from_slice(b"id: ");
        digits::write(cursor.get(), out);
        out.extend_from_slice(b"\n\n");
    }

    fn expired(&self, expired: &Expired, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: expired\ndata: ");
        out.extend_from_slice(&error::json(&error::expired(expired)));
        out.extend_from_slice(b"\n\n");
    }

    fn end(&self, Cursor(cursor): Cursor, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: end\ndata: {\"cursor\":\"");
        digits::write(cursor.get(), out);
        out.extend_from_slice(b"\"}\n\n");
    }
}

/// Server-Sent Events that say `problem`, and when the client is to come back.
pub fn overloaded(problem: &[u8], retry_after: Duration) -> Vec<u8> {
    let retry = format!(
        "retry: {}\nevent: overloaded\ndata: ",
        retry_after.as_millis()
    );
    [retry.as_bytes(), problem, b"\n\n"].concat()
}

/// Newline delimited JSON: an event a line, and lines of one member that are none.
#[derive(Debug)]
struct Ndjson {
    project: ProjectName,
}

impl Ndjson {
    fn control(name: &str, Cursor(cursor): Cursor, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":{\"cursor\":\"");
        digits::write(cursor.get(), out);
        out.extend_from_slice(b"\"}}\n");
    }
}

impl Framing for Ndjson {
    fn media_type(&self) -> &'static str {
        feedwire_api::NDJSON
    }

    fn open(&self, cursor: Cursor, now: Timestamp, out: &mut Vec<u8>) {
        self.idle(cursor, now, out);
    }

    fn event(&self, event: &Delivered, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        render(event, slots::NATIVE_NDJSON, out, |record, out| {
            if event::write(&self.project, record, out).is_ok() {
                out.push(b'\n');
            }
        })
    }

    fn idle(&self, cursor: Cursor, _now: Timestamp, out: &mut Vec<u8>) {
        Self::control("heartbeat", cursor, out);
    }

    fn expired(&self, expired: &Expired, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"expired\":");
        out.extend_from_slice(&error::json(&error::expired(expired)));
        out.extend_from_slice(b"}\n");
    }

    fn end(&self, cursor: Cursor, out: &mut Vec<u8>) {
        Self::control("end", cursor, out);
    }
}

#[cfg(test)]
mod tests {
    use feedwire_engine::{Place, Record};
    use insta::assert_snapshot;

    use super::super::event::tests::{bare, bare_at, full};
    use super::*;

    fn project() -> ProjectName {
        ProjectName::new("default").expect("a name")
    }

    fn position(value: u64) -> Position {
        Position::new(value).expect("a position")
    }

    /// Everything that a stream can say.
    fn said(kind: request::Stream) -> String {
        let framing = stream(kind, &project());
        let mut out = Vec::new();
        framing.open(Cursor(position(100)), Timestamp::MIN, &mut out);
        framing
            .event(&Delivered::Logged(full()), &mut out)
            .expect("a payload");
        framing
            .event(&Delivered::Logged(bare()), &mut out)
            .expect("a payload");
        framing.idle(Cursor(position(150)), Timestamp::MIN, &mut out);
        let first_at = "2026-11-21T08:00:00Z".parse().ok();
        framing.expired(
            &Expired {
                first: position(200),
                first_at,
                lost_at_most: 49,
            },
            &mut out,
        );
        framing.end(Cursor(position(200)), &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn server_sent_events_bear_the_cursor_as_their_id() {
        assert_snapshot!(said(request::Stream::Sse), @r#"
        retry: 1000
        id: 100

        id: 101
        data: {"specversion":"1.0","id":"a-1","source":"/planes","type":"flight.departed","subject":"N14228 \u00e9\"","time":"2013-01-01T10:00:00.5Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z","version":3,"traceid":"4f","data":{"delay":2.50,"to":"\u00c6r\u00f8\u2028"}}

        id: 101
        data: {"specversion":"1.0","id":"given","source":"/v1/projects/default/feeds/flights","type":"tick","time":"2026-11-21T08:00:00.000001Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z"}

        id: 150

        event: expired
        data: {"type":"urn:feedwire:problem:cursor-expired","title":"No longer retained","status":410,"detail":"events before position 200 are no longer retained: at most 49 were lost; ask with from=start for what there is","first_position":200,"first_time":"2026-11-21T08:00:00Z","lost_at_most":49}

        event: end
        data: {"cursor":"200"}
        "#);
    }

    #[test]
    fn lines_of_one_member_are_no_events() {
        assert_snapshot!(said(request::Stream::Ndjson), @r#"
        {"heartbeat":{"cursor":"100"}}
        {"specversion":"1.0","id":"a-1","source":"/planes","type":"flight.departed","subject":"N14228 \u00e9\"","time":"2013-01-01T10:00:00.5Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z","version":3,"traceid":"4f","data":{"delay":2.50,"to":"\u00c6r\u00f8\u2028"}}
        {"specversion":"1.0","id":"given","source":"/v1/projects/default/feeds/flights","type":"tick","time":"2026-11-21T08:00:00.000001Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z"}
        {"heartbeat":{"cursor":"150"}}
        {"expired":{"type":"urn:feedwire:problem:cursor-expired","title":"No longer retained","status":410,"detail":"events before position 200 are no longer retained: at most 49 were lost; ask with from=start for what there is","first_position":200,"first_time":"2026-11-21T08:00:00Z","lost_at_most":49}}
        {"end":{"cursor":"200"}}
        "#);
    }

    /// What stands before position 123 of a log that goes on to 456.
    fn delivery(records: &[Record]) -> Delivery {
        Delivery {
            events: records.iter().cloned().map(Delivered::Logged).collect(),
            cursor: Cursor(position(123)),
            more: true,
            head: position(456),
        }
    }

    fn paged(kind: request::Page, records: &[Record], bytes_max: usize) -> Page {
        page(kind, &project(), &delivery(records), bytes_max).expect("payloads")
    }

    #[test]
    fn a_page_says_where_to_go_on() {
        let page = paged(request::Page::Object, &[bare(), bare()], usize::MAX);
        let lasting = &page.bytes[..page.lasting];
        assert!(lasting.ends_with(br#"}],"cursor":"123","has_more":true"#));
        let read: feedwire_api::Page = serde_json::from_slice(&page.bytes).expect("a page");
        assert_eq!(read.events.len(), 2);
        assert_snapshot!(String::from_utf8(page.bytes).expect("ASCII"), @r#"{"events":[{"specversion":"1.0","id":"given","source":"/v1/projects/default/feeds/flights","type":"tick","time":"2026-11-21T08:00:00.000001Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z"},{"specversion":"1.0","id":"given","source":"/v1/projects/default/feeds/flights","type":"tick","time":"2026-11-21T08:00:00.000001Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z"}],"cursor":"123","has_more":true,"head":456}"#);
    }

    #[test]
    fn an_array_has_positions_for_ids_and_nothing_around_its_events() {
        let none = paged(request::Page::Array, &[], usize::MAX);
        assert_eq!((none.bytes.as_slice(), none.lasting), (&b"[]"[..], 2));
        let place = (Cursor(position(123)), position(456));
        assert_eq!((none.cursor, none.head), place);
        let page = paged(request::Page::Array, &[full(), bare()], usize::MAX);
        assert_snapshot!(String::from_utf8(page.bytes).expect("ASCII"), @r#"[{"specversion":"1.0","id":"101","source":"/planes","type":"flight.departed","subject":"N14228 \u00e9\"","time":"2013-01-01T10:00:00.5Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z","version":3,"publishedid":"a-1","traceid":"4f","data":{"delay":2.50,"to":"\u00c6r\u00f8\u2028"}},{"specversion":"1.0","id":"101","source":"/v1/projects/default/feeds/flights","type":"tick","time":"2026-11-21T08:00:00.000001Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z","publishedid":"given"}]"#);
    }

    #[test]
    fn a_page_ends_with_the_batch_that_reaches_its_bytes() {
        let of_a_batch = |index| bare_at(position(7 + u64::from(index)), Place { index, count: 9 });
        // The second batch lost a record to a filter.
        let records = [bare(), of_a_batch(0), of_a_batch(2), of_a_batch(3), bare()];
        let sizes = |bytes_max| {
            let page = paged(request::Page::Object, &records, bytes_max);
            let read: feedwire_api::Page = serde_json::from_slice(&page.bytes).expect("a page");
            let Cursor(cursor) = page.cursor;
            assert_eq!(read.cursor, cursor.to_string());
            assert!(read.has_more);
            (read.events.len(), cursor.get())
        };
        let one = paged(request::Page::Array, &records[..1], usize::MAX);
        let one = one.bytes.len();
        assert_eq!(sizes(1), (1, 101));
        assert_eq!(sizes(one + 20), (4, 10));
        assert_eq!(sizes(3 * one), (4, 10));
        assert_eq!(sizes(5 * one), (5, 123));
    }

    #[test]
    fn an_event_that_cannot_be_read_is_told_and_leaves_nothing_behind() {
        let record = Record::new(
            *bare().stamp(),
            [1, 1, 0],
            b"ft\x09aaaaaaaaaaaa"[..].to_vec().into(),
        )
        .expect("a record");
        for kind in [request::Stream::Sse, request::Stream::Ndjson] {
            let mut out = Vec::new();
            let told = stream(kind, &project()).event(&Delivered::Logged(record.clone()), &mut out);
            assert_eq!(
                told,
                Err(Unreadable {
                    position: position(101)
                })
            );
            assert!(out.is_empty());
        }
    }
}
