//! Pages at random places of a large feed, beside a bare hyper server that answers as many bytes.

use super::bench::Bench;
use super::replay::{EVENT_BYTES, Filled, LARGE};
use crate::clock;
use crate::figures::{cell, median_of, per_second, rate, ratio, seconds, span};
use crate::histogram::Histogram;
use crate::load::Pages;
use crate::peers::PROJECT;
use crate::report::Report;

const LIMIT: u64 = 100;
const PAGES: u64 = 2_000;

/// Walks over all places in an order that no cache guesses: odd, and near the golden section of any power of two.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

#[derive(Debug, Clone, Copy)]
struct Figures {
    pages: f64,
    bytes: u64,
    p50: f64,
    p99: f64,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report, filled: &Filled) -> anyhow::Result<()> {
    let runs = (0..bench.runs).map(|_| measure(bench, filled));
    let runs: Vec<(Figures, Figures)> = runs.collect::<anyhow::Result<_>>()?;
    report.heading(&format!(
        "Pages of {LIMIT} events of {EVENT_BYTES} B at random places, one connection"
    ));
    report.columns(&[
        "pages/s",
        "p50",
        "p99",
        "bare hyper, answers/s",
        "bare hyper p50",
        "bare hyper p99",
        "of bare hyper",
    ]);
    let of = |figure: fn(&(Figures, Figures)) -> f64| median_of(&runs, figure);
    report.row(&[
        cell(of(|(ours, _)| ours.pages), rate),
        cell(of(|(ours, _)| ours.p50), span),
        cell(of(|(ours, _)| ours.p99), span),
        cell(of(|(_, hyper)| hyper.pages), rate),
        cell(of(|(_, hyper)| hyper.p50), span),
        cell(of(|(_, hyper)| hyper.p99), span),
        cell(of(|(ours, hyper)| ours.pages / hyper.pages), ratio),
    ]);
    Ok(())
}

fn measure(bench: &Bench<'_>, filled: &Filled) -> anyhow::Result<(Figures, Figures)> {
    let count = if bench.is_quick { PAGES / 10 } else { PAGES };
    let places = filled.events - 2 * LIMIT;
    let path = |number: u64| {
        let place = number.wrapping_mul(STRIDE) % places;
        format!("{PROJECT}/feeds/{LARGE}?after={place}&limit={LIMIT}")
    };
    let ours = read(Pages::open(filled.server.peer.address)?, count, path)?;
    let hyper = bench.bare_hyper()?;
    let same = format!("/whole?{}", ours.bytes / count);
    let bare = read(Pages::open(hyper.address)?, count, |_| same.clone())?;
    Ok((ours, bare))
}

fn read(mut pages: Pages, count: u64, path: impl Fn(u64) -> String) -> anyhow::Result<Figures> {
    let (mut latency, mut bytes) = (Histogram::new(), 0);
    let start = clock::now();
    for number in 0..count {
        let path = path(number);
        let (page, took) = clock::time(|| pages.get(&path).map(|page| page.body().len()));
        bytes += page? as u64;
        latency.record(took);
    }
    Ok(Figures {
        pages: per_second(count, start.elapsed()),
        bytes,
        p50: seconds(latency.at(500)),
        p99: seconds(latency.at(990)),
    })
}
