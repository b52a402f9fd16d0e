//! Serialized's API under `/serialized`: feeds polled by entries, aggregates saved in batches, tenants.
//!
//! An aggregate type is a feed, an aggregate a subject of it, whose id is a UUID. An **entry** is a run: neighbouring events of one batch
//! with one feed and one subject. Its sequence number is the position of the last of them.

pub mod answer;
pub mod body;
pub mod error;
mod event;
pub mod framing;
pub mod refusal;
pub mod request;
