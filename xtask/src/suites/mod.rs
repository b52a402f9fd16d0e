//! Every test suite of the project, and getting hold of what they need.
//!
//! What is downloaded stays below the target folder, in `tools`; system packages are installed only where that is the
//! last way left and only by root.

mod apt;
mod client_tests;
mod command;
mod nextest;
mod python;
mod run;
mod soak;
mod workspace;

pub(crate) use run::{Suite, run};
pub(crate) use soak::{Soak, soak};
pub(crate) use workspace::Workspace;
