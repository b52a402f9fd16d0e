//! Streams: durable consumer groups over a project's log.
//!
//! `group` is the state machine, without any input or output. Everything else drives it: `live` has it count the log, tells it the time
//! and keeps what is to be kept; `member` is a connection's side of it; `register` has the streams of a project.

mod group;
mod settings;
mod status;

pub use settings::*;
pub use status::{Held, Lag, Lost, MemberStatus, PartitionStatus, Standing};
