//! Erasing: the segments that hold what is to go are found and written anew.

use std::sync::Arc;

use super::{Error, rewrite};
use crate::fault::Fault;
use crate::format::record::Head;
use crate::segment::{Sealed, Segment, segment_name};
use crate::shared::Shared;
use crate::storage::TEMPORARY;
use crate::{Erasure, Scope};

impl Shared {
    pub(crate) fn erase(&self, erasure: &Erasure) -> Result<u64, Error> {
        let _maintenance = self.maintenance.lock();
        self.seal_all()?;
        let segments = Arc::clone(&self.retained.read().segments);
        let active = segments.last().expect("a log has a segment");
        if self.holds(active, erasure)? {
            self.seal_active()?;
        }
        let erased = self.erase_sealed(erasure);
        self.latest.clear();
        erased
    }

    /// Erases from all segments but the active one.
    pub(crate) fn erase_sealed(&self, erasure: &Erasure) -> Result<u64, Error> {
        // A segment may have become full since the others were sealed.
        self.seal_all()?;
        let segments = Arc::clone(&self.retained.read().segments);
        let mut erased = 0;
        for segment in &*segments {
            if let Segment::Sealed(sealed) = &**segment
                && self.holds(segment, erasure)?
            {
                erased += self.rewrite(sealed, erasure)?;
            }
        }
        Ok(erased)
    }

    /// Whether a segment has any of what is to go.
    fn holds(&self, segment: &Segment, erasure: &Erasure) -> Result<bool, Error> {
        if segment.first_position() > erasure.through {
            return Ok(false);
        }
        let first = || self.first_in(segment, &erasure.scope());
        let found = match first() {
            Err(Fault::Index) => first()?,
            other => other?,
        };
        Ok(found.is_some_and(|position| position <= erasure.through))
    }

    fn rewrite(&self, sealed: &Sealed, erasure: &Erasure) -> Result<u64, Error> {
        let storage = &*self.storage;
        let temporary = format!("{}{TEMPORARY}", segment_name(sealed.header.first_position));
        let written = rewrite::write(storage, &temporary, sealed, erasure);
        let rewritten = written.inspect_err(|_| {
            // Half a file is of no use, and the next opening removes it if this fails.
            drop(storage.remove(&temporary));
        })?;
        let opening = self.files.opening.lock();
        let (new, erased, synced) = rewritten.put(storage, &temporary)?;
        self.put_segment(Segment::Sealed(Arc::new(new)));
        self.files.forget(&sealed.header);
        self.recent.forget(&sealed.header);
        drop(opening);
        self.meter.erased_records.add(erased);
        synced?;
        Ok(erased)
    }
}

impl Erasure {
    fn scope(&self) -> Scope {
        Scope {
            feeds: self.feed.iter().cloned().collect(),
            types: Vec::new(),
            subjects: self.subject.iter().cloned().collect(),
        }
    }

    /// Whether a record is to go.
    pub(super) fn has(&self, head: &Head, body: &[u8]) -> bool {
        let feed = &body[..head.feed_end()];
        let subject = &body[head.type_end()..head.subject_end()];
        head.position <= self.through
            && self.feed.as_ref().is_none_or(|asked| asked == feed)
            && self.subject.as_ref().is_none_or(|asked| asked == subject)
    }
}
