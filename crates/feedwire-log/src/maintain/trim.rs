//! Trimming: what is lost is written down before it goes.

use std::io;
use std::sync::Arc;

use super::Error;
use crate::fault::Fault;
use crate::format::trims::{self, Feeds, Trims};
use crate::segment::{Sealed, Segment, index_name, segment_name};
use crate::shared::{Retained, Shared};
use crate::storage::replace;
use crate::{FeedTrim, Keep};

impl Shared {
    pub(crate) fn trim(&self, keep: Keep, not_past: u64) -> Result<u64, Error> {
        let _maintenance = self.maintenance.lock();
        let mut retained = self.retained.read().clone();
        let asked = going(&retained, keep, not_past);
        if asked == 0 {
            return Ok(self.bounds().first);
        }
        let sealed = if asked == retained.segments.len() {
            self.seal_active()
        } else {
            self.seal_all().map_err(Error::from)
        };
        if sealed.as_ref().is_err_and(|error| !error.is_no_space()) {
            return sealed.map(|()| self.bounds().first);
        }
        retained = self.retained.read().clone();
        let is_sealed = |segment: &&Arc<Segment>| matches!(***segment, Segment::Sealed(_));
        let ready = retained.segments.iter().take_while(is_sealed).count();
        let count = going(&retained, keep, not_past).min(ready);
        if count == 0 {
            return sealed.map(|()| self.bounds().first);
        }
        // Where there was no room to seal all, letting go of what is sealed makes some.
        let (gone, kept) = retained.segments.split_at(count);
        let mut trims = Trims::clone(&retained.trims);
        for segment in gone {
            for (feed, counts) in self.feeds(segment)? {
                trims.feeds.entry(feed).or_default().add(&counts);
            }
        }
        trims.first = kept[0].first_position();
        let bytes = trims.encode(self.incarnation);
        replace(&*self.storage, trims::NAME, &bytes)?;
        self.let_go(trims, count);
        self.meter.trimmed_segments.add(count as u64);
        self.remove(gone)?;
        Ok(self.bounds().first)
    }

    pub(crate) fn trims(&self) -> Vec<FeedTrim> {
        let trims = Arc::clone(&self.retained.read().trims);
        let rows = trims.feeds.iter().map(|(feed, counts)| FeedTrim {
            feed: bytes::Bytes::copy_from_slice(feed),
            through: counts.through,
            events: counts.events,
            batches: counts.batches,
            subjects: counts.subjects,
        });
        rows.collect()
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        let retained = self.retained.read().clone();
        let (active, others) = retained.segments.split_last().expect("a log has a segment");
        let plan = &self.intake.lock().plan;
        let allocated = if plan.first_position == active.first_position() {
            plan.allocated
        } else {
            plan.allocated + size(active)
        };
        others.iter().map(|segment| size(segment)).sum::<u64>() + allocated
    }

    /// From here on, readings know that the first `count` segments are gone.
    fn let_go(&self, trims: Trims, count: usize) {
        let mut retained = self.retained.write();
        retained.trims = Arc::new(trims);
        retained.segments = Arc::new(retained.segments[count..].to_vec());
    }

    fn remove(&self, gone: &[Arc<Segment>]) -> io::Result<()> {
        for segment in gone {
            let first = segment.first_position();
            for name in [index_name(first), segment_name(first)] {
                match self.storage.remove(&name) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            // Behind the removal, so that nothing opens it again.
            self.files.forget(segment.header());
            self.recent.forget(segment.header());
        }
        Ok(())
    }

    /// What a segment has of each feed.
    fn feeds(&self, segment: &Segment) -> Result<Feeds, Fault> {
        match segment {
            Segment::Live(live) => Ok(live.index.read().feeds()),
            Segment::Sealed(sealed) => self.sealed_feeds(segment, sealed),
        }
    }

    fn sealed_feeds(&self, segment: &Segment, sealed: &Sealed) -> Result<Feeds, Fault> {
        let read = || self.files.get(&*self.storage, sealed)?.index.feeds();
        match self.mend_index(segment, read()) {
            Err(Fault::Index) => read(),
            other => other,
        }
    }
}

/// How many of the oldest segments are to go.
fn going(retained: &Retained, keep: Keep, not_past: u64) -> usize {
    let mut left: u64 = retained.segments.iter().map(|segment| size(segment)).sum();
    let mut count = 0;
    for segment in &*retained.segments {
        let (records, _, last_recorded_at) = segment.extent();
        left = left.saturating_sub(size(segment));
        let is_old = keep
            .older_than
            .is_some_and(|time| records == 0 || last_recorded_at < time);
        let is_much = keep.bytes.is_some_and(|bytes| left >= bytes);
        if !(is_old || is_much) || last_position(segment) > not_past {
            break;
        }
        count += 1;
    }
    count
}

fn last_position(segment: &Segment) -> u64 {
    match segment {
        Segment::Live(live) => live.index.read().last_position,
        Segment::Sealed(sealed) => sealed.last_position,
    }
}

/// Bytes on disk, less what is allocated ahead.
fn size(segment: &Segment) -> u64 {
    match segment {
        Segment::Live(live) => live.index.read().end,
        Segment::Sealed(sealed) => sealed.len + sealed.index_len,
    }
}
