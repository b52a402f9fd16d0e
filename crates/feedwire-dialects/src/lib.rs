//! The APIs that Feedwire speaks, as pure encoders and decoders: no I/O, no state.
//!
//! Each dialect is a folder of the same files: `request` (what is asked, from path, query and headers), `body` (what is sent, from
//! bytes), `event` (a record to bytes), `framing` (pages and streams around events), `answer` (every other answer) and
//! `error` (each error of the core as this dialect tells it). What all of them need stands beside the folders.
#![warn(missing_docs)]

mod attributes;
mod base64;
pub mod binary_mode;
mod cloudevents;
mod content;
pub mod credential;
mod digits;
pub mod escape;
mod framing;
mod http_feeds;
mod idempotency_key;
pub mod lines;
pub mod media;
pub mod native;
mod object;
pub mod query;
pub mod refusal;
mod slots;
mod span;

pub use cloudevents::Shape;
pub use content::Content;
pub use framing::{Framing, Unreadable};
pub use refusal::Refusal;
