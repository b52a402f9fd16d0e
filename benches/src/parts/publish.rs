//! Publishing: what a closed loop of so many connections gets acknowledged.

use std::time::Duration;

use anyhow::Context as _;

use super::bench::Bench;
use super::{publish_batches, publish_one};
use crate::figures::{per_second, seconds};
use crate::load::{Closed, Measured, Protocol, Request};
use crate::peers::{Feedwire, Peer};
use crate::report::Report;
use crate::usage::Spell;

const SPAN: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(1);
pub(super) const FEED: &str = "flights";
/// Where the bare server takes what is published.
const BARE_PATH: &str = "/publish";

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    publish_one::run(bench, report)?;
    publish_batches::run(bench, report)
}

/// What is published, and by how many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) connections: usize,
    pub(super) batch: usize,
    pub(super) event_bytes: usize,
    pub(super) subjects: u64,
}

/// What a peer made of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) events: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// Parts of a core.
    pub(super) server: f64,
    pub(super) generator: f64,
}

impl Figures {
    /// Seconds of a core that the server spends on an event: steadier than what it reaches where others use the machine too.
    pub(super) fn cpu_each(&self) -> f64 {
        self.server / self.events
    }
}

/// What Feedwire makes of it, over a folder of its own.
pub(super) fn feedwire(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Figures> {
    let server = bench.feedwire()?;
    let (figures, measured) = load(bench, &server.peer, &Feedwire::publish_path(FEED), shape)?;
    server.must_hold(FEED, measured.answered)?;
    Ok(figures)
}

/// What the bare hyper server makes of it.
pub(super) fn bare_hyper(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Figures> {
    let peer = bench.bare_hyper()?;
    Ok(load(bench, &peer, BARE_PATH, shape)?.0)
}

pub(super) fn load(
    bench: &Bench<'_>,
    peer: &Peer,
    path: &str,
    shape: Shape,
) -> anyhow::Result<(Figures, Measured)> {
    let request = match peer.protocol {
        Protocol::Http => Request::post(peer.address, path, shape.batch, shape.event_bytes),
        Protocol::Redis => Request::xadd(shape.event_bytes),
    };
    closed(bench, peer, &request, (shape.connections, shape.subjects))
}

/// What a peer makes of `request`, sent on so many connections, its events of so many subjects in turn.
pub(super) fn closed(
    bench: &Bench<'_>,
    peer: &Peer,
    request: &Request,
    (connections, subjects): (usize, u64),
) -> anyhow::Result<(Figures, Measured)> {
    let load = Closed {
        address: peer.address,
        protocol: peer.protocol,
        request,
        connections,
        subjects,
        warm_up: bench.span(WARM_UP),
        span: bench.span(SPAN),
    };
    let (mut spell, mut shares) = (None, None);
    let measured = load.run(|| {
        match &spell {
            None => spell = Some(Spell::begin(&peer.child)?),
            Some(spell) => shares = Some(spell.end(&peer.child)?),
        }
        Ok(())
    })?;
    let shares = shares.context("the span has ended")?;
    let figures = Figures {
        events: per_second(measured.events, measured.span),
        p50: seconds(measured.latency.at(500)),
        p99: seconds(measured.latency.at(990)),
        server: shares.server,
        generator: shares.generator,
    };
    Ok((figures, measured))
}
