//! Readers of a subject each, while events of all subjects are published: an event concerns one of them.

use std::slice;
use std::time::Duration;

use super::bench::Bench;
use super::idle::{readers, settle};
use crate::figures::{bytes, cell, median_of, percent, rate, seconds, span};
use crate::load::{Fanout, Pace, Request};
use crate::peers::{Feedwire, PROJECT};
use crate::report::Report;
use crate::usage::{Shares, Spell};

const FEED: &str = "flights";
const SPAN: Duration = Duration::from_secs(5);
const RATE: u32 = 1_000;
const PUBLISHERS: usize = 64;
const EVENT_BYTES: usize = 200;

struct Run {
    memory: f64,
    p50: f64,
    p99: f64,
    shares: Shares,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let count = readers(bench);
    report.heading(&format!(
        "{count} readers of a subject each over SSE, {RATE} events/s to subjects in turn"
    ));
    report.columns(&[
        "memory a reader",
        "delivered/s",
        "p50",
        "p99",
        "lost",
        "server CPU",
        "generator CPU",
    ]);
    let runs = (0..bench.runs).map(|_| measure(bench, count));
    let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
    let of = |figure: fn(&Run) -> f64| median_of(&runs, figure);
    report.row(&[
        cell(of(|run| run.memory), bytes),
        rate(f64::from(RATE)),
        cell(of(|run| run.p50), span),
        cell(of(|run| run.p99), span),
        "none".to_owned(),
        cell(of(|run| run.shares.server), percent),
        cell(of(|run| run.shares.generator), percent),
    ]);
    Ok(())
}

fn measure(bench: &Bench<'_>, count: usize) -> anyhow::Result<Run> {
    let server = bench.feedwire()?;
    let peer = &server.peer;
    let path = |index| format!("{PROJECT}/feeds/{FEED}?subjects=N{index:09}");
    let (mut crowd, memory) = settle(peer, count, path)?;
    let request = Request::post(peer.address, &Feedwire::publish_path(FEED), 1, EVENT_BYTES);
    let load = Fanout {
        address: peer.address,
        requests: slice::from_ref(&request),
        publishers: PUBLISHERS,
        subjects: count as u64,
        fan: 1,
        pace: Pace::Fixed(RATE),
        span: bench.span(SPAN),
    };
    let spell = Spell::begin(&peer.child)?;
    let delivered = load.run(&mut crowd)?;
    let shares = spell.end(&peer.child)?;
    // In turn, subject and number agree.
    delivered.must_be_parted(&crowd, count)?;
    let latency = delivered.latency();
    Ok(Run {
        memory,
        p50: seconds(latency.at(500)),
        p99: seconds(latency.at(990)),
        shares,
    })
}
