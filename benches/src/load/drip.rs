//! A few writes beside a load, at a fixed rate, from a thread of their own.
//!
//! The thread waits nearly always, and shares the generator's core: the load takes no notice of it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::anyhow;

use super::{Fill, Request};
use crate::clock;

#[derive(Debug)]
pub(crate) struct Drip {
    /// The writer ends once this has gone.
    running: SyncSender<Infallible>,
    writer: JoinHandle<anyhow::Result<u64>>,
}

impl Drip {
    /// Sends `request` as it is, `rate` times a second, each when the one before it is answered.
    pub(crate) fn start(address: SocketAddr, request: Request, rate: u32) -> anyhow::Result<Self> {
        let fill = Fill::open(address)?;
        let (running, ended) = sync_channel(0);
        let writer = std::thread::spawn(move || write(fill, request, rate, &ended));
        Ok(Self { running, writer })
    }

    /// Ends it; tells how many requests were sent and answered.
    pub(crate) fn end(self) -> anyhow::Result<u64> {
        drop(self.running);
        let ended = self.writer.join();
        ended.map_err(|_panic| anyhow!("who was to write panicked"))?
    }
}

fn write(
    mut fill: Fill,
    mut request: Request,
    rate: u32,
    ended: &Receiver<Infallible>,
) -> anyhow::Result<u64> {
    let start = clock::now();
    let mut written = 0;
    loop {
        let due = start + Duration::from_secs(1) * written / rate;
        let wait = due.saturating_duration_since(clock::now());
        match ended.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => fill.publish(&mut request, 0, 1)?,
            Err(RecvTimeoutError::Disconnected) => return Ok(written.into()),
        }
        written += 1;
    }
}
