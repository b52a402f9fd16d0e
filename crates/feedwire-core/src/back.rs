//! Reading back: events of a filter, the newest first, within a window of their producers' time.
//!
//! The order is that of the log, and the window goes by `time`, which is the producer's: an event that was recorded late is in the window
//! it belongs to, and on the page of the moment at which it came. Where to go on from is a position, which no later event shifts.

use std::ops::ControlFlow;

use feedwire_engine::{Limit, Record};
use feedwire_event::{Cursor, Position, Timestamp};

use crate::filter::Matcher;
use crate::limits::{BACK_RECORDS_MAX, PRODUCER_AHEAD_MAX};
use crate::project::Project;
use crate::{Core, Filter, Grant, Right, Span, read};

/// Most records that are read in one go. What a page has room for comes first: mostly all of that is in the window.
const CHUNK_RECORDS_MAX: usize = 1_000;
/// Bytes that are read in one go.
const CHUNK_BYTES: usize = 1024 * 1024;
/// An expression that looks at so many bytes costs as much as a further record that is looked through.
const SIFTED_BYTES: usize = 4 * 1024;

/// A part of what is looked back at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Events before this position; `None` begins with the last one there is.
    pub before: Option<Position>,
    /// When they happened, by their producers.
    pub span: Span,
    /// At most so many events, and no more bytes of them than this; but one event where there is any. It may part a batch.
    pub limit: Limit,
}

/// Events that were looked back at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The events, the newest first by position.
    pub records: Vec<Record>,
    /// What the next part is to be before; `None` where there is nothing more.
    pub next: Option<Position>,
}

impl Core {
    /// The events of `filter` in `part`, newest first.
    ///
    /// At most [`BACK_RECORDS_MAX`] records are looked through: a page may have fewer events than it has room for, or none, while there
    /// are more to go on to. What is no longer retained is not there, and nothing is told of it. An event whose time is further ahead of
    /// the moment at which it was recorded than [`PRODUCER_AHEAD_MAX`] may be missing from windows that begin behind that moment.
    pub async fn back(
        &self,
        grant: &Grant,
        filter: Filter,
        part: Part,
    ) -> Result<Page, read::Error> {
        grant.require(Right::Read)?;
        let matcher = Matcher::new(filter, grant.allowance())?;
        let project = self.project(grant.project()).await?;
        project.back(&matcher, part).await
    }
}

impl Project {
    async fn back(&self, matcher: &Matcher, part: Part) -> Result<Page, read::Error> {
        let log = self.log();
        // What is at or before this was recorded too early to be in the window.
        let floor = match part.span.from {
            Some(from) => log.seek(from.before(PRODUCER_AHEAD_MAX)).await?,
            None => Position::ZERO,
        };
        let end = log.bounds().last.next();
        let mut before = part.before.unwrap_or(end);
        if before > end {
            return Err(read::Error::CursorAhead {
                cursor: Cursor(before),
                head: log.bounds().last,
            });
        }
        let scope = matcher.filter().scope();
        let (mut found, mut looked) = (Found::of(part.limit), 0);
        let mut chunk_records = part.limit.records.saturating_add(1);
        while before > floor.next().max(log.bounds().first) {
            if looked >= BACK_RECORDS_MAX {
                return Ok(found.page(Some(before)));
            }
            chunk_records = chunk_records.min(CHUNK_RECORDS_MAX);
            let limit = Limit {
                records: chunk_records,
                bytes: CHUNK_BYTES,
            };
            let chunk = log.read_back(&scope, before, limit).await?;
            chunk_records *= 2;
            looked += chunk.records.len();
            before = chunk.through;
            let within = chunk.records.into_iter();
            for record in within.take_while(|record| record.position() > floor) {
                let mut is_wanted = is_in(part.span, record.stamp().time)
                    && matcher.shows(&record, &self.subjects().now());
                if let (Some(expression), true) = (matcher.expression(), is_wanted) {
                    let (passes, cost) = expression.passes(&record, &self.subjects().labels);
                    is_wanted = passes;
                    looked += cost / SIFTED_BYTES;
                }
                if is_wanted && found.take(record).is_break() {
                    let last = found.records.last().map(Record::position);
                    return Ok(found.page(last));
                }
            }
        }
        Ok(found.page(None))
    }
}

fn is_in(span: Span, time: Timestamp) -> bool {
    span.from.is_none_or(|from| from <= time) && span.to.is_none_or(|to| time < to)
}

/// The events of a page that is being filled.
struct Found {
    records: Vec<Record>,
    left: Limit,
}

impl Found {
    fn of(limit: Limit) -> Self {
        Self {
            records: Vec::new(),
            left: Limit {
                records: limit.records.max(1),
                ..limit
            },
        }
    }

    /// Takes `record`; breaks where there is no room for it.
    fn take(&mut self, record: Record) -> ControlFlow<()> {
        let Limit { records, bytes } = self.left;
        let fits = record.bytes() <= bytes || self.records.is_empty();
        if records == 0 || !fits {
            return ControlFlow::Break(());
        }
        self.left = Limit {
            records: records - 1,
            bytes: bytes.saturating_sub(record.bytes()),
        };
        self.records.push(record);
        ControlFlow::Continue(())
    }

    /// The page that goes on before `next`.
    fn page(self, next: Option<Position>) -> Page {
        Page {
            records: self.records,
            next,
        }
    }
}
