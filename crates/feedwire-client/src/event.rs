//! An event as it was read.

use serde::de::DeserializeOwned;

/// An event out of a page or a stream: its JSON as the server sent it, and its attributes.
#[derive(Clone, Debug)]
pub struct Event {
    json: Box<str>,
    attributes: feedwire_api::Event,
}

impl Event {
    pub(crate) fn new(json: Box<str>) -> serde_json::Result<Self> {
        let attributes = serde_json::from_str(&json)?;
        Ok(Self { json, attributes })
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
