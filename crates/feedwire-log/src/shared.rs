//! What the threads of a log share.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex, RwLock};

use crate::format::trims::Trims;
use crate::read::{Latest, Recent};
use crate::segment::{OpenFiles, Segment};
use crate::stats::Meter;
use crate::storage::Storage;
use crate::writer::{Intake, Unsealed};
use crate::{Bounds, Options};

/// Told of each new head.
type Listener = Box<dyn Fn(u64) + Send + Sync>;

pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) options: Options,
    pub(crate) incarnation: u128,
    pub(crate) intake: Mutex<Intake>,
    /// How often what was queued came to nothing. Changed while the intake is locked, read without.
    pub(crate) failures: AtomicU64,
    /// There is something to write, or to close.
    pub(crate) work: Condvar,
    /// There is room in the queue.
    pub(crate) room: Condvar,
    pub(crate) head: AtomicU64,
    pub(crate) listeners: RwLock<Vec<Listener>>,
    pub(crate) retained: RwLock<Retained>,
    /// Segments that are full and wait for their footers, the oldest first. Locked before `retained` where both are.
    pub(crate) unsealed: Mutex<VecDeque<Arc<Unsealed>>>,
    /// Held while segments are sealed.
    pub(crate) sealing: Mutex<()>,
    /// Held while segments are trimmed or written anew.
    pub(crate) maintenance: Mutex<()>,
    pub(crate) files: OpenFiles,
    pub(crate) recent: Recent,
    pub(crate) latest: Latest,
    pub(crate) meter: Meter,
}

/// What there is to read. Never changed in place, so that a reading has it from one moment.
#[derive(Clone, Debug)]
pub(crate) struct Retained {
    /// Ascending; the last one is active. Never empty.
    pub(crate) segments: Arc<Vec<Arc<Segment>>>,
    pub(crate) trims: Arc<Trims>,
}

impl Shared {
    pub(crate) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    pub(crate) fn bounds(&self) -> Bounds {
        let retained = self.retained.read();
        // Read behind the trims: the head is never before what was trimmed.
        let last = self.head();
        Bounds {
            first: retained.first(last),
            last,
        }
    }

    /// Puts `segment` in the place of the one that has its first position, or behind the last.
    pub(crate) fn put_segment(&self, segment: Segment) {
        let mut retained = self.retained.write();
        let mut segments = Vec::clone(&retained.segments);
        let first = segment.first_position();
        let at = segments.partition_point(|other| other.first_position() < first);
        let replaced = segments
            .get(at)
            .is_some_and(|other| other.first_position() == first);
        segments.splice(at..at + usize::from(replaced), [Arc::new(segment)]);
        retained.segments = Arc::new(segments);
    }
}

impl Retained {
    /// The first position that is retained, where `head` is the last, asked for later than this: positions that were skipped
    /// behind it are not lost.
    pub(crate) fn first(&self, head: u64) -> u64 {
        self.trims.first.min(head + 1)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("storage", &self.storage)
            .field("options", &self.options)
            .field("head", &self.head)
            .field("retained", &self.retained)
            .finish_non_exhaustive()
    }
}
