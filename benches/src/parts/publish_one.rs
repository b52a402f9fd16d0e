//! One event a request, beside a bare hyper server, a bare synced append and Redis.

use std::time::Duration;

use super::bench::Bench;
use super::publish::{Figures, Shape, bare_hyper, feedwire, load};
use crate::bare;
use crate::figures::{cell, median, median_of, peer_rate, percent, rate, ratio, seconds, span};
use crate::peers;
use crate::report::Report;

const SYNC_SPAN: Duration = Duration::from_secs(1);
const SUBJECTS: u64 = 4_000;

const SHAPES: [Shape; 5] = [
    shape(1, 200),
    shape(16, 200),
    shape(64, 200),
    shape(256, 200),
    shape(256, 1_024),
];

const fn shape(connections: usize, event_bytes: usize) -> Shape {
    Shape {
        connections,
        batch: 1,
        event_bytes,
        subjects: SUBJECTS,
    }
}

/// One run of one shape.
struct Run {
    ours: Figures,
    hyper: Figures,
    redis: Option<Figures>,
    /// Median of a bare append and its sync, in seconds.
    sync: f64,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    report.heading("Publish one event a request, each synced before it is answered");
    report.columns(&[
        "connections, event",
        "events/s",
        "p50",
        "p99",
        "p50 / bare append + fdatasync",
        "server CPU",
        "CPU an event",
        "generator CPU",
        "bare hyper POST, events/s",
        "of bare hyper",
        "CPU an event / bare hyper's",
        "Redis XADD always, events/s",
        "Redis p50",
        "Redis p99",
        "of Redis",
    ]);
    for shape in SHAPES {
        let runs = (0..bench.runs).map(|_| measure(bench, shape));
        let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
        report.row(&row(shape, &runs));
    }
    Ok(())
}

fn measure(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Run> {
    let folder = bench.folder()?;
    let sync = bare::syncs(folder.path(), shape.event_bytes, bench.span(SYNC_SPAN))?;
    Ok(Run {
        hyper: bare_hyper(bench, shape)?,
        ours: feedwire(bench, shape)?,
        redis: redis(bench, shape)?,
        sync: seconds(sync.at(500)),
    })
}

fn redis(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Option<Figures>> {
    let folder = bench.folder()?;
    let Some(peer) = peers::redis(bench.cores.server, folder.path())? else {
        return Ok(None);
    };
    Ok(Some(load(bench, &peer, "", shape)?.0))
}

fn row(shape: Shape, runs: &[Run]) -> Vec<String> {
    let of = |figure: fn(&Run) -> f64| median_of(runs, figure);
    let redis = |figure: fn(&Figures, &Figures) -> f64, form: fn(f64) -> String| {
        let figures = runs
            .iter()
            .filter_map(|run| run.redis.as_ref().map(|redis| figure(redis, &run.ours)));
        median(figures.collect()).map_or_else(|| "not installed".to_owned(), form)
    };
    vec![
        format!("{}, {} B", shape.connections, shape.event_bytes),
        cell(of(|run| run.ours.events), rate),
        cell(of(|run| run.ours.p50), span),
        cell(of(|run| run.ours.p99), span),
        cell(of(|run| run.ours.p50 / run.sync), ratio),
        cell(of(|run| run.ours.server), percent),
        cell(of(|run| run.ours.cpu_each()), span),
        cell(of(|run| run.ours.generator), percent),
        peer_rate(of(|run| run.hyper.events), of(|run| run.hyper.generator)),
        cell(of(|run| run.ours.events / run.hyper.events), ratio),
        cell(of(|run| run.ours.cpu_each() / run.hyper.cpu_each()), ratio),
        redis(|redis, _| redis.events, rate),
        redis(|redis, _| redis.p50, span),
        redis(|redis, _| redis.p99, span),
        redis(|redis, ours| ours.events / redis.events, ratio),
    ]
}
