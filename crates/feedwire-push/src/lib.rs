//! The outbound edge: connectors, which push what their streams are of to a URL.
//!
//! Start with [`Push`], which keeps a task for each connector that is active and does what is asked of one.
#![warn(missing_docs)]

mod push;

pub use push::{Letters, Made, Push, Replaying, Rotated};
