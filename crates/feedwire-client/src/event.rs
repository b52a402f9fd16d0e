//! An event as it was read.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// An event out of a page or a stream: its JSON as the server sent it, and its attributes.
#[derive(Clone, Debug)]
pub struct Event {
    json: Box<str>,
    attributes: feedwire_api::Event,
}

/// What was sent as an event is none.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// Where it is, if that much can be read.
    pub(crate) position: Option<u64>,
    pub(crate) source: serde_json::Error,
}

impl Event {
    pub(crate) fn new(json: Box<str>) -> Result<Self, Unreadable> {
        match serde_json::from_str(&json) {
            Ok(attributes) => Ok(Self { json, attributes }),
            Err(source) => Err(Unreadable {
                position: position(&json),
                source,
            }),
        }
    }

    /// The event that `json` is, as a server writes it: that of a dead letter, for one.
    pub fn from_json(json: &str) -> serde_json::Result<Self> {
        Self::new(json.into()).map_err(|unreadable| unreadable.source)
    }

    /// The whole event as one line of JSON, byte for byte as it came.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Its attributes.
    pub fn attributes(&self) -> &feedwire_api::Event {
        &self.attributes
    }

    /// Its data as a `T`; `null` where it has none.
    pub fn data<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        let data = self.attributes.data.as_ref();
        serde_json::from_str(data.map_or("null", |data| data.get()))
    }
}

fn position(json: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Placed {
        position: u64,
    }
    let placed = serde_json::from_str::<Placed>(json).ok()?;
    Some(placed.position)
}
