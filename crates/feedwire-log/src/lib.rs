//! A segmented, append-only log in a folder: records in, positions out.
//!
//! A [`Log`] knows no JSON and no tokio: tags and payloads are bytes, calls block, and everything is `Send + Sync`.
//! [`Log::submit`] hands a [`Batch`] over without waiting for the disk; [`Log::append`] waits. What a reading returns, and
//! what [`Bounds::last`] says, is on disk.
//!
//! The format, and the reasons for it: `docs/internals/log_format.md`.
#![warn(missing_docs)]

pub mod append;
pub mod batch;
pub mod check;
mod damage;
mod fault;
mod format;
mod index;
mod log;
pub mod maintain;
pub mod open;
mod options;
pub mod read;
mod record;
mod scan;
mod scope;
mod segment;
mod shared;
mod stats;
mod storage;
pub mod submit;
mod writer;

pub use batch::{Batch, NewRecord};
pub use damage::Damage;
pub use log::{Bounds, Erasure, FeedTrim, Keep, Log, Submitted};
pub use options::Options;
pub use record::Record;
pub use scope::{Chunk, Limit, Scope};
pub use stats::Stats;

/// Positions are below this: they fit the integers that JSON can bear.
pub const POSITION_END: u64 = 1 << 53;

#[cfg(test)]
mod tests;
