//! Events at a fixed rate, whatever the server makes of it: how late each is when it is received.

use std::time::Duration;

use super::bench::Bench;
use super::fanout::{EVENT_BYTES, Figures, Shape, bare_hyper, feedwire, nchan};
use crate::bare;
use crate::figures::{cell, median, median_of, percent, rate, ratio, seconds, span};
use crate::load::Pace;
use crate::report::Report;

/// So many that one is free when an event is due, unless the server answers a twentieth of a second late.
const PUBLISHERS: usize = 64;
const SYNC_SPAN: Duration = Duration::from_secs(1);

/// Longest that peers are measured; Feedwire is for as long as the row says.
const PEER_SPAN: Duration = Duration::from_secs(5);

/// Readers, events a second, and for how many seconds.
const SHAPES: [(usize, u32, u64); 3] = [(1, 1_000, 5), (1_000, 50, 5), (1_000, 1_500, 30)];

/// One run of one shape.
struct Run {
    ours: Figures,
    hyper: Figures,
    nchan: Option<Figures>,
    /// 99th percentile of a bare append and its sync, in seconds.
    sync: f64,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    report.heading("Fan-out over SSE at fixed rates, late from the moment an event was to be sent");
    report.columns(&[
        "readers × events/s, time",
        "delivered/s",
        "p50",
        "p99",
        "p99, first half",
        "p99, second half",
        "lost",
        "server CPU",
        "generator CPU",
        "bare hyper p50",
        "bare hyper p99",
        "append + fdatasync p99",
        "p99 / (bare hyper + fdatasync)",
        "nchan p50",
        "nchan p99",
        "nchan lost",
    ]);
    for (readers, rate, seconds) in SHAPES {
        let shape = Shape {
            readers,
            batch: 1,
            publishers: PUBLISHERS,
            pace: Pace::Fixed(rate),
            span: bench.span(Duration::from_secs(seconds)),
        };
        let runs = (0..bench.runs).map(|_| measure(bench, shape));
        let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
        report.row(&row(&format!("{readers} × {rate}, {seconds} s"), &runs));
    }
    Ok(())
}

fn measure(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Run> {
    let peers = Shape {
        span: shape.span.min(PEER_SPAN),
        ..shape
    };
    let folder = bench.folder()?;
    let sync = bare::syncs(folder.path(), EVENT_BYTES, bench.span(SYNC_SPAN))?;
    Ok(Run {
        hyper: bare_hyper(bench, peers)?,
        ours: feedwire(bench, shape)?,
        nchan: nchan(bench, peers)?,
        sync: seconds(sync.at(990)),
    })
}

fn row(name: &str, runs: &[Run]) -> Vec<String> {
    let of = |figure: fn(&Run) -> f64| median_of(runs, figure);
    let nchan = |figure: fn(&Figures) -> f64, form: fn(f64) -> String| {
        let figures = runs.iter().filter_map(|run| run.nchan.as_ref().map(figure));
        median(figures.collect()).map_or_else(|| "not installed".to_owned(), form)
    };
    vec![
        name.to_owned(),
        cell(of(|run| run.ours.deliveries), rate),
        cell(of(|run| run.ours.p50), span),
        cell(of(|run| run.ours.p99), span),
        cell(of(|run| run.ours.halves[0]), span),
        cell(of(|run| run.ours.halves[1]), span),
        "none".to_owned(),
        cell(of(|run| run.ours.server), percent),
        cell(of(|run| run.ours.generator), percent),
        cell(of(|run| run.hyper.p50), span),
        cell(of(|run| run.hyper.p99), span),
        cell(of(|run| run.sync), span),
        cell(of(|run| run.ours.p99 / (run.hyper.p99 + run.sync)), ratio),
        nchan(|figures| figures.p50, span),
        nchan(|figures| figures.p99, span),
        nchan(|figures| figures.lost, percent),
    ]
}
