//! A connection on which a stream of events is received.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, bail};
use mio::event::Source as _;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::Request;
use super::stream::{Framing, Receipts, Stream, Tally};
use crate::clock;

#[derive(Debug)]
pub(super) struct Reader {
    socket: TcpStream,
    stream: Stream,
    bytes: u64,
}

impl Reader {
    /// Connects and asks.
    pub(super) fn open(
        address: SocketAddr,
        request: &Request,
        framing: Framing,
        registry: &Registry,
        token: Token,
    ) -> anyhow::Result<Self> {
        let mut socket = std::net::TcpStream::connect(address).context("cannot connect")?;
        socket.write_all(request.bytes()).context("cannot ask")?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        socket.register(registry, token, Interest::READABLE)?;
        Ok(Self {
            socket,
            stream: Stream::new(framing),
            bytes: 0,
        })
    }

    /// Takes what has come, by way of `room`; `event` is told the number of every event, and when it had come.
    pub(super) fn read(
        &mut self,
        room: &mut [u8],
        mut event: impl FnMut(u64, Instant) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        loop {
            let read = match self.socket.read(room) {
                Ok(0) if self.stream.has_ended() => return Ok(()),
                Ok(0) => bail!("the server ended a stream"),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("cannot receive"),
            };
            self.bytes += read as u64;
            let now = clock::now();
            self.stream
                .feed(&room[..read], |number| event(number, now))?;
            // The socket is empty when it gave less than was asked for.
            if read < room.len() {
                return Ok(());
            }
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.stream.has_begun()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.stream.has_ended()
    }

    /// What came since this was asked last.
    pub(super) fn take_receipts(&mut self) -> Receipts {
        self.stream.take_receipts()
    }

    pub(super) fn tally(&self) -> Tally {
        self.stream.tally()
    }

    /// Bytes that came, heads and chunk sizes among them.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
