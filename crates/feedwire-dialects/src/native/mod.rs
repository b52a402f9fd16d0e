//! The native API under `/v1`: CloudEvents inside, problem documents for errors.

pub mod answer;
pub mod body;
pub mod error;
pub(crate) mod event;
pub mod framing;
pub mod refusal;
pub mod request;
