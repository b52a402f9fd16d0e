//! Readers that wait: what each costs while nothing happens, and while what happens concerns others.

use std::time::Duration;

use anyhow::ensure;

use super::bench::Bench;
use super::{idle_still, idle_subjects};
use crate::load::{Audience as _, Crowd, Framing, Request};
use crate::peers::Peer;
use crate::report::Report;

/// A process may commonly have 20,000 descriptors, and Feedwire takes 16,000 connections.
const READERS: usize = 10_000;

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    idle_still::run(bench, report)?;
    idle_subjects::run(bench, report)?;
    report.paragraph(
        "Memory is the server's own (its proportional set size); what the kernel keeps for a socket is not in it. 50,000 readers are \
         left out: a server takes 16,000 connections, below the 20,000 descriptors that a process may commonly have.",
    );
    Ok(())
}

pub(super) fn readers(bench: &Bench<'_>) -> usize {
    if bench.is_quick {
        READERS / 10
    } else {
        READERS
    }
}

/// Readers of `stream`, and the bytes of memory that each costs the server.
pub(super) fn settle(
    peer: &Peer,
    count: usize,
    stream: impl Fn(usize) -> String,
) -> anyhow::Result<(Crowd, f64)> {
    let (crowd, before) = gather(peer, count, stream)?;
    let each = memory_each(before, peer, count)?;
    Ok((crowd, each))
}

/// Readers of `stream`, and the bytes of memory that the server had without them.
pub(super) fn gather(
    peer: &Peer,
    count: usize,
    stream: impl Fn(usize) -> String,
) -> anyhow::Result<(Crowd, u64)> {
    // What the first reader of all makes the server set up is no reader's.
    let request = |index| Request::get(peer.address, &stream(index), "text/event-stream");
    drop(Crowd::open(peer.address, 1, Framing::Sse, request)?);
    let before = peer.child.memory()?;
    let crowd = Crowd::open(peer.address, count, Framing::Sse, request)?;
    Ok((crowd, before))
}

/// The bytes of memory that each of `count` costs the server, which had `before` without them.
pub(super) fn memory_each(before: u64, peer: &Peer, count: usize) -> anyhow::Result<f64> {
    let after = peer.child.memory()?;
    ensure!(
        after > before,
        "{count} readers cost nothing, which cannot be"
    );
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let each = (after - before) as f64 / count as f64;
    Ok(each)
}

/// Takes what comes to `crowd`, heartbeats above all, for `span`.
pub(super) fn wait(crowd: &mut Crowd, span: Duration) -> anyhow::Result<()> {
    let end = crate::clock::now() + span;
    while crate::clock::now() < end {
        crowd.wait(crate::interrupt::LOOK)?;
        crowd.take(&mut crate::load::Nobody)?;
    }
    Ok(())
}
