//! What the edge counts of what it does: requests, connections, streams.

mod connections;
mod handshakes;
mod requests;
mod streams;

pub(crate) use connections::Connections;
pub(crate) use handshakes::{Handshake, Handshakes};
pub(crate) use requests::{Kind, Requests};
pub(crate) use streams::{Ending, Stream, Streams};
