//! Reading records in a scope, forward and backward, and finding a time.

mod collect;
mod fetch;
mod latest;
mod recent;
mod seek;
mod source;
#[cfg(test)]
mod tests;
mod walk;

use std::io;

use bytes::Bytes;

use crate::fault::Fault;
use crate::format::trims::{Counts, Trims};
use crate::index::{Direction, Matches};
use crate::segment::{Sealed, Segment};
use crate::shared::{Retained, Shared};
use crate::{Chunk, Damage, Limit, Scope};

pub(crate) use latest::Latest;
pub(crate) use recent::Recent;

use collect::Collect;
use source::Source;

/// Why records were not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Records in scope above the asked position were trimmed.
    #[error("records before position {first} are no longer retained")]
    Expired {
        /// The first retained position.
        first: u64,
        /// When the first retained record was recorded, if there is one.
        first_recorded_at: Option<i64>,
        /// At most this many positions of what was asked for are lost.
        lost_at_most: u64,
    },
    /// A record is damaged on disk.
    #[error("the record at or behind position {position} is damaged")]
    Damaged {
        /// The position, or the nearest known before it.
        position: u64,
        /// Where, and what to do.
        #[source]
        damage: Damage,
    },
    /// The disk or the system failed.
    #[error("the log cannot be read")]
    Io(#[from] io::Error),
}

/// A reading ends after this many segments: what it has looked through is told by `through`, and it goes on from there.
const SEGMENTS_MAX: usize = 64;

/// How often a reading begins again because segments were replaced under it. Each time one of them was.
const ATTEMPTS_MAX: usize = 64;

impl Shared {
    /// Reads the whole log forward if everything above `after` is in memory.
    pub(crate) fn read_latest(&self, after: u64, limit: Limit) -> Option<Chunk> {
        let head = self.head();
        let is_retained = lost_at_most(&self.retained.read().trims, &[], after) == 0;
        let mut collect = Collect::new(Direction::Forward, after.min(head), head, limit);
        (is_retained && self.latest.collect(&mut collect)).then(|| collect.chunk(after.max(head)))
    }

    pub(crate) fn read(&self, scope: &Scope, after: u64, limit: Limit) -> Result<Chunk, Error> {
        if scope.is_all()
            && let Some(chunk) = self.read_latest(after, limit)
        {
            return Ok(chunk);
        }
        attempt(|| {
            let head = self.head();
            let retained = self.retained.read().clone();
            check_retained(&retained, scope, after, self.head())?;
            let from = after.min(head);
            let mut collect = Collect::new(Direction::Forward, from, head, limit);
            let segments = &retained.segments;
            let start = segments.partition_point(|segment| segment.first_position() <= from + 1);
            let segments = segments[start.saturating_sub(1)..].iter();
            for (looked, segment) in segments.enumerate() {
                if segment.first_position() > head {
                    break;
                }
                if looked == SEGMENTS_MAX {
                    return Ok(collect.chunk(segment.first_position() - 1));
                }
                if !self.read_segment(segment, scope, &mut collect)? {
                    break;
                }
            }
            Ok(collect.chunk(after.max(head)))
        })
    }

    pub(crate) fn read_back(
        &self,
        scope: &Scope,
        before: u64,
        limit: Limit,
    ) -> Result<Chunk, Error> {
        attempt(|| {
            let head = self.head();
            let retained = self.retained.read().clone();
            let from = before.min(head + 1);
            let mut collect = Collect::new(Direction::Backward, from, head, limit);
            let segments = &retained.segments;
            let end = segments.partition_point(|segment| segment.first_position() < from);
            let mut last = None;
            for (looked, segment) in segments[..end].iter().rev().enumerate() {
                if let (SEGMENTS_MAX, Some(last)) = (looked, last) {
                    return Ok(collect.chunk(last));
                }
                last = Some(segment.first_position());
                if !self.read_segment(segment, scope, &mut collect)? {
                    break;
                }
            }
            Ok(collect.chunk(retained.first(self.head())))
        })
    }

    /// Collects from one segment; `false` if nothing of another is wanted.
    fn read_segment(
        &self,
        segment: &Segment,
        scope: &Scope,
        collect: &mut Collect,
    ) -> Result<bool, Fault> {
        if let Segment::Sealed(sealed) = segment
            && !scope.is_all()
        {
            return self.read_sealed(segment, sealed, scope, collect);
        }
        let source = self.source(segment)?;
        let read = if scope.is_all() {
            walk::collect(&source, collect)
        } else {
            collect_matches(&source, scope, collect)
        };
        self.mend_index(segment, read)
    }

    /// Collects what a sealed segment has in scope, from memory if it was read lately.
    fn read_sealed(
        &self,
        segment: &Segment,
        sealed: &Sealed,
        scope: &Scope,
        collect: &mut Collect,
    ) -> Result<bool, Fault> {
        if let Some(records) = self.recent.get(&sealed.header, scope) {
            return Ok(match collect.direction {
                Direction::Forward => records.iter().all(|record| collect.take_again(record)),
                Direction::Backward => records
                    .iter()
                    .rev()
                    .all(|record| collect.take_again(record)),
            });
        }
        let before = collect.len();
        let source = self.source(segment)?;
        let read = collect_matches(&source, scope, collect);
        let goes_on = self.mend_index(segment, read)?;
        if goes_on && collect.covers(sealed.header.first_position, sealed.last_position) {
            self.recent
                .put(&sealed.header, scope, &collect.since(before));
        }
        Ok(goes_on)
    }

    /// An index that turned out to be damaged is removed, so that the next attempt makes it anew.
    pub(crate) fn mend_index<T>(
        &self,
        segment: &Segment,
        read: Result<T, Fault>,
    ) -> Result<T, Fault> {
        if matches!(read, Err(Fault::Index)) {
            let header = segment.header();
            let name = crate::segment::index_name(header.first_position);
            match self.storage.remove(&name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => self.files.forget(header),
            }
        }
        read
    }

    /// The position of the first record of a segment that is in scope.
    pub(crate) fn first_in(&self, segment: &Segment, scope: &Scope) -> Result<Option<u64>, Fault> {
        let limit = Limit {
            records: 1,
            bytes: 1,
        };
        let mut collect = Collect::new(Direction::Forward, 0, u64::MAX, limit);
        self.read_segment(segment, scope, &mut collect)?;
        Ok(collect
            .chunk(0)
            .records
            .first()
            .map(|record| record.position))
    }

    pub(crate) fn first_recorded_at(&self) -> Option<i64> {
        first_recorded_at(&self.retained.read())
    }
}

/// Begins again for as long as segments are replaced while they are read.
fn attempt<T>(mut read: impl FnMut() -> Result<T, Stop>) -> Result<T, Error> {
    for _ in 0..ATTEMPTS_MAX {
        match read() {
            Ok(value) => return Ok(value),
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Fault(Fault::Damaged { position, damage })) => {
                return Err(Error::Damaged { position, damage });
            }
            Err(Stop::Fault(Fault::Io(error))) => return Err(Error::Io(error)),
            Err(Stop::Fault(Fault::Stale | Fault::Index)) => {}
        }
    }
    Err(Error::Io(io::Error::other("segments do not hold still")))
}

/// Nothing in scope above `after` was trimmed.
fn check_retained(retained: &Retained, scope: &Scope, after: u64, head: u64) -> Result<(), Stop> {
    let lost_at_most = lost_at_most(&retained.trims, &scope.feeds, after);
    if lost_at_most == 0 {
        return Ok(());
    }
    Err(Stop::Error(Error::Expired {
        first: retained.first(head),
        first_recorded_at: first_recorded_at(retained),
        lost_at_most,
    }))
}

/// At most how many records above `after` were trimmed of `feeds`, or of all if there are none.
///
/// Positions say nothing: some are skipped after a failure, and nothing is lost with them.
fn lost_at_most(trims: &Trims, feeds: &[Bytes], after: u64) -> u64 {
    if after >= trims.first - 1 {
        return 0;
    }
    let add = |(events, through): (u64, u64), counts: &Counts| {
        if counts.through <= after {
            return (events, through);
        }
        let events = events.saturating_add(counts.events);
        (events, through.max(counts.through))
    };
    let (events, through) = if feeds.is_empty() {
        trims.feeds.values().fold((0, after), add)
    } else {
        let asked = feeds.iter().filter_map(|feed| trims.feeds.get(&**feed));
        asked.fold((0, after), add)
    };
    events.min(through - after)
}

fn first_recorded_at(retained: &Retained) -> Option<i64> {
    let mut extents = retained.segments.iter().map(|segment| segment.extent());
    extents.find_map(|(records, first, _)| (records > 0).then_some(first))
}

fn collect_matches(source: &Source, scope: &Scope, collect: &mut Collect) -> Result<bool, Fault> {
    let index = source.index();
    let start = match collect.direction {
        Direction::Forward => {
            let behind = index.anchors_before(&|anchor| anchor.position > collect.from + 1);
            index
                .anchor(behind.saturating_sub(1))
                .map_or(0, |anchor| anchor.offset)
        }
        Direction::Backward => {
            let behind = index.anchors_before(&|anchor| anchor.position >= collect.from);
            index
                .anchor(behind)
                .map_or(u32::MAX, |anchor| anchor.offset)
        }
    };
    let Some(mut matches) = Matches::new(index, scope, collect.direction, start)? else {
        return Ok(true);
    };
    let mut fetch = fetch::Fetch::new(source);
    let mut offsets = Vec::new();
    let end = source.extent().end;
    loop {
        offsets.clear();
        let wanted = collect.wanted();
        while offsets.len() < wanted
            && let Some(offset) = matches.next(index)?
        {
            // The index of the active segment may have grown since its extent was taken; going backward begins there.
            if u64::from(offset) < end {
                offsets.push(offset);
            }
        }
        if offsets.is_empty() {
            return Ok(true);
        }
        if !fetch.each(&offsets, collect)? {
            return Ok(false);
        }
    }
}

/// Why an attempt to read ended.
enum Stop {
    Error(Error),
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
