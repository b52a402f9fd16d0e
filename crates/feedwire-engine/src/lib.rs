//! The seam between Feedwire and where its log and store live.
//!
//! An [`Engine`] holds a [`Log`] for each project and a store in two classes: [`Primary`], which is truth of its own, and
//! [`View`], which can be rebuilt from the log. The [`memory`] engine keeps everything in memory; the [`mod@contract`] suite
//! says in tests what every engine promises (feature `contract`).
#![warn(missing_docs)]

mod batch;
#[cfg(feature = "contract")]
pub mod contract;
mod engine;
mod log;
mod marks;
pub mod memory;
mod min_free;
mod record;
mod repeat;
mod scope;
mod stats;
mod store;
mod watchers;

pub use batch::{Batch, BatchError, Expectation, Expected, Forgotten, NewRecord};
pub use engine::{CreateError, DeleteError, Engine, OpenError, Unavailable};
pub use log::{
    AppendError, Appended, Bounds, Erasure, Expired, FeedTrim, Head, Incarnation, Limit, Log,
    ReadError, Retention,
};
pub use marks::{Mark, MarkOf, Marked};
pub use min_free::MinFree;
pub use record::{Chunk, Place, Record, Stamp};
pub use repeat::{Judge, Verdict};
pub use scope::Scope;
pub use stats::{Disk, LogStats};
pub use store::{
    Change, Changes, Entry, Left, Misapplied, Missed, Precondition, Primary, PutError, Revision,
    Space, View, Write,
};
pub use watchers::Watchers;
