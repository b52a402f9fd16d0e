//! Ids that are the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};

use feedwire_core::Ids;
use feedwire_event::{Attribute, EventId};

/// Gives `id-1`, `id-2` and so on.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn next(&self) -> EventId {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        EventId::new(&format!("id-{number}")).expect("a short text")
    }
}
