//! Why something inside could not be done; each operation's own error is made of it.

use std::io;

use crate::Damage;

#[derive(Debug)]
pub(crate) enum Fault {
    /// A page of an index is not what was written: the index is to be made anew.
    Index,
    /// The segment's file was written anew or removed since it was looked up: begin again.
    Stale,
    /// A segment is damaged.
    Damaged {
        /// A position at or before the damage.
        position: u64,
        damage: Damage,
    },
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
