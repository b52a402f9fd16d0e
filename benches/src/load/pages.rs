//! Pages, one after the other on one connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context as _, bail};
use memchr::memmem;

use super::stream::Tally;
use super::{Protocol, Request};
use crate::event::read_digits;
use crate::interrupt;

/// How much is received at once.
const ROOM_BYTES: usize = 256 * 1024;

/// The largest page with its head.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// Longest silence of a server that is asked.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Pages {
    socket: TcpStream,
    address: SocketAddr,
    answer: Vec<u8>,
    /// Bytes that came, heads among them.
    pub(crate) bytes: u64,
}

/// A page as it lies in the answer.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    body: &'a [u8],
}

impl Pages {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(address).context("cannot connect")?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            socket,
            address,
            answer: vec![0; ROOM_BYTES],
            bytes: 0,
        })
    }

    pub(crate) fn get(&mut self, path: &str) -> anyhow::Result<Page<'_>> {
        self.fetch(&Request::get(self.address, path, "application/json"))
    }

    pub(crate) fn fetch(&mut self, request: &Request) -> anyhow::Result<Page<'_>> {
        interrupt::check()?;
        self.socket.write_all(request.bytes())?;
        let body = self.receive()?;
        Ok(Page {
            body: &self.answer[body],
        })
    }

    fn receive(&mut self) -> anyhow::Result<Range<usize>> {
        let mut filled = 0;
        loop {
            if filled == self.answer.len() {
                if filled >= PAGE_BYTES_MAX {
                    bail!("a page without an end");
                }
                self.answer.resize(filled * 2, 0);
            }
            match self.socket.read(&mut self.answer[filled..])? {
                0 => bail!("the connection was closed"),
                read => filled += read,
            }
            if let Some(answer) = Protocol::Http.answer(&self.answer[..filled])? {
                self.bytes += filled as u64;
                return Ok(answer.body);
            }
        }
    }
}

impl Page<'_> {
    /// Its events; their positions are not looked at.
    pub(crate) fn tally(&self) -> Tally {
        const NUMBER: &[u8] = b"\"n\":\"";
        let mut tally = Tally::default();
        for at in memmem::find_iter(self.body, NUMBER) {
            tally.events += 1;
            tally.numbers += read_digits(&self.body[at + NUMBER.len()..]);
        }
        tally
    }

    /// The cursor to ask for the next page with.
    pub(crate) fn cursor(&self) -> anyhow::Result<String> {
        const CURSOR: &[u8] = b"\"cursor\":\"";
        let at = memmem::rfind(self.body, CURSOR).context("a page without a cursor")?;
        let rest = &self.body[at + CURSOR.len()..];
        let end = memchr::memchr(b'"', rest).context("a cursor without an end")?;
        Ok(String::from_utf8(rest[..end].to_vec())?)
    }

    /// Whether it has the last of the states.
    pub(crate) fn is_marked(&self) -> bool {
        memmem::rfind(self.body, b"\"mark\":").is_some()
    }

    pub(crate) fn has_more(&self) -> bool {
        memmem::rfind(self.body, b"\"has_more\":true").is_some()
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.body
    }
}
