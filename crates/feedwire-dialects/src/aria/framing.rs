//! How Aria frames events: Server-Sent Events with an id each, and comments between them that are a line and no more.
//!
//! The vendor's own client takes a comment with a blank line behind it for an event, and what it is sent as one chunk for whole events.

use feedwire_core::Delivered;
use feedwire_engine::Expired;
use feedwire_event::{Cursor, Timestamp};

use super::error::Detour;
use super::event;
use crate::framing::render;
use crate::zone::Zone;
use crate::{Framing, Unreadable, slots};

/// What events are sent as. The client takes them for ISO 8859-1 where nothing is said.
pub const EVENTS: &str = "text/event-stream; charset=utf-8";

/// The framing of a feed whose times are told in `zone`. Where it does not begin behind the id that was asked for, `detour` says why.
pub fn stream(zone: &Zone, detour: Option<Detour>) -> Box<dyn Framing> {
    let zone = zone.clone();
    Box::new(Stream { zone, detour })
}

/// Appends `words` as a comment of one line.
pub(super) fn write_comment(words: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b": ");
    // Words of ours, but names of others may be in them.
    let plain = |c: char| if matches!(c, ' '..='~') { c } else { ' ' };
    out.extend(words.chars().map(plain).map(|c| c as u8));
    out.push(b'\n');
}

#[derive(Debug)]
struct Stream {
    zone: Zone,
    detour: Option<Detour>,
}

impl Framing for Stream {
    fn media_type(&self) -> &'static str {
        EVENTS
    }

    fn open(&self, cursor: Cursor, now: Timestamp, out: &mut Vec<u8>) {
        match &self.detour {
            Some(detour) => write_comment(&detour.to_string(), out),
            None => self.idle(cursor, now, out),
        }
    }

    fn event(&self, event: &Delivered, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        render(event, slots::ARIA_SSE, out, |record, out| {
            if event::write(&self.zone, record, out).is_ok() {
                out.push(b'\n');
            }
        })
    }

    fn idle(&self, _cursor: Cursor, _now: Timestamp, out: &mut Vec<u8>) {
        out.extend_from_slice(b":\n");
    }

    fn expired(&self, expired: &Expired, out: &mut Vec<u8>) {
        let words = format!(
            "this reader was too slow: at most {} events are no longer there for it",
            expired.lost_at_most
        );
        write_comment(&words, out);
    }

    fn end(&self, _cursor: Cursor, _out: &mut Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use feedwire_event::{ChangeKind, Position};
    use insta::assert_snapshot;

    use super::super::event::tests::{Happened, POSITION, other};
    use super::*;

    fn told(detour: Option<Detour>, write: impl Fn(&dyn Framing, &mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        let framing = stream(&Zone::UTC, detour);
        framing.open(Cursor(Position::ZERO), Timestamp::MIN, &mut out);
        write(&*framing, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn between_events_are_comments_without_a_blank_line() {
        let cursor = Cursor(Position::ZERO);
        let told = told(None, |framing, out| {
            for kind in [ChangeKind::Create, ChangeKind::Delete] {
                let event = Delivered::Logged(Happened::of(kind).record());
                framing.event(&event, out).expect("a payload");
                framing.idle(cursor, Timestamp::MIN, out);
            }
            let expired = Expired {
                first: Position::MAX,
                first_at: None,
                lost_at_most: 7,
            };
            framing.expired(&expired, out);
            framing.end(cursor, out);
        });
        assert_snapshot!(told, @r#"
        :
        id: C19691361295
        event: create
        data: {"ref":{"type":"Account","ids":{"id":"a\u00e9 1"}},"tstamp":"2020-07-01T04:12:31Z","tick":19691361295}
        data: {}

        :
        id: C19691361295
        event: delete
        data: {"ref":{"type":"Account","ids":{"id":"a\u00e9 1"}},"tstamp":"2020-07-01T04:12:31Z","tick":19691361295}

        :
        : this reader was too slow: at most 7 events are no longer there for it
        "#);
        assert_eq!(told.matches("\n\n").count(), 2);
    }

    #[test]
    fn a_feed_that_does_not_begin_where_it_was_asked_to_says_so_first() {
        let expired = Detour::Expired { lost_at_most: 9 };
        assert_snapshot!(told(Some(expired), |_, _| ()), @": what follows the last id is no longer there: at most 9 events are missing; this begins with the oldest that is there");
        let ahead = Detour::Ahead;
        assert_snapshot!(told(Some(ahead), |_, _| ()), @": no event has the last id as yet: it is another server's, or this one was restored; this begins with the oldest event that is there");
    }

    #[test]
    fn an_event_that_cannot_be_read_is_told_and_leaves_nothing_behind() {
        let position = Position::new(POSITION).expect("a position");
        let mut out = Vec::new();
        let told = stream(&Zone::UTC, None).event(&Delivered::Logged(other()), &mut out);
        assert_eq!((told, out.len()), (Err(Unreadable { position }), 0));
    }
}
