//! Counts of what is done, kept where it is done: a relaxed addition each, and a plain copy for whoever asks.
//!
//! Beside them, whether what is tried again and again is failing, so that a log is told of it once.
//!
//! Nothing here has a name or a unit of its own: what a number means stands beside the field that holds it, and what it is
//! called for an operator is decided at the edge.
#![warn(missing_docs)]

mod count;
mod histogram;
mod level;
mod outage;

pub use count::Count;
pub use histogram::{Distribution, Histogram};
pub use level::{Entered, Level};
pub use outage::Outage;
