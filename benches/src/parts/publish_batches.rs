//! Batches, beside a bare hyper server and beside `serde_json` on one core.

use std::time::Duration;

use super::bench::Bench;
use super::publish::{FEED, Figures, Shape, bare_hyper, feedwire};
use crate::bare;
use crate::figures::{cell, median_of, peer_rate, percent, rate, ratio, span};
use crate::load::Request;
use crate::report::Report;

const VALIDATE_SPAN: Duration = Duration::from_secs(1);

const SHAPES: [Shape; 3] = [
    shape(1, 100, 4_000),
    shape(4, 1_000, 4_000),
    shape(4, 1_000, 1_000_000),
];

const fn shape(connections: usize, batch: usize, subjects: u64) -> Shape {
    Shape {
        connections,
        batch,
        event_bytes: 200,
        subjects,
    }
}

/// One run of one shape.
struct Run {
    ours: Figures,
    hyper: Figures,
    /// Events a second that `serde_json` validates on one core.
    validated: f64,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    report.heading("Publish in batches, each synced before it is answered");
    report.columns(&[
        "connections × batch, event, subjects",
        "events/s",
        "p50",
        "p99",
        "server CPU",
        "generator CPU",
        "serde_json validates on one core, events/s",
        "of serde_json",
        "bare hyper POST, events/s",
        "of bare hyper",
    ]);
    for shape in SHAPES {
        let runs = (0..bench.runs).map(|_| measure(bench, shape));
        let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
        report.row(&row(shape, &runs));
    }
    Ok(())
}

fn measure(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Run> {
    let nobody = ([127, 0, 0, 1], 0).into();
    let batch = Request::post(nobody, FEED, shape.batch, shape.event_bytes);
    Ok(Run {
        validated: bare::validated(&batch, bench.span(VALIDATE_SPAN))?,
        hyper: bare_hyper(bench, shape)?,
        ours: feedwire(bench, shape)?,
    })
}

fn row(shape: Shape, runs: &[Run]) -> Vec<String> {
    let of = |figure: fn(&Run) -> f64| median_of(runs, figure);
    let (batch, bytes, subjects) = (shape.batch, shape.event_bytes, shape.subjects);
    vec![
        format!("{} × {batch}, {bytes} B, {subjects}", shape.connections),
        cell(of(|run| run.ours.events), rate),
        cell(of(|run| run.ours.p50), span),
        cell(of(|run| run.ours.p99), span),
        cell(of(|run| run.ours.server), percent),
        cell(of(|run| run.ours.generator), percent),
        cell(of(|run| run.validated), rate),
        cell(of(|run| run.ours.events / run.validated), ratio),
        peer_rate(of(|run| run.hyper.events), of(|run| run.hyper.generator)),
        cell(of(|run| run.ours.events / run.hyper.events), ratio),
    ]
}
