//! The store: one fjall database with a keyspace for what is primary, one for views and one for heads of subjects.

mod database;
mod heads;
mod keys;
mod primary;
mod view;

pub(crate) use database::{Error, Room, Store};
pub(crate) use keys::{feed_and_subject, head_key, heads_of_feed, heads_of_project};
pub(crate) use primary::LocalPrimary;
pub(crate) use view::{Applied, LocalView, Standing};
