//! A stream of events as it is received: what came is counted and checked, and nothing of it is kept.
//!
//! Chunks are not taken apart: each holds whole lines, so their sizes are lines like any other.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use memchr::memmem;

use super::lines::Lines;
use crate::event::{NUMBER_FROM_END, read_digits};

/// How events stand in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Sse,
    Ndjson,
    /// As a member of a stream has it: heartbeats come between events, and what an event is acknowledged by stands behind its number.
    Member,
}

impl Framing {
    /// What is asked for to have it.
    pub(crate) fn accept(self) -> &'static str {
        match self {
            Self::Sse | Self::Member => "text/event-stream",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// What is in front of an event's number, wherever it stands.
pub(super) const NUMBER: &[u8] = br#""n":""#;

/// The furthest that came of each partition, as its receipt.
pub(super) type Receipts = BTreeMap<u64, String>;

/// What came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    /// Sum of their numbers: with as many events it tells whether they are the right ones.
    pub(crate) numbers: u64,
    /// Sum of their positions.
    pub(crate) positions: u64,
    /// Events whose position was not above the one before.
    pub(crate) unordered: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.numbers += other.numbers;
        self.positions += other.positions;
        self.unordered += other.unordered;
    }
}

#[derive(Debug)]
pub(super) struct Stream {
    framing: Framing,
    lines: Lines,
    place: Place,
    has_begun: bool,
    /// Whether the server has said that there is nothing more, or that there are no more states.
    has_ended: bool,
    position: u64,
    last: u64,
    receipts: Receipts,
    tally: Tally,
}

/// Where in the stream the next line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Status,
    Head,
    Events,
    /// In a frame of SSE that is not an event of the feed.
    Control,
}

impl Stream {
    pub(super) fn new(framing: Framing) -> Self {
        Self {
            framing,
            lines: Lines::default(),
            place: Place::Status,
            has_begun: false,
            has_ended: false,
            position: 0,
            last: 0,
            receipts: Receipts::new(),
            tally: Tally::default(),
        }
    }

    /// Whether it was accepted.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// What came since this was asked last.
    pub(super) fn take_receipts(&mut self) -> Receipts {
        std::mem::take(&mut self.receipts)
    }

    /// Takes what was received; `event` is told the number of every event.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        mut event: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let mut lines = std::mem::take(&mut self.lines);
        let fed = lines.feed(bytes, |line| match self.line(line)? {
            Some(number) => event(number),
            None => Ok(()),
        });
        self.lines = lines;
        fed
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<u64>> {
        match self.place {
            Place::Status if line.starts_with(b"HTTP/1.1 200") => self.place = Place::Head,
            Place::Status => bail!("refused: {}", line.escape_ascii()),
            Place::Head if line == b"\r" => {
                self.place = Place::Events;
                self.has_begun = true;
            }
            Place::Control if line.is_empty() => self.place = Place::Events,
            Place::Head | Place::Control => {}
            Place::Events => match self.framing {
                Framing::Sse => return self.sse(line),
                Framing::Ndjson => return self.ndjson(line),
                Framing::Member => return Ok(self.member(line)),
            },
        }
        Ok(None)
    }

    fn sse(&mut self, line: &[u8]) -> Result<Option<u64>> {
        if line.starts_with(b"data: ") {
            return Ok(Some(self.event(line)));
        }
        if line.starts_with(b"id: state:") {
            // States come in the order of their subjects, not of their positions: it is not looked at.
            self.position = self.last + 1;
        } else if let Some(id) = line.strip_prefix(b"id: ") {
            self.position = read_digits(id);
        } else if let Some(kind) = line.strip_prefix(b"event: ") {
            self.place = Place::Control;
            self.end(kind == b"end" || kind == b"mark", line)?;
        }
        Ok(None)
    }

    fn member(&mut self, line: &[u8]) -> Option<u64> {
        if line.starts_with(b"data: ") {
            let at = memmem::rfind(line, NUMBER)?;
            let number = read_digits(&line[at + NUMBER.len()..]);
            self.tally.events += 1;
            self.tally.numbers += number;
            return Some(number);
        }
        if let Some(id) = line.strip_prefix(b"id: ") {
            let receipt = String::from_utf8_lossy(id).into_owned();
            self.receipts.insert(read_digits(id), receipt);
        } else if line.starts_with(b"event: ") {
            self.place = Place::Control;
        }
        None
    }

    fn ndjson(&mut self, line: &[u8]) -> Result<Option<u64>> {
        if line.starts_with(br#"{"specversion":"#) {
            // Lines bear no id beside the event: their order is not looked at.
            self.position = self.last + 1;
            return Ok(Some(self.event(line)));
        }
        let is_end = line.starts_with(br#"{"end":"#) || line.starts_with(br#"{"mark":"#);
        if is_end || line.starts_with(br#"{"expired":"#) {
            self.end(is_end, line)?;
        }
        Ok(None)
    }

    fn end(&mut self, is_good: bool, line: &[u8]) -> Result<()> {
        if !is_good {
            bail!("the stream was broken off: {}", line.escape_ascii());
        }
        self.has_ended = true;
        Ok(())
    }

    fn event(&mut self, line: &[u8]) -> u64 {
        let from = line.len().saturating_sub(NUMBER_FROM_END);
        let number = read_digits(&line[from..]);
        self.tally.events += 1;
        self.tally.numbers += number;
        self.tally.positions += self.position;
        self.tally.unordered += u64::from(self.position <= self.last);
        self.last = self.position;
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, write_digits};

    fn event(number: u64) -> String {
        let mut event = Event::of(200);
        let at = event.number_at();
        write_digits(&mut event.json, at, number);
        let text = String::from_utf8(event.json).expect("ASCII");
        text.replacen('{', r#"{"specversion":"1.0","#, 1)
    }

    fn check(framing: Framing, body: &str, tally: Tally) {
        let mut stream = Stream::new(framing);
        let head = "HTTP/1.1 200 OK\r\na: b\r\n\r\n";
        let mut numbers = Vec::new();
        let text = [head, body].concat();
        let take = |number| {
            numbers.push(number);
            Ok(())
        };
        stream.feed(text.as_bytes(), take).expect("a good stream");
        assert!(stream.has_begun() && stream.has_ended());
        assert_eq!(numbers, [7, 9]);
        assert_eq!(stream.tally(), tally);
    }

    #[test]
    fn events_are_counted_and_what_is_no_event_is_not() {
        let (one, two) = (event(7), event(9));
        let tally = Tally {
            events: 2,
            numbers: 16,
            positions: 5 + 8,
            unordered: 0,
        };
        let sse = format!(
            "1f\r\nretry: 1000\nid: 3\n\n\r\n2f\r\nid: 5\ndata: {one}\n\nid: 8\ndata: {two}\n\n\r\n5\r\nevent: end\ndata: {{}}\n\n\r\n"
        );
        check(Framing::Sse, &sse, tally);
        let lines = format!("2f\r\n{one}\n{two}\n\r\n5\r\n{{\"end\":{{}}}}\n\r\n");
        let positions = 1 + 2;
        check(Framing::Ndjson, &lines, Tally { positions, ..tally });
    }

    #[test]
    fn a_member_has_its_events_and_their_receipts_and_passes_over_heartbeats() {
        let mut stream = Stream::new(Framing::Member);
        let (one, two) = (event(7), event(9));
        let one = one.trim_end_matches('}').to_owned() + r#"},"receipt":"3.1.5","attempt":1}"#;
        let text = format!(
            "HTTP/1.1 200 OK\r\n\r\nevent: heartbeat\ndata: {{}}\n\nid: 3.1.5\ndata: {one}\n\ndata: {two}\n\n"
        );
        stream.feed(text.as_bytes(), |_| Ok(())).expect("a stream");
        assert_eq!((stream.tally().events, stream.tally().numbers), (2, 16));
        assert_eq!(stream.take_receipts(), [(3, "3.1.5".to_owned())].into());
        assert!(stream.take_receipts().is_empty());
    }

    #[test]
    fn states_are_counted_up_to_their_mark() {
        let (one, two) = (event(7), event(9));
        let tally = Tally {
            events: 2,
            numbers: 16,
            positions: 1 + 2,
            unordered: 0,
        };
        let sse = format!(
            "retry: 1000\nid: state:5:\n\nid: state:5:Yg\ndata: {one}\n\nid: state:5:Yw\ndata: {two}\n\nid: 5\nevent: mark\ndata: {{\"cursor\":\"5\"}}\n\n"
        );
        check(Framing::Sse, &sse, tally);
        let lines = format!(
            "{one}\n{two}\n{{\"heartbeat\":{{\"cursor\":\"state:5:Yw\"}}}}\n{{\"mark\":{{\"cursor\":\"5\"}}}}\n"
        );
        check(Framing::Ndjson, &lines, tally);
    }

    #[test]
    fn an_event_that_comes_again_or_late_is_noticed() {
        let mut stream = Stream::new(Framing::Sse);
        let (one, two) = (event(7), event(9));
        let text = format!(
            "HTTP/1.1 200 OK\r\n\r\nid: 8\ndata: {two}\n\nid: 8\ndata: {two}\n\nid: 5\ndata: {one}\n\n"
        );
        stream.feed(text.as_bytes(), |_| Ok(())).expect("a stream");
        assert_eq!(stream.tally().unordered, 2);
    }

    #[test]
    fn a_refusal_and_a_stream_that_is_broken_off_are_errors() {
        for text in [
            "HTTP/1.1 503 Service Unavailable\r\n",
            "HTTP/1.1 200 OK\r\n\r\nevent: expired\n",
        ] {
            let mut stream = Stream::new(Framing::Sse);
            assert!(stream.feed(text.as_bytes(), |_| Ok(())).is_err(), "{text}");
        }
    }
}
