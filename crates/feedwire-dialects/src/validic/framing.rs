//! How Validic frames events: Server-Sent Events that have a name and no id, and pokes between them.
//!
//! The vendor's own consumer cuts at the blank line, and passes over what has a line that is `event: poke`: the spaces, the line ends and
//! that everything is on one line are a part of the contract.

use feedwire_core::Delivered;
use feedwire_core::stream::{Lost, Sent, Standing};
use feedwire_engine::Expired;
use feedwire_event::json::write_string;
use feedwire_event::{Cursor, StreamName, Timestamp};

use super::event::{self, write_time};
use crate::framing::render;
use crate::{Framing, MemberFraming, Unreadable, digits, slots};

/// The framing of a replay.
pub fn replay() -> Box<dyn Framing> {
    Box::new(Replay)
}

/// Appends an event.
fn event(event: &Delivered, out: &mut Vec<u8>) -> Result<(), Unreadable> {
    render(event, slots::VALIDIC_SSE, out, |record, out| {
        let start = out.len();
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(event::kind(record).name().as_bytes());
        out.extend_from_slice(b"\ndata: ");
        match event::write(record, out) {
            Ok(()) => out.extend_from_slice(b"\n\n"),
            Err(_) => out.truncate(start),
        }
    })
}

/// Appends the sign of life of a stream at the time `now`, which has `count` members of at most `max`.
fn poke(stream_id: &str, count: usize, max: usize, now: Timestamp, out: &mut Vec<u8>) {
    open_poke(now, out);
    out.extend_from_slice(b",\"stream\":");
    write_string(stream_id, out);
    out.extend_from_slice(b",\"members\":{\"count\":");
    digits::write(count as u64, out);
    out.extend_from_slice(b",\"max\":");
    digits::write(max as u64, out);
    out.extend_from_slice(b"}}\n\n");
}

fn open_poke(now: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: poke\ndata: {\"ts\":");
    write_time(now, out);
}

/// The framing of a member of the stream `id`.
pub fn member(id: &StreamName) -> Box<dyn MemberFraming> {
    Box::new(Member { id: id.clone() })
}

#[derive(Debug)]
struct Member {
    id: StreamName,
}

impl MemberFraming for Member {
    fn media_type(&self) -> &'static str {
        feedwire_api::EVENT_STREAM
    }

    fn event(&self, sent: &Sent, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        self::event(&sent.event, out)
    }

    fn heartbeat(&self, standing: &Standing, now: Timestamp, out: &mut Vec<u8>) {
        poke(
            self.id.as_str(),
            standing.members,
            standing.members_max,
            now,
            out,
        );
    }

    /// Who has which part of a stream, the vendor does not tell.
    fn changed(&self, _standing: &Standing, _now: Timestamp, _out: &mut Vec<u8>) {}

    /// The vendor has no word for it.
    fn lost(&self, _lost: &Lost, _out: &mut Vec<u8>) {}
}

#[derive(Debug)]
struct Replay;

impl Framing for Replay {
    fn media_type(&self) -> &'static str {
        feedwire_api::EVENT_STREAM
    }

    /// A poke: what stands between holds the head of an answer back until something comes.
    fn open(&self, cursor: Cursor, now: Timestamp, out: &mut Vec<u8>) {
        self.idle(cursor, now, out);
    }

    fn event(&self, event: &Delivered, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        self::event(event, out)
    }

    fn idle(&self, _cursor: Cursor, now: Timestamp, out: &mut Vec<u8>) {
        open_poke(now, out);
        out.extend_from_slice(b"}\n\n");
    }

    /// The vendor has no word for it: the answer ends.
    fn expired(&self, _expired: &Expired, _out: &mut Vec<u8>) {}

    fn end(&self, _cursor: Cursor, _out: &mut Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use feedwire_event::Position;
    use insta::assert_snapshot;

    use super::super::event::tests::{broken, record, time};
    use super::*;

    fn told(out: Vec<u8>) -> String {
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n');
        assert!(out.iter().all(is_plain), "ASCII");
        let told = String::from_utf8(out).expect("ASCII");
        assert!(told.ends_with("}\n\n"), "readers wait for the blank line");
        for block in told.split_terminator("\n\n") {
            let (event, data) = block.split_once('\n').expect("two lines");
            assert!(event.starts_with("event: ") && data.starts_with("data: {"));
            assert!(!data.contains('\n'));
        }
        told
    }

    #[test]
    fn a_replay_is_of_named_events_and_pokes() {
        let framing = replay();
        assert_eq!(framing.media_type(), "text/event-stream");
        let cursor = Cursor(Position::ZERO);
        let mut out = Vec::new();
        framing.open(cursor, time(), &mut out);
        for feed in ["data", "connection", "rule"] {
            let event = Delivered::Logged(record(feed, r#"{"id":"\u00e9\n"}"#));
            framing.event(&event, &mut out).expect("a payload");
        }
        framing.idle(cursor, time(), &mut out);
        let expired = Expired {
            first: Position::MAX,
            first_at: None,
            lost_at_most: 7,
        };
        framing.expired(&expired, &mut out);
        framing.end(cursor, &mut out);
        assert_snapshot!(told(out), @r#"
        event: poke
        data: {"ts":"2017-08-04T18:17:34.610Z"}

        event: data
        data: {"id":"\u00e9\n","checksum":"1d0728207366ef97820ec0a0ac671fc5","type":"summary","created_at":"2017-08-04T18:17:34.610Z","user":{"user_id":"u\u00e91"},"version":"1.0"}

        event: connection
        data: {"connection":{"id":"\u00e9\n"}}

        event: rule
        data: {"id":"\u00e9\n"}

        event: poke
        data: {"ts":"2017-08-04T18:17:34.610Z"}
        "#);
    }

    #[test]
    fn a_poke_of_a_stream_tells_its_members() {
        let mut out = Vec::new();
        poke("598372650b11e700018284ab", 1, 3, time(), &mut out);
        assert_snapshot!(told(out), @r#"
        event: poke
        data: {"ts":"2017-08-04T18:17:34.610Z","stream":"598372650b11e700018284ab","members":{"count":1,"max":3}}
        "#);
    }

    #[test]
    fn an_event_that_cannot_be_read_is_told_and_leaves_nothing_behind() {
        let position = broken().position();
        let mut out = Vec::new();
        let told = event(&Delivered::Logged(broken()), &mut out);
        assert_eq!((told, out.len()), (Err(Unreadable { position }), 0));
    }
}
