//! Who is measured: Feedwire, and whom it is measured beside. Each is a process of its own on the server's core.

mod bare_hyper;
mod feedwire;
pub(crate) mod nchan;
mod redis;
mod serialized;

use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;

use crate::child::Child;
use crate::load::Protocol;

pub(crate) use feedwire::{Feedwire, PROJECT};

/// A peer that serves.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) protocol: Protocol,
}

pub(crate) use bare_hyper::start as bare_hyper;
pub(crate) use redis::start as redis;
pub(crate) use serialized::Serialized;

/// The address that a line ends with, after `http://`.
pub(crate) fn address_in(line: &str) -> anyhow::Result<SocketAddr> {
    let (_, address) = line.rsplit_once("http://").context("no address in it")?;
    address
        .parse()
        .with_context(|| format!("no address: {address}"))
}

/// A port that nobody has just now, for a program that cannot be told to take any.
fn free_port() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot find a free port")?;
    Ok(listener.local_addr()?)
}

/// Where nobody listens.
pub(crate) fn nobody() -> anyhow::Result<SocketAddr> {
    free_port()
}

fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.map(OsString::from).to_vec()
}
