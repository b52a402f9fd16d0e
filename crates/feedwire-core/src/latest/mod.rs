//! The latest event of each type of a subject, for feeds that were asked for it.

mod keep;
mod kept;
mod keys;
mod tell;

pub(crate) use kept::Latest;
