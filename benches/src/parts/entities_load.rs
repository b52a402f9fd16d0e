//! A load job over all entities of a feed: how fast it is alone, and what it takes from those who publish meanwhile.

use std::time::Duration;

use anyhow::ensure;

use super::bench::Bench;
use super::entities::{Filled, PLANES};
use super::publish::{self, Figures};
use super::reading;
use crate::clock;
use crate::figures::{cell, mebibytes, median_of, per_second, percent, rate, ratio, span};
use crate::load::{Framing, Job, Request};
use crate::peers::{Feedwire, PROJECT};
use crate::report::Report;
use crate::usage::{Shares, Spell};

/// The feed that is published to meanwhile.
const ORDERS: &str = "orders";
const EVENT_BYTES: usize = 200;
const SUBJECTS: u64 = 4_000;
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// What is promised: part of the publishes that are made without a job.
const LEAST: f64 = 0.9;

/// A job that nothing else is done beside.
#[derive(Debug, Clone, Copy)]
struct Alone {
    entities: u64,
    span: Duration,
    shares: Shares,
    /// Bytes of memory before it and at its peak.
    before: u64,
    peak: u64,
}

/// Publishing before a job, beside it and after it.
#[derive(Debug, Clone, Copy)]
struct Beside {
    before: Figures,
    meanwhile: Figures,
    after: Figures,
    /// Entities that the job wrote a second.
    loaded: f64,
}

impl Beside {
    /// Publishes a second without a job.
    fn without(&self) -> f64 {
        f64::midpoint(self.before.events, self.after.events)
    }
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report, filled: &Filled) -> anyhow::Result<()> {
    alone(bench, report, filled)?;
    report.heading("Publishing beside a load job, events of 200 B one a request");
    report.columns(&[
        "connections",
        "publishes/s without a job",
        "p50",
        "p99",
        "publishes/s with a job",
        "p50, with",
        "p99, with",
        "with of without",
        "at least",
        "entities/s of the job meanwhile",
    ]);
    for connections in CONNECTIONS {
        let runs = (0..bench.runs).map(|_| beside(bench, filled, connections));
        let runs: Vec<Beside> = runs.collect::<anyhow::Result<_>>()?;
        let of = |figure: fn(&Beside) -> f64| median_of(&runs, figure);
        report.row(&[
            connections.to_string(),
            cell(of(Beside::without), rate),
            cell(of(|run| run.before.p50), span),
            cell(of(|run| run.before.p99), span),
            cell(of(|run| run.meanwhile.events), rate),
            cell(of(|run| run.meanwhile.p50), span),
            cell(of(|run| run.meanwhile.p99), span),
            cell(of(|run| run.meanwhile.events / run.without()), ratio),
            ratio(LEAST),
            cell(of(|run| run.loaded), rate),
        ]);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn alone(bench: &Bench<'_>, report: &mut Report, filled: &Filled) -> anyhow::Result<()> {
    let runs = (0..bench.runs).map(|_| load(filled));
    let runs: Vec<Alone> = runs.collect::<anyhow::Result<_>>()?;
    report.heading(&format!(
        "A load job over {} entities of 300 B",
        filled.count
    ));
    report.columns(&[
        "entities/s",
        "time",
        "server CPU",
        "memory before",
        "memory at peak",
        "more",
    ]);
    let of = |figure: fn(&Alone) -> f64| median_of(&runs, figure);
    report.row(&[
        cell(of(|run| per_second(run.entities, run.span)), rate),
        cell(of(|run| run.span.as_secs_f64()), span),
        cell(of(|run| run.shares.server), percent),
        cell(of(|run| run.before as f64), mebibytes),
        cell(of(|run| run.peak as f64), mebibytes),
        cell(
            of(|run| run.peak.saturating_sub(run.before) as f64),
            mebibytes,
        ),
    ]);
    Ok(())
}

fn load(filled: &Filled) -> anyhow::Result<Alone> {
    let (peer, count) = (&filled.server.peer, filled.count);
    let before = peer.child.forget_peak()?;
    let (spell, start) = (Spell::begin(&peer.child)?, clock::now());
    let job = Job::start(peer.address, PROJECT, PLANES)?;
    let entities = job.finish()?;
    let span = start.elapsed();
    let shares = spell.end(&peer.child)?;
    let peak = peer.child.peak()?;
    ensure!(
        entities == count,
        "{count} entities are there, and {entities} were loaded"
    );
    // What it has written is each of them, once.
    let path = format!(
        "{PROJECT}/feeds/_load.{PLANES}?after={}&limit={count}",
        job.start
    );
    reading::stream(peer, &path, Framing::Sse, count)?;
    Ok(Alone {
        entities,
        span,
        shares,
        before,
        peak,
    })
}

fn beside(bench: &Bench<'_>, filled: &Filled, connections: usize) -> anyhow::Result<Beside> {
    let peer = &filled.server.peer;
    let request = Request::post(
        peer.address,
        &Feedwire::publish_path(ORDERS),
        1,
        EVENT_BYTES,
    );
    let publish = || publish::closed(bench, peer, &request, (connections, SUBJECTS));
    let (before, _) = publish()?;
    let job = Job::start(peer.address, PROJECT, PLANES)?;
    let start = clock::now();
    let (meanwhile, _) = publish()?;
    // It was at it all the time.
    let written = job.written("running")?;
    let loaded = per_second(written, start.elapsed());
    job.cancel()?;
    let (after, _) = publish()?;
    Ok(Beside {
        before,
        meanwhile,
        after,
        loaded,
    })
}
