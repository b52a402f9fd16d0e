//! What a reader is handed.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use feedwire_engine::Record;
use feedwire_event::{Cursor, Position};

/// One step of a reader.
#[derive(Debug)]
pub enum Step {
    /// Events, at least one.
    Events(Delivery),
    /// The reading's `until` is reached.
    End,
    /// The server stops, or the project is deleted: the client should come back, and goes on or is told.
    Closing,
}

/// Events of a reading, in order. Batches are whole.
#[derive(Debug)]
pub struct Delivery {
    /// The events.
    pub events: Vec<Delivered>,
    /// Where to go on from.
    pub cursor: Cursor,
    /// Whether there may be more already.
    pub more: bool,
    /// The last position of the log, from no later than the events.
    pub head: Position,
}

/// An event that a reader is handed.
#[derive(Clone, Debug)]
pub enum Delivered {
    /// Out of the log, for this reader alone.
    Logged(Record),
    /// From the tail, shared by every reader that it concerns.
    Tailed(Arc<Tailed>),
}

/// Which encoding of an event is meant. Dialects and framings share a fixed set of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rendition(usize);

impl Rendition {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// The place `index`.
    ///
    /// # Panics
    /// If `index` is not below [`Rendition::COUNT`].
    pub const fn new(index: usize) -> Self {
        assert!(index < Self::COUNT, "there are only so many renditions");
        Self(index)
    }
}

/// An event at the tail with what it was encoded as.
#[derive(Debug)]
pub struct Tailed {
    record: Record,
    /// Made when there is the first: most events of a busy log pass while nobody waits for them.
    renditions: OnceLock<Box<Renditions>>,
}

type Renditions = [OnceLock<Bytes>; Rendition::COUNT];

impl Tailed {
    pub(crate) fn new(record: Record) -> Self {
        Self {
            record,
            renditions: OnceLock::new(),
        }
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }
}

impl Delivered {
    /// The event.
    pub fn record(&self) -> &Record {
        match self {
            Self::Logged(record) => record,
            Self::Tailed(tailed) => &tailed.record,
        }
    }

    /// Appends the event to `out` as `rendition`: what `encode` appends, encoded once for all readers at the tail.
    pub fn render(
        &self,
        rendition: Rendition,
        out: &mut Vec<u8>,
        encode: impl Fn(&Record, &mut Vec<u8>),
    ) {
        match self {
            Self::Logged(record) => encode(record, out),
            Self::Tailed(tailed) => {
                let renditions = tailed.renditions.get_or_init(Box::default);
                let bytes = renditions[rendition.0].get_or_init(|| {
                    let mut bytes = Vec::new();
                    encode(&tailed.record, &mut bytes);
                    bytes.into()
                });
                out.extend_from_slice(bytes);
            }
        }
    }
}
