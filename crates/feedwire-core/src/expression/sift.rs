//! Holding an expression against many events without keeping others waiting.
//!
//! It is the last test, and the one that costs most, so it is made where the reader that asks takes its events, behind every lock; others
//! get their turn again and again meanwhile.

use feedwire_engine::Record;
use feedwire_event::Position;
use tokio::task::yield_now;

use super::Expression;
use crate::delivery::Delivered;
use crate::labels::LabelTable;

/// Bytes that are looked at before others get their turn: about a millisecond.
const TURN_BYTES: usize = 1024 * 1024;
/// Bytes that are looked at in one go, but for what is left of a batch. A reader that is interrupted loses no more than this.
const SIFT_BYTES: usize = 64 * 1024 * 1024;

/// What is left of events.
#[derive(Debug)]
pub(crate) struct Sifted {
    /// Those that pass.
    pub(crate) events: Vec<Delivered>,
    /// The end of the batch behind which no more was looked at; `None` where all was.
    pub(crate) through: Option<Position>,
}

impl Expression {
    /// Those of `events` that pass, with the labels that `labels` has for their subjects. What is looked at are whole batches.
    pub(crate) async fn sift(&self, events: Vec<Delivered>, labels: &LabelTable) -> Sifted {
        let (mut passing, mut spent, mut turns) = (Vec::new(), 0, 0);
        let mut events = events.into_iter().peekable();
        while let Some(event) = events.next() {
            let record = event.record();
            let (batch, end) = (record.batch(), batch_end(record));
            let (passes, cost) = self.passes(record, labels);
            spent += cost;
            if passes {
                passing.push(event);
            }
            let is_parted = events
                .peek()
                .is_some_and(|next| next.record().batch() != batch);
            if spent >= SIFT_BYTES && is_parted {
                return Sifted {
                    events: passing,
                    through: Some(end),
                };
            }
            if spent / TURN_BYTES > turns {
                turns = spent / TURN_BYTES;
                yield_now().await;
            }
        }
        Sifted {
            events: passing,
            through: None,
        }
    }

    /// Those of `items` whose records pass, with the labels that `labels` has for their subjects. They are few: all are looked at.
    pub(crate) async fn retain<T>(
        &self,
        items: Vec<T>,
        record: impl Fn(&T) -> &Record,
        labels: &LabelTable,
    ) -> Vec<T> {
        let (mut passing, mut spent) = (Vec::new(), 0);
        for item in items {
            let (passes, cost) = self.passes(record(&item), labels);
            spent += cost;
            if passes {
                passing.push(item);
            }
            if spent > TURN_BYTES {
                spent = 0;
                yield_now().await;
            }
        }
        passing
    }

    /// Whether `record` passes, with the labels that `labels` has for its subject; and what it cost to know, in bytes looked at.
    pub(crate) fn passes(&self, record: &Record, labels: &LabelTable) -> (bool, usize) {
        let subject = record.subject().filter(|_| self.names_labels());
        let labels = subject.and_then(|subject| labels.get(subject));
        self.holds(record, labels.as_deref())
    }
}

fn batch_end(record: &Record) -> Position {
    let last = u64::from(record.stamp().place.count.saturating_sub(1));
    Position::new(record.batch().get() + last).unwrap_or_else(|| record.position())
}
