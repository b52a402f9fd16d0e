//! Fan-out: events to many readers as they come, as Server-Sent Events.

use std::slice;
use std::time::Duration;

use anyhow::Context as _;

use super::bench::Bench;
use super::{fanout_filtered, fanout_fixed, fanout_full};
use crate::figures::{per_second, seconds, share};
use crate::load::{Crowd, Fanout, Framing, Pace, Request};
use crate::peers::{Feedwire, PROJECT, Peer, nchan};
use crate::report::Report;
use crate::usage::Spell;

const FEED: &str = "flights";
const SUBJECTS: u64 = 4_000;
pub(super) const EVENT_BYTES: usize = 200;

/// What an idle connection of a peer says, so that it is known to be served.
const SSE: &str = "text/event-stream";

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    fanout_full::run(bench, report)?;
    fanout_fixed::run(bench, report)?;
    fanout_filtered::run(bench, report)
}

/// What is published, and to how many it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) readers: usize,
    pub(super) batch: usize,
    pub(super) publishers: usize,
    pub(super) pace: Pace,
    pub(super) span: Duration,
}

/// What a peer made of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) deliveries: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// 99th percentiles of the first half of the time and of the second.
    pub(super) halves: [f64; 2],
    /// Part of all deliveries that never came; a peer of which all is asked has none.
    pub(super) lost: f64,
    /// Parts of a core.
    pub(super) server: f64,
    pub(super) generator: f64,
}

/// Where a peer takes events and gives them out.
#[derive(Debug)]
struct Ways {
    publish: String,
    stream: String,
    /// Whether its events have positions, by which it is checked that each reader has had all of them in order. One whose events
    /// have none may lose some, and it is told how many.
    has_positions: bool,
}

pub(super) fn feedwire(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Figures> {
    let server = bench.feedwire()?;
    let ways = Ways {
        publish: Feedwire::publish_path(FEED),
        stream: format!("{PROJECT}/feeds/{FEED}"),
        has_positions: true,
    };
    measure(&server.peer, &ways, shape).context("Feedwire")
}

pub(super) fn bare_hyper(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Figures> {
    let peer = bench.bare_hyper()?;
    let ways = Ways {
        publish: format!("/broadcast?{}", shape.batch),
        stream: "/stream".to_owned(),
        has_positions: true,
    };
    measure(&peer, &ways, shape).context("bare hyper")
}

/// What nchan makes of it, where it is installed; it takes one event a request.
pub(super) fn nchan(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Option<Figures>> {
    let folder = bench.folder()?;
    let Some(peer) = nchan::start(bench.cores.server, folder.path())? else {
        return Ok(None);
    };
    let ways = Ways {
        publish: nchan::PUBLISH.to_owned(),
        stream: nchan::STREAM.to_owned(),
        has_positions: false,
    };
    let figures = measure(&peer, &ways, Shape { batch: 1, ..shape });
    figures.context("nchan").map(Some)
}

fn measure(peer: &Peer, ways: &Ways, shape: Shape) -> anyhow::Result<Figures> {
    let address = peer.address;
    let stream = Request::get(address, &ways.stream, SSE);
    let mut crowd = Crowd::open(address, shape.readers, Framing::Sse, |_| stream.clone())?;
    let request = Request::post(address, &ways.publish, shape.batch, EVENT_BYTES);
    let load = Fanout {
        address,
        requests: slice::from_ref(&request),
        publishers: shape.publishers,
        subjects: SUBJECTS,
        fan: shape.readers as u64,
        pace: shape.pace,
        span: shape.span,
    };
    let spell = Spell::begin(&peer.child)?;
    let delivered = load.run(&mut crowd)?;
    let shares = spell.end(&peer.child)?;
    if ways.has_positions {
        delivered.must_be_whole(&crowd)?;
    }
    let latency = delivered.latency();
    let [first, second] = &delivered.halves;
    Ok(Figures {
        deliveries: per_second(delivered.deliveries, delivered.span),
        p50: seconds(latency.at(500)),
        p99: seconds(latency.at(990)),
        halves: [seconds(first.at(990)), seconds(second.at(990))],
        lost: share(delivered.lost, delivered.events * load.fan),
        server: shares.server,
        generator: shares.generator,
    })
}
