//! Being a member of a stream.
//!
//! [`Join`] is what is asked for, [`Membership`] the connection with what comes over it, and `run` has each event dealt with: `hand`
//! holds those that are there and says which is next, `settling` what is to be said about those that are dealt with.

mod delivery;
mod error;
mod hand;
mod join;
mod membership;
mod run;
mod settling;

pub use delivery::Delivery;
pub use error::Error;
pub use join::{Join, Notice};
pub use membership::{Membership, Turn};
