//! One entity a request, each put changing something, beside one plain event a request.

use super::bench::Bench;
use super::entities::PLANES;
use super::publish::{self, Figures, Shape};
use crate::figures::{cell, median_of, percent, rate, ratio, span};
use crate::load::Request;
use crate::peers::Feedwire;
use crate::report::Report;

/// Of an event and of what an entity is put, each as one body.
const BYTES: usize = 200;
/// What is promised: part of the publishes.
const LEAST: f64 = 0.6;
const KNOWN: u64 = 4_000;
/// As many as digits tell apart: none comes again.
const NEW: u64 = 1_000_000_000;

const SHAPES: [Shape; 6] = [
    shape(1, KNOWN),
    shape(16, KNOWN),
    shape(64, KNOWN),
    shape(256, KNOWN),
    shape(64, NEW),
    shape(256, NEW),
];

const fn shape(connections: usize, subjects: u64) -> Shape {
    Shape {
        connections,
        batch: 1,
        event_bytes: BYTES,
        subjects,
    }
}

/// One run of one shape.
struct Run {
    puts: Figures,
    publishes: Figures,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    report.heading("Put one entity a request, each synced before it is answered");
    report.columns(&[
        "connections, subjects",
        "puts/s",
        "p50",
        "p99",
        "server CPU",
        "CPU a put",
        "generator CPU",
        "publishes/s",
        "publishes p50",
        "CPU a publish",
        "puts of publishes",
        "at least",
        "CPU a put / a publish's",
    ]);
    for shape in SHAPES {
        let runs = (0..bench.runs).map(|_| measure(bench, shape));
        let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
        report.row(&row(shape, &runs));
    }
    Ok(())
}

fn measure(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Run> {
    Ok(Run {
        publishes: publish::feedwire(bench, shape)?,
        puts: puts(bench, shape)?,
    })
}

fn puts(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Figures> {
    let server = bench.feedwire()?;
    let path = Feedwire::entities_path(PLANES);
    let request = Request::put_entity(server.peer.address, &path, shape.event_bytes);
    let load = (shape.connections, shape.subjects);
    let (figures, measured) = publish::closed(bench, &server.peer, &request, load)?;
    // Each has changed something, so there is an event of each.
    server.must_hold(PLANES, measured.answered)?;
    Ok(figures)
}

fn row(shape: Shape, runs: &[Run]) -> Vec<String> {
    let of = |figure: fn(&Run) -> f64| median_of(runs, figure);
    let subjects = match shape.subjects {
        NEW => "all new".to_owned(),
        known => format!("{known} in turn"),
    };
    vec![
        format!("{}, {subjects}", shape.connections),
        cell(of(|run| run.puts.events), rate),
        cell(of(|run| run.puts.p50), span),
        cell(of(|run| run.puts.p99), span),
        cell(of(|run| run.puts.server), percent),
        cell(of(|run| run.puts.cpu_each()), span),
        cell(of(|run| run.puts.generator), percent),
        cell(of(|run| run.publishes.events), rate),
        cell(of(|run| run.publishes.p50), span),
        cell(of(|run| run.publishes.cpu_each()), span),
        cell(of(|run| run.puts.events / run.publishes.events), ratio),
        ratio(LEAST),
        cell(
            of(|run| run.puts.cpu_each() / run.publishes.cpu_each()),
            ratio,
        ),
    ]
}
