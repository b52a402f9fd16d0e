//! Validic's streaming API under `/validic`: streams that connections share, and the records of the last weeks once more.
//!
//! A record is an event in the feed `data`, of the record's type and about the user that it is of. What happens to connections of users and
//! to rules is in feeds of their own.

pub mod answer;
pub mod body;
pub mod error;
mod event;
pub mod framing;
pub mod refusal;
pub mod request;
