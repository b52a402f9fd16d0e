//! A connection on which one request after the other is sent.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use mio::event::Source as _;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::{Protocol, Request};
use crate::clock;

/// Room for an answer to a publish, with its head; it grows with one that is longer.
const ANSWER_BYTES: usize = 2 * 1024;

/// The longest answer, with its head.
const ANSWER_BYTES_MAX: usize = 1 << 20;

pub(super) struct Asker {
    socket: TcpStream,
    request: Request,
    written: usize,
    pub(super) asked: Instant,
    answer: Vec<u8>,
    filled: usize,
}

impl Asker {
    pub(super) fn open(
        address: SocketAddr,
        request: &Request,
        registry: &Registry,
        token: Token,
    ) -> anyhow::Result<Self> {
        let socket = std::net::TcpStream::connect(address).context("cannot connect")?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        let both = Interest::READABLE | Interest::WRITABLE;
        socket.register(registry, token, both)?;
        Ok(Self {
            socket,
            request: request.clone(),
            written: request.bytes().len(),
            asked: clock::now(),
            answer: vec![0; ANSWER_BYTES],
            filled: 0,
        })
    }

    /// Begins to send the request, its events with the numbers from `first` on and `subjects` subjects in turn.
    pub(super) fn ask(&mut self, first: u64, subjects: u64, now: Instant) -> anyhow::Result<()> {
        self.request.number(first, subjects);
        self.asked = now;
        self.written = 0;
        self.write()
    }

    /// Begins to send another request.
    pub(super) fn send(&mut self, request: Request) -> anyhow::Result<()> {
        self.request = request;
        self.written = 0;
        self.write()
    }

    /// Sends what the socket takes of the request.
    pub(super) fn write(&mut self) -> anyhow::Result<()> {
        while self.written < self.request.bytes().len() {
            #[expect(clippy::disallowed_methods, reason = "the rest is kept")]
            match self.socket.write(&self.request.bytes()[self.written..]) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("cannot send"),
            }
        }
        Ok(())
    }

    /// Takes what has come; tells the body of the answer once it is whole.
    pub(super) fn read(&mut self, protocol: Protocol) -> anyhow::Result<Option<&[u8]>> {
        loop {
            match self.socket.read(&mut self.answer[self.filled..]) {
                Ok(0) => bail!(
                    "the connection was closed after {}",
                    self.answer[..self.filled].escape_ascii()
                ),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("cannot receive"),
            }
            // The socket is empty when it gave less than there was room for.
            if self.filled < self.answer.len() {
                break;
            }
            ensure!(self.filled < ANSWER_BYTES_MAX, "an answer without an end");
            self.answer.resize(self.filled * 2, 0);
        }
        let Some(answer) = protocol.answer(&self.answer[..self.filled])? else {
            return Ok(None);
        };
        self.filled = 0;
        Ok(Some(&self.answer[answer.body]))
    }
}
