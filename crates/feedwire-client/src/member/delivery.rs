//! An event that a member is sent, and what it is acknowledged by.

use std::fmt;

use crate::Event;

/// An event that a member of a stream is sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// What it is acknowledged by; `None` in a stream where nothing is.
    pub receipt: Option<String>,
    /// The how-manieth time it was sent, where it has a receipt.
    pub attempt: Option<u64>,
}

/// What a receipt says: a partition, the generation of its lease, and a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) partition: u64,
    pub(super) generation: u64,
    pub(super) position: u64,
}

impl Delivery {
    pub(super) fn new(event: Event) -> Self {
        let attributes = event.attributes();
        Self {
            receipt: attributes.receipt.clone(),
            attempt: attributes.attempt,
            event,
        }
    }

    /// What its receipt says.
    pub(super) fn place(&self) -> Option<Place> {
        let mut parts = self.receipt.as_deref()?.split('.').map(str::parse);
        let mut part = || parts.next()?.ok();
        Some(Place {
            partition: part()?,
            generation: part()?,
            position: part()?,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            generation,
            position,
        } = self;
        write!(f, "{partition}.{generation}.{position}")
    }
}

/// The event at `position` about `subject`, as it is sent with the receipt `receipt` for the `attempt`th time.
#[cfg(test)]
pub(super) fn delivery(subject: &str, receipt: Place, attempt: u64) -> Delivery {
    let position = receipt.position;
    let json = format!(
        r#"{{"id":"e","source":"/s","type":"t","subject":"{subject}","time":"","feed":"f","position":{position},"recordedat":"","receipt":"{receipt}","attempt":{attempt}}}"#
    );
    Delivery::new(Event::from_json(&json).expect("an event"))
}
