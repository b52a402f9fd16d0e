//! The system's clock and ids, which the core is handed as its seams.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use feedwire_core::{Clock, Ids, Seams};
use feedwire_event::{Attribute as _, EventId, Timestamp};
use uuid::Uuid;

/// The seams to this machine.
pub(crate) fn system() -> Seams {
    Seams {
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeOrderedIds),
    }
}

/// The clock of this machine.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock seam's real side"
    )]
    fn now(&self) -> Timestamp {
        // A clock that was never set stands before the epoch on no machine that keeps a log.
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// UUIDs of version 7: they sort by the time at which they were given.
#[derive(Debug)]
struct TimeOrderedIds;

impl Ids for TimeOrderedIds {
    fn next(&self) -> EventId {
        let mut text = Uuid::encode_buffer();
        let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
        EventId::new(text).expect("a UUID has 36 plain characters")
    }
}
