//! Streams, as the native API takes and tells them.

pub mod answer;
pub mod body;
pub mod error;
pub mod framing;
