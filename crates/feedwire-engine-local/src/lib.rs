//! The embedded engine: every project's log and the store in one folder, for one process.
//!
//! | path | what |
//! |---|---|
//! | `feedwire.meta` | the format of the folder |
//! | `lock` | held by the process that has the folder open |
//! | `projects/NAME/` | the log of a project, see `feedwire-log` |
//! | `projects/NAME~new/` | what is not made yet |
//! | `projects/NAME~gone/` | what remains of a project that is deleted, until nothing of it is in the store either |
//! | `store/` | the key-value store: primary, views, and the heads of subjects |
//!
//! The heads of subjects (version and last position) are a view of the logs that the engine keeps itself, so that
//! expectations hold for subjects whose events are long gone. How they stay right is said in `heads/mod.rs`.
#![warn(missing_docs)]

mod append;
mod applier;
mod blocking;
mod deleting;
mod engine;
mod folder;
mod heads;
mod log;
mod marks;
mod open;
mod projects;
mod store;
mod words;

pub use engine::Local;
pub use open::{Error, Options};
