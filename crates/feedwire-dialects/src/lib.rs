//! The APIs that Feedwire speaks, as pure encoders and decoders: no I/O, no state.
//!
//! Each dialect is a folder of the same files: `request` (what is asked, from path, query and headers), `body` (what is sent, from
//! bytes), `event` (a record to bytes), `framing` (pages and streams around events), `answer` (every other answer) and
//! `error` (each error of the core as this dialect tells it). What all of them need stands beside the folders.
#![warn(missing_docs)]

pub mod aria;
mod ascii;
mod attributes;
mod base64;
mod beginning;
pub mod binary_mode;
mod cloudevents;
pub mod connector_answer;
pub mod connector_body;
pub mod connector_error;
mod content;
pub mod credential;
pub mod data_connector_answer;
pub mod data_connector_body;
pub mod data_connector_request;
mod day;
mod digits;
pub mod disruptive;
mod document;
pub mod entity_answer;
pub mod entity_body;
pub mod entity_error;
pub mod entity_request;
pub mod escape;
mod failure;
mod faults;
mod framing;
mod http_feeds;
mod idempotency_key;
mod iso8601;
pub mod lines;
pub mod load_answer;
pub mod load_body;
pub mod media;
mod members;
pub mod native;
mod object;
mod parted;
pub mod pushed;
pub mod query;
mod readings;
pub mod refusal;
pub mod serialized;
mod slots;
mod span;
pub mod state_framing;
pub mod stream_answer;
pub mod stream_body;
pub mod stream_error;
pub mod stream_framing;
mod uuids;
pub mod validic;
mod zone;

pub use cloudevents::Shape;
pub use content::Content;
pub use day::Day;
pub use document::Malformed;
pub use failure::Failure;
pub use framing::{Framing, MemberFraming, Unreadable};
pub use refusal::Refusal;
pub use zone::Zone;
