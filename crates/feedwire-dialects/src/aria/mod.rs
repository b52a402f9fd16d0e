//! Aria's data feed under `/aria`: how entities change, and their states as they are loaded.
//!
//! An entity is told by the feed that it is in, which is its type, and by its ids. The change feed tells of it what came to be, changed and
//! went; the load feed its whole state, as load jobs write it.

pub mod answer;
pub mod body;
pub mod error;
mod event;
pub mod framing;
pub mod refusal;
pub mod request;
