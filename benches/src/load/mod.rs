//! The load generator: one thread over epoll, requests built beforehand, answers understood as far as needed.

mod answer;
mod ask;
mod closed;
mod request;

pub(crate) use answer::Protocol;
pub(crate) use ask::ask;
pub(crate) use closed::{Closed, Measured};
pub(crate) use request::Request;
