//! From a batch that is submitted to records that are on disk.
//!
//! `submit` gives positions and makes room, under the intake's lock. The committer's thread writes what is queued, syncs
//! it, and tells; what went wrong it mends before it writes again. Full segments are sealed on a thread of their own.

mod committer;
mod intake;
mod mend;
mod room;
mod seal;

pub(crate) use committer::Committer;
pub(crate) use intake::Intake;
pub(crate) use mend::rewrite;
use room::Room;
pub(crate) use room::{Plan, RESERVE, is_no_space};
pub(crate) use seal::{Unsealed, crc64, seal};
