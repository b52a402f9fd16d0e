//! What a stream of events looks like on the wire.

use std::fmt::Debug;

use feedwire_core::stream::{Lost, Sent, Standing};
use feedwire_core::{Delivered, Rendition};
use feedwire_engine::{Expired, Record};
use feedwire_event::{Cursor, Timestamp};

/// A way of sending events one after the other for as long as the client listens.
///
/// Whatever is appended in one call is whole: it may be cut from what follows, never within. All of it is ASCII and every
/// line ends with its newline, for readers hold a line back until they have that.
pub trait Framing: Debug + Send + Sync {
    /// The media type.
    fn media_type(&self) -> &'static str;

    /// Appends what is sent at once, before the first event. It is the time `now`.
    fn open(&self, cursor: Cursor, now: Timestamp, out: &mut Vec<u8>);

    /// Appends an event.
    fn event(&self, event: &Delivered, out: &mut Vec<u8>) -> Result<(), Unreadable>;

    /// Appends what is sent at the time `now`, when nothing else was for a while, or on a schedule of its own.
    fn idle(&self, cursor: Cursor, now: Timestamp, out: &mut Vec<u8>);

    /// Appends the end of a stream that retention has overtaken.
    fn expired(&self, expired: &Expired, out: &mut Vec<u8>);

    /// Appends the end of a stream that has sent all that was asked for.
    fn end(&self, cursor: Cursor, out: &mut Vec<u8>);
}

/// A way of sending a member what it is sent. Whatever is appended in one call is whole, in ASCII, with its line ends.
pub trait MemberFraming: Debug + Send + Sync {
    /// The media type.
    fn media_type(&self) -> &'static str;

    /// Appends an event.
    fn event(&self, sent: &Sent, out: &mut Vec<u8>) -> Result<(), Unreadable>;

    /// Appends a heartbeat at the time `now`: how the stream is.
    fn heartbeat(&self, standing: &Standing, now: Timestamp, out: &mut Vec<u8>);

    /// Appends what is sent when what the member holds has changed.
    fn changed(&self, standing: &Standing, now: Timestamp, out: &mut Vec<u8>);

    /// Appends that events were lost to the stream.
    fn lost(&self, lost: &Lost, out: &mut Vec<u8>);
}

/// Appends `event` as `encode` does, which appends nothing where the event cannot be read.
pub(crate) fn render(
    event: &Delivered,
    rendition: Rendition,
    out: &mut Vec<u8>,
    encode: impl Fn(&Record, &mut Vec<u8>),
) -> Result<(), Unreadable> {
    let start = out.len();
    event.render(rendition, out, encode);
    if out.len() > start {
        Ok(())
    } else {
        Err(Unreadable::of(event.record()))
    }
}

/// An event whose stored payload this version cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload of the event at position {position} cannot be read")]
pub struct Unreadable {
    /// Where it stands.
    pub position: feedwire_event::Position,
}

impl Unreadable {
    pub(crate) fn of(record: &Record) -> Self {
        let position = record.position();
        Self { position }
    }
}
