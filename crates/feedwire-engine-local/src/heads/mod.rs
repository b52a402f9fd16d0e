//! The heads of subjects: what version each is at, and where its last event stands.
//!
//! A head is found in one of two places. The *cache* has, at least, every head that the store does not have yet; the
//! store has all others. Only what is on disk in the log is applied to the store, some seconds later and many batches at
//! once, for subjects that are written often would else be written often there too. After a crash the log is read from
//! where the store stands; and the log is never trimmed past what the store has on disk.
//!
//! Versions are given out under the lock of [`Heads`], before the batch is on disk. When it then cannot be written, the
//! heads in the cache are of batches that never were: the next append first waits until every append under way has come
//! to its end, and forgets what the cache has of those that failed.

mod batch_keys;
mod cache;
pub(crate) mod catch_up;
mod floors;
mod listing;
mod pending;
mod removing;
mod table;

pub(crate) use batch_keys::BatchKeys;
pub(crate) use table::{Fetched, Heads, Lookup, Table};
