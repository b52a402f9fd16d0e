//! A connection on which a member of a stream acknowledges, in bulk: whatever has come while the last answer was on its way.

use std::net::SocketAddr;

use anyhow::ensure;
use memchr::memmem;
use mio::event::Event;
use mio::{Registry, Token};

use super::asker::Asker;
use super::stream::Receipts;
use super::{Protocol, Request};

pub(super) struct Acker {
    asker: Asker,
    address: SocketAddr,
    path: String,
    is_free: bool,
}

impl Acker {
    /// One for the stream at `path`.
    pub(super) fn open(
        address: SocketAddr,
        path: &str,
        registry: &Registry,
        token: Token,
    ) -> anyhow::Result<Self> {
        let path = format!("{path}/ack");
        let request = Request::post_json(address, &path, "{}");
        Ok(Self {
            asker: Asker::open(address, &request, registry, token)?,
            address,
            path,
            is_free: true,
        })
    }

    pub(super) fn is_free(&self) -> bool {
        self.is_free
    }

    /// Everything through `receipts` is done.
    pub(super) fn acknowledge(&mut self, receipts: &Receipts) -> anyhow::Result<()> {
        if receipts.is_empty() {
            return Ok(());
        }
        let receipts: Vec<String> = receipts.values().map(|one| format!("\"{one}\"")).collect();
        let body = format!("{{\"through\":[{}]}}", receipts.join(","));
        self.is_free = false;
        self.asker
            .send(Request::post_json(self.address, &self.path, &body))
    }

    /// Goes on with what is on its way.
    pub(super) fn go_on(&mut self, happened: &Event) -> anyhow::Result<()> {
        if happened.is_writable() {
            self.asker.write()?;
        }
        if happened.is_readable()
            && let Some(answer) = self.asker.read(Protocol::Http)?
        {
            let is_taken = memmem::find(answer, br#""refused":[]"#).is_some();
            ensure!(is_taken, "not acknowledged: {}", answer.escape_ascii());
            self.is_free = true;
        }
        Ok(())
    }
}
