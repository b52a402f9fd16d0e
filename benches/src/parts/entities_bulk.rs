//! Entities in lines: new ones, then the same ones changed, then as they are; beside events in lines.

use std::time::Duration;

use super::bench::Bench;
use super::entities::{FLIGHTS, LINES, PLANES, send};
use crate::clock;
use crate::event::Event;
use crate::figures::{cell, fine_span, median_of, per_second, percent, rate, ratio};
use crate::peers::Feedwire;
use crate::report::Report;
use crate::usage::{Shares, Spell};

const COUNT: u64 = 400_000;
const BYTES: usize = 200;

/// One sending of all of them.
#[derive(Debug, Clone, Copy)]
struct Sent {
    count: u64,
    span: Duration,
    shares: Shares,
}

impl Sent {
    fn per_second(self) -> f64 {
        per_second(self.count, self.span)
    }

    fn cpu_each(self) -> f64 {
        self.shares.server / self.per_second()
    }
}

/// One run: the sendings in the order of [`NAMES`].
type Run = [Sent; 5];

/// What is sent, and beside which of them it stands.
const NAMES: [(&str, usize); 5] = [
    ("events, each of a new subject", 0),
    ("events, of the same subjects", 1),
    ("entities, all new", 0),
    ("entities, all changed", 1),
    ("entities, all as they are", 1),
];

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let count = if bench.is_quick { COUNT / 10 } else { COUNT };
    let runs = (0..bench.runs).map(|_| measure(bench, count));
    let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
    report.heading(&format!(
        "{count} lines of {BYTES} B on one connection, {LINES} a request"
    ));
    report.columns(&[
        "lines",
        "a second",
        "server CPU",
        "CPU each",
        "generator CPU",
        "of events",
        "CPU each / an event's",
    ]);
    for (index, (name, beside)) in NAMES.into_iter().enumerate() {
        let of = |figure: fn(Sent) -> f64| median_of(&runs, |run| figure(run[index]));
        let beside = |figure: fn(Sent) -> f64| {
            median_of(&runs, |run| figure(run[index]) / figure(run[beside]))
        };
        report.row(&[
            name.to_owned(),
            cell(of(Sent::per_second), rate),
            cell(of(|sent| sent.shares.server), percent),
            cell(of(Sent::cpu_each), fine_span),
            cell(of(|sent| sent.shares.generator), percent),
            cell(beside(Sent::per_second), ratio),
            cell(beside(Sent::cpu_each), ratio),
        ]);
    }
    Ok(())
}

fn measure(bench: &Bench<'_>, count: u64) -> anyhow::Result<Run> {
    let server = bench.feedwire()?;
    let (flights, planes) = (
        Feedwire::publish_path(FLIGHTS),
        Feedwire::entities_path(PLANES),
    );
    let (event, entity) = (Event::of(BYTES), Event::entity(BYTES));
    let timed = |path: &str, event: &Event, first: u64| -> anyhow::Result<Sent> {
        let (spell, start) = (Spell::begin(&server.peer.child)?, clock::now());
        send(&server, path, event, first..first + count, count)?;
        let span = start.elapsed();
        let shares = spell.end(&server.peer.child)?;
        Ok(Sent {
            count,
            span,
            shares,
        })
    };
    let run = [
        timed(&flights, &event, 0)?,
        timed(&flights, &event, count)?,
        timed(&planes, &entity, 0)?,
        timed(&planes, &entity, count)?,
        timed(&planes, &entity, count)?,
    ];
    server.must_hold(FLIGHTS, 2 * count)?;
    // What was so before is no event.
    server.must_hold(PLANES, 2 * count)?;
    Ok(run)
}
