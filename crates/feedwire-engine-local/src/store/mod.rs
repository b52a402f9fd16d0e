//! The store: one fjall database with a keyspace for what is primary, one for views and one for heads of subjects.

mod database;
mod heads;
mod keys;
mod primary;
mod view;

pub(crate) use database::{Error, Store};
pub(crate) use keys::head_key;
pub(crate) use primary::LocalPrimary;
pub(crate) use view::{Applied, LocalView, Standing};
