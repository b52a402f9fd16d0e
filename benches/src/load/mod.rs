//! The load generator: one thread over epoll, requests built beforehand, answers understood as far as needed.

mod acker;
mod answer;
mod ask;
mod asker;
mod closed;
mod crowd;
mod drip;
mod fanout;
mod fill;
mod job;
mod lines;
mod member;
mod pages;
mod reader;
mod receiver;
mod request;
mod stream;
mod swallow;
#[cfg(test)]
mod tests;
mod ticker;
mod waiters;

pub(crate) use answer::Protocol;
pub(crate) use ask::{ask, post_form};
pub(crate) use closed::{Closed, Measured};
pub(crate) use crowd::{Audience, Crowd, Nobody};
pub(crate) use drip::Drip;
pub(crate) use fanout::{Delivered, Fanout, Pace};
pub(crate) use fill::Fill;
pub(crate) use job::Job;
pub(crate) use member::member;
pub(crate) use pages::Pages;
pub(crate) use receiver::{FAILING, Receiver, Taken};
pub(crate) use request::Request;
pub(crate) use stream::{Framing, Tally};
pub(crate) use swallow::swallow;
pub(crate) use waiters::{Begin, Waiters};
