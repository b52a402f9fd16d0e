//! Streams: events that are shared by members.

use anyhow::ensure;
use serde_json::json;

use super::bench::Bench;
use super::{streams_shared, streams_taken_over};
use crate::load::{Fill, Request};
use crate::peers::{Feedwire, PROJECT};
use crate::report::Report;

pub(super) const FEED: &str = "flights";
pub(super) const SUBJECTS: u64 = 4_000;
pub(super) const EVENT_BYTES: usize = 200;

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    streams_shared::run(bench, report)?;
    streams_taken_over::run(bench, report)
}

/// Makes a stream that starts now; returns where it is.
pub(super) fn make(
    server: &Feedwire,
    name: &str,
    mode: &str,
    members: usize,
) -> anyhow::Result<String> {
    let settings = json!({"name": name, "mode": mode, "members_max": members, "start": "now"});
    post(server, &format!("{PROJECT}/streams"), &settings.to_string())?;
    Ok(format!("{PROJECT}/streams/{name}"))
}

pub(super) fn post(server: &Feedwire, path: &str, body: &str) -> anyhow::Result<()> {
    let address = server.peer.address;
    Fill::open(address)?.send(&Request::post_json(address, path, body))
}

/// Publishes events with the numbers below `events`.
pub(super) fn fill(server: &Feedwire, events: u64) -> anyhow::Result<()> {
    const BATCH: u64 = 1_000;
    ensure!(events.is_multiple_of(BATCH), "whole batches");
    let address = server.peer.address;
    let path = Feedwire::publish_path(FEED);
    let mut batch = Request::post(address, &path, usize::try_from(BATCH)?, EVENT_BYTES);
    let mut fill = Fill::open(address)?;
    for first in (0..events).step_by(usize::try_from(BATCH)?) {
        fill.publish(&mut batch, first, SUBJECTS)?;
    }
    Ok(())
}
