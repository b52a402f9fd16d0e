//! How the native API frames states: what a reading that begins with them is sent before its events.
//!
//! A state is told as an event of the type `load`. What says where it stands is the cursor of states, until the mark, which bears the position
//! that the events behind it begin at.

use feedwire_core::entities::{EntityKey, StateCursor};
use feedwire_engine::Record;
use feedwire_event::{FeedName, Position, ProjectName, Subject};

use crate::native::event;
use crate::native::request::Stream;
use crate::{Unreadable, digits};

/// What of an encoded state is neither tags nor payload, for buffers that are to be large enough at once.
const ENVELOPE_BYTES: usize = 256;

/// The framing of the states of a project, in a stream.
#[derive(Clone, Debug)]
pub struct StateFraming {
    kind: Stream,
    project: ProjectName,
}

impl StateFraming {
    /// That of `kind`, for states of `project`.
    pub fn new(kind: Stream, project: &ProjectName) -> Self {
        let project = project.clone();
        Self { kind, project }
    }

    /// Appends what is sent at once.
    pub fn open(&self, cursor: &StateCursor, out: &mut Vec<u8>) {
        if self.kind == Stream::Sse {
            out.extend_from_slice(b"retry: 1000\n");
        }
        self.idle(cursor, out);
    }

    /// Appends the state that `record` tells, in a reading that began at `start`.
    pub fn state(
        &self,
        start: Position,
        record: &Record,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let before = out.len();
        let written = self.write(start, record, out);
        if written.is_none() {
            out.truncate(before);
        }
        written.ok_or_else(|| Unreadable::of(record))
    }

    fn write(&self, start: Position, record: &Record, out: &mut Vec<u8>) -> Option<()> {
        if self.kind == Stream::Sse {
            let cursor = behind(start, record)?;
            out.extend_from_slice(format!("id: {cursor}\ndata: ").as_bytes());
        }
        event::write(&self.project, record, out).ok()?;
        let end: &[u8] = match self.kind {
            Stream::Sse => b"\n\n",
            Stream::Ndjson => b"\n",
        };
        out.extend_from_slice(end);
        Some(())
    }

    /// Appends where it stands, which is sent behind states too where they do not say it themselves.
    pub fn idle(&self, cursor: &StateCursor, out: &mut Vec<u8>) {
        let told = match self.kind {
            Stream::Sse => format!("id: {cursor}\n\n"),
            Stream::Ndjson => format!("{{\"heartbeat\":{{\"cursor\":\"{cursor}\"}}}}\n"),
        };
        out.extend_from_slice(told.as_bytes());
    }

    /// Appends where it stands behind states that do not say it themselves.
    pub fn place(&self, cursor: &StateCursor, out: &mut Vec<u8>) {
        if self.kind == Stream::Ndjson {
            self.idle(cursor, out);
        }
    }

    /// Appends that there are no more states, and that the events behind `start` follow.
    pub fn mark(&self, start: Position, out: &mut Vec<u8>) {
        let told = match self.kind {
            Stream::Sse => {
                format!("id: {start}\nevent: mark\ndata: {{\"cursor\":\"{start}\"}}\n\n")
            }
            Stream::Ndjson => format!("{{\"mark\":{{\"cursor\":\"{start}\"}}}}\n"),
        };
        out.extend_from_slice(told.as_bytes());
    }

    /// Appends the end of a stream that has sent as many states as were asked for.
    pub fn end(&self, cursor: &StateCursor, out: &mut Vec<u8>) {
        let told = match self.kind {
            Stream::Sse => format!("event: end\ndata: {{\"cursor\":\"{cursor}\"}}\n\n"),
            Stream::Ndjson => format!("{{\"end\":{{\"cursor\":\"{cursor}\"}}}}\n"),
        };
        out.extend_from_slice(told.as_bytes());
    }
}

/// Where a reading that began at `start` stands behind the state that `record` tells.
pub fn behind(start: Position, record: &Record) -> Option<StateCursor> {
    let feed = FeedName::new(record.feed()).ok()?;
    let subject = Subject::new(record.subject()?).ok()?;
    let after = Some(EntityKey { feed, subject });
    Some(StateCursor { start, after })
}

/// Where a reading stands that has come to `cursor`, and told `last` before: what is behind both was not told.
pub fn reached(cursor: StateCursor, last: Option<&Record>) -> StateCursor {
    let told = last.and_then(|record| behind(cursor.start, record));
    let after = told.and_then(|told| told.after).max(cursor.after);
    StateCursor { after, ..cursor }
}

/// States that were read for a page.
#[derive(Debug)]
pub struct States {
    /// The states.
    pub records: Vec<Record>,
    /// Where the reading stands behind them.
    pub cursor: StateCursor,
    /// Whether there are no more.
    pub is_over: bool,
    /// The last position of the log.
    pub head: Position,
}

/// A page of states as it is sent.
#[derive(Debug)]
pub struct Page {
    /// The body.
    pub bytes: Vec<u8>,
    /// How much of the body, from its start, says nothing but which states there are and where they end.
    pub lasting: usize,
    /// Where to go on.
    pub cursor: String,
}

/// A page of the states of `project`, which ends with the one that reaches `bytes_max`. The last one has the mark.
pub fn page(project: &ProjectName, states: &States, bytes_max: usize) -> Result<Page, Unreadable> {
    let start = states.cursor.start;
    let bytes = states
        .records
        .iter()
        .map(|record| record.bytes() + ENVELOPE_BYTES);
    let mut out = Vec::with_capacity(bytes.sum::<usize>() + ENVELOPE_BYTES);
    out.extend_from_slice(b"{\"events\":[");
    let mut cut = None;
    for (index, record) in states.records.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).map(|at| &states.records[at]) {
            if out.len() >= bytes_max {
                cut = Some(behind(start, before).ok_or_else(|| Unreadable::of(before))?);
                break;
            }
            out.push(b',');
        }
        let written = event::write(project, record, &mut out);
        written.ok().ok_or_else(|| Unreadable::of(record))?;
    }
    let is_over = states.is_over && cut.is_none();
    let (cursor, rest) = if is_over {
        let has_more = states.head > start;
        let rest = format!("\"mark\":{start},\"has_more\":{has_more}");
        (start.to_string(), rest)
    } else {
        let cursor = cut.as_ref().unwrap_or(&states.cursor);
        (cursor.to_string(), "\"has_more\":true".to_owned())
    };
    out.extend_from_slice(format!("],\"cursor\":\"{cursor}\",{rest}").as_bytes());
    let lasting = out.len();
    out.extend_from_slice(b",\"head\":");
    digits::write(states.head.get(), &mut out);
    out.push(b'}');
    Ok(Page {
        bytes: out,
        lasting,
        cursor,
    })
}
