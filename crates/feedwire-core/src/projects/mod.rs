//! The projects there are, and which of them are open.
//!
//! [`open::Projects`] opens a project when it is first used and lets go of it when nobody uses it any more; the [`register`] knows
//! all of them by name. Making, opening, closing and deleting take [`turns`], name by name.

mod away;
pub mod create;
pub mod delete;
mod gate;
mod idle;
mod limits;
mod list;
mod open;
mod past;
mod patrol;
mod record;
mod register;

pub use list::Listed;

pub(crate) use gate::Gate;
pub(crate) use open::{Bounds, Projects};
