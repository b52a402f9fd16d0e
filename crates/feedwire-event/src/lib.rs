//! The vocabulary of Feedwire, shared by every other crate.
//!
//! A value of one of these types cannot be wrong: names, subjects and JSON are checked when they are made, and nothing
//! further in checks them again. The words themselves are explained in `ARCHITECTURE.md`.
#![warn(missing_docs)]

pub mod entity;
mod event;
pub mod json;
mod key;
mod labels;
pub mod limits;
mod name;
pub mod payload;
mod position;
mod subject;
mod text;
mod timestamp;

pub use entity::{Change, ChangeKind, ChangeText, Difference, Ids, Patch, State};
pub use event::{Attribute, AttributeError, Data, Event, EventId, Extensions, Source};
pub use key::{IdempotencyKey, KeyError};
pub use labels::{Labels, LabelsError};
pub use name::{ConnectorName, FeedName, NameError, ProjectName, StreamName, TypeName};
pub use payload::Payload;
pub use position::{Cursor, CursorError, Position, Version};
pub use subject::{Subject, SubjectError};
pub use timestamp::{Timestamp, TimestampError};
