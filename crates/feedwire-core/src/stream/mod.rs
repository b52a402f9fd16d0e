//! Streams: durable consumer groups over a project's log.
//!
//! `group` is the state machine, without any input or output. Everything else drives it: `keeper` has it count the log, tells it the
//! time and writes what is to be kept, as long as the project is open; `member` is a connection's side of it; `register` has the streams
//! of a project. What is promised stands in docs/concepts/streams.md.

mod aside;
mod error;
mod group;
mod keeper;
mod letters;
mod live;
mod manage;
mod member;
mod pushed;
mod register;
mod settings;
mod status;
mod stored;
#[cfg(all(test, not(feature = "shuttle")))]
mod tests;
mod window;

pub use error::Error;
pub use letters::{Letter, Which};
pub use manage::{Conflict, Overview, Revision, Status, Verdict};
pub use member::{Member, Sent, Settler, Turn};
pub use settings::*;
pub use status::{Held, Lag, Lost, MemberStatus, PartitionStatus, Standing};

pub(crate) use live::Ground;
pub(crate) use manage::covers;
pub(crate) use register::Streams;
