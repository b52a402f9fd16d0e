//! Readers of a feed to which nothing is published.

use std::time::Duration;

use super::bench::Bench;
use super::idle::{readers, settle, wait};
use crate::figures::{bytes, cell, fine_percent, median_of, ratio};
use crate::peers::{PROJECT, Peer};
use crate::report::Report;
use crate::usage::Spell;

/// Every reader has a heartbeat in this time.
const SPAN: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Bytes a reader.
    memory: f64,
    /// Part of a core.
    server: f64,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let count = readers(bench);
    report.heading(&format!("{count} idle readers over SSE"));
    report.columns(&["server", "memory a reader", "of bare hyper", "server CPU"]);
    let runs = (0..bench.runs).map(|_| measure(bench, count));
    let runs: Vec<(Figures, Figures)> = runs.collect::<anyhow::Result<_>>()?;
    let of = |figure: fn(&(Figures, Figures)) -> f64| median_of(&runs, figure);
    report.row(&[
        "Feedwire, a heartbeat every 15 s".to_owned(),
        cell(of(|(ours, _)| ours.memory), bytes),
        cell(of(|(ours, hyper)| ours.memory / hyper.memory), ratio),
        cell(of(|(ours, _)| ours.server), fine_percent),
    ]);
    report.row(&[
        "bare hyper, no heartbeats".to_owned(),
        cell(of(|(_, hyper)| hyper.memory), bytes),
        "1.00".to_owned(),
        cell(of(|(_, hyper)| hyper.server), fine_percent),
    ]);
    Ok(())
}

fn measure(bench: &Bench<'_>, count: usize) -> anyhow::Result<(Figures, Figures)> {
    let span = bench.span(SPAN);
    let hyper = idle(&bench.bare_hyper()?, count, "/stream", span)?;
    let server = bench.feedwire()?;
    let path = format!("{PROJECT}/feeds/flights");
    Ok((idle(&server.peer, count, &path, span)?, hyper))
}

fn idle(peer: &Peer, count: usize, path: &str, span: Duration) -> anyhow::Result<Figures> {
    let (mut crowd, memory) = settle(peer, count, |_| path.to_owned())?;
    let spell = Spell::begin(&peer.child)?;
    wait(&mut crowd, span)?;
    Ok(Figures {
        memory,
        server: spell.end(&peer.child)?.server,
    })
}
