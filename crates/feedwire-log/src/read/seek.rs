//! Finding a time.

use super::walk::Walk;
use super::{Error, Stop, attempt};
use crate::fault::Fault;
use crate::segment::Segment;
use crate::shared::Shared;

impl Shared {
    /// The last position that was recorded before `time`.
    pub(crate) fn seek(&self, time: i64) -> Result<u64, Error> {
        attempt(|| {
            let head = self.head();
            let segments = self.retained.read().segments.clone();
            for segment in &*segments {
                let (records, _, last) = segment.extent();
                if records > 0 && last >= time {
                    let found = self.seek_in(segment, time);
                    return Ok(self.mend_index(segment, found)?.min(head));
                }
            }
            Ok::<_, Stop>(head)
        })
    }

    fn seek_in(&self, segment: &Segment, time: i64) -> Result<u64, Fault> {
        let source = self.source(segment)?;
        let index = source.index();
        let behind = index.anchors_before(&|anchor| anchor.recorded_at >= time);
        let Some(anchor) = index.anchor(behind.saturating_sub(1)) else {
            return Ok(segment.first_position() - 1);
        };
        let mut position = anchor.position - 1;
        let mut walk = Walk::new(&source, &anchor, source.extent().end, 0);
        while let Some((head, _)) = walk.next()? {
            if head.recorded_at >= time {
                break;
            }
            position = head.position;
        }
        Ok(position)
    }
}
