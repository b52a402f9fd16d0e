//! Streams by their framing, and how they ended.

use std::sync::Arc;

use feedwire_api::EVENT_STREAM;
use feedwire_tally::{Count, Entered, Level};

/// What streams are counted as.
const FRAMINGS: [&str; 2] = ["sse", "ndjson"];

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Its `until` or its limit was reached.
    Reached,
    /// Retention had overtaken its reader.
    Expired,
    /// The server stopped.
    Stopping,
    /// Streams held as much of the logs as they may.
    NoRoom,
    /// Its credential was no longer what it was, or its token expired.
    Revoked,
    /// The log could not be read.
    Failed,
    /// The client went away, or took nothing for too long.
    Left,
}

const ENDINGS: [(Ending, &str); 7] = [
    (Ending::Reached, "reached"),
    (Ending::Expired, "expired"),
    (Ending::Stopping, "stopping"),
    (Ending::NoRoom, "no-room"),
    (Ending::Revoked, "revoked"),
    (Ending::Failed, "failed"),
    (Ending::Left, "left"),
];

/// What was counted of streams. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    framings: [Framing; FRAMINGS.len()],
    endings: [Count; ENDINGS.len()],
}

#[derive(Debug, Default)]
struct Framing {
    open: Level,
    opened: Count,
    bytes: Count,
}

/// A stream that is open, until it is dropped.
#[derive(Debug)]
pub(crate) struct Stream {
    counted: Streams,
    framing: usize,
    ending: Ending,
    _open: Entered,
}

impl Streams {
    /// A stream of `media_type` begins.
    pub(crate) fn open(&self, media_type: &str) -> Stream {
        let framing = usize::from(!media_type.starts_with(EVENT_STREAM));
        let Self(counted) = self;
        counted.framings[framing].opened.one();
        Stream {
            counted: self.clone(),
            framing,
            ending: Ending::Left,
            _open: counted.framings[framing].open.enter(),
        }
    }

    /// How many are open, by framing.
    pub(crate) fn levels(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.by_framing(|framing| framing.open.get())
    }

    /// How many were opened, by framing.
    pub(crate) fn opened(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.by_framing(|framing| framing.opened.get())
    }

    /// How many bytes were made to be sent, by framing.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.by_framing(|framing| framing.bytes.get())
    }

    /// How many ended, by why.
    pub(crate) fn endings(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let Self(counted) = self;
        let endings = ENDINGS.iter().zip(&counted.endings);
        endings.map(|((_, why), count)| (*why, count.get()))
    }

    fn by_framing(&self, number: fn(&Framing) -> u64) -> impl Iterator<Item = (&'static str, u64)> {
        let Self(counted) = self;
        let framings = FRAMINGS.iter().zip(&counted.framings);
        framings.map(move |(name, framing)| (*name, number(framing)))
    }
}

impl Stream {
    /// It ends by itself. One that is dropped without has lost its client.
    pub(crate) fn end(&mut self, ending: Ending) {
        self.ending = ending;
    }

    /// A chunk of so many bytes is handed to the connection.
    pub(crate) fn sent(&self, bytes: usize) {
        let Streams(counted) = &self.counted;
        counted.framings[self.framing].bytes.add(bytes as u64);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let Streams(counted) = &self.counted;
        let at = ENDINGS
            .iter()
            .position(|(ending, _)| *ending == self.ending);
        counted.endings[at.expect("every ending is in the table")].one();
    }
}
