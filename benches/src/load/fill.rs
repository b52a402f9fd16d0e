//! Filling a server with what it is to have, one request after the other.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::{Protocol, Request};
use crate::interrupt;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Fill {
    socket: TcpStream,
    answer: Box<[u8]>,
}

impl Fill {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(address).context("cannot connect")?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            socket,
            answer: vec![0; 4 * 1024].into_boxed_slice(),
        })
    }

    /// Sends `request`, its events with the numbers from `first` on and `subjects` subjects in turn, and waits for the answer.
    pub(crate) fn publish(
        &mut self,
        request: &mut Request,
        first: u64,
        subjects: u64,
    ) -> anyhow::Result<()> {
        request.number(first, subjects);
        self.send(request)
    }

    /// Sends `request` as it is, and waits for the answer.
    pub(crate) fn send(&mut self, request: &Request) -> anyhow::Result<()> {
        interrupt::check()?;
        self.socket.write_all(request.bytes())?;
        let mut filled = 0;
        while Protocol::Http.answer(&self.answer[..filled])?.is_none() {
            match self.socket.read(&mut self.answer[filled..])? {
                0 => bail!("the connection was closed"),
                read => filled += read,
            }
        }
        Ok(())
    }
}
