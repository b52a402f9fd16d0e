//! All of a feed, from its start to its end, beside loopback TCP and a bare hyper server.

use super::bench::Bench;
use super::reading::{self, Reading};
use super::replay::{Filled, LARGE};
use crate::child::{Child, Says};
use crate::figures::{cell, median, median_of, per_second, percent, rate, ratio};
use crate::load::{Framing, Request, swallow};
use crate::peers::{self, PROJECT};
use crate::report::Report;

/// One run: what the kernel and hyper do, and the three readings.
struct Run {
    loopback: f64,
    hyper: f64,
    readings: [Reading; 3],
}

const NAMES: [&str; 3] = ["SSE", "NDJSON", "pages of 1,000"];

pub(super) fn run(bench: &Bench<'_>, report: &mut Report, filled: &Filled) -> anyhow::Result<()> {
    let runs = (0..bench.runs).map(|_| measure(bench, filled));
    let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
    report.heading(&format!(
        "Replay of {} events of 300 B by one reader",
        filled.events
    ));
    report.columns(&[
        "reading",
        "events/s",
        "bytes/s on the wire",
        "of loopback",
        "of bare hyper",
        "server CPU",
        "generator CPU",
    ]);
    for (index, name) in NAMES.into_iter().enumerate() {
        report.row(&row(name, index, &runs));
    }
    let bytes = |value: Option<f64>| cell(value, |value| format!("{}B", rate(value)));
    let (loopback, hyper) = (
        median_of(&runs, |run| run.loopback),
        median_of(&runs, |run| run.hyper),
    );
    let part = median(runs.iter().map(|run| run.hyper / run.loopback).collect());
    let none = String::new;
    report.row(&[
        "bare hyper, chunks of 64 KiB".into(),
        none(),
        bytes(hyper),
        cell(part, ratio),
        "1.00".into(),
        none(),
        none(),
    ]);
    report.row(&[
        "loopback TCP".into(),
        none(),
        bytes(loopback),
        "1.00".into(),
        none(),
        none(),
        none(),
    ]);
    Ok(())
}

fn row(name: &str, index: usize, runs: &[Run]) -> Vec<String> {
    let of =
        |figure: fn(&Run, Reading) -> f64| median_of(runs, |run| figure(run, run.readings[index]));
    let bytes = |value| format!("{}B", rate(value));
    vec![
        name.to_owned(),
        cell(of(|_, one| one.events_per_second()), rate),
        cell(of(|_, one| one.bytes_per_second()), bytes),
        cell(of(|run, one| one.bytes_per_second() / run.loopback), ratio),
        cell(of(|run, one| one.bytes_per_second() / run.hyper), ratio),
        cell(of(|_, one| one.shares.server), percent),
        cell(of(|_, one| one.shares.generator), percent),
    ]
}

fn measure(bench: &Bench<'_>, filled: &Filled) -> anyhow::Result<Run> {
    let (peer, events) = (&filled.server.peer, filled.events);
    let feed = format!("{PROJECT}/feeds/{LARGE}");
    let path = format!("{feed}?from=start&limit={events}");
    let sse = reading::stream(peer, &path, Framing::Sse, events)?;
    let ndjson = reading::stream(peer, &path, Framing::Ndjson, events)?;
    let pages = reading::pages(peer, &feed, "after=0", events)?;
    let hyper = bench.bare_hyper()?;
    let pieces = Request::get(hyper.address, &format!("/pieces?{}", sse.bytes), "*/*");
    Ok(Run {
        readings: [sse, ndjson, pages],
        hyper: per_second(sse.bytes, swallow(hyper.address, &pieces, sse.bytes)?),
        loopback: loopback(bench, sse.bytes)?,
    })
}

/// Bytes a second of a plain socket.
fn loopback(bench: &Bench<'_>, bytes: u64) -> anyhow::Result<f64> {
    let ourselves = std::env::current_exe()?.into_os_string();
    let command = vec![
        ourselves,
        "pour".into(),
        "--bytes".into(),
        bytes.to_string().into(),
    ];
    let child = Child::start(bench.cores.server, command, Says::Out)?;
    let address = peers::address_in(&child.until("http://")?)?;
    let request = Request::get(address, "/", "*/*");
    Ok(per_second(bytes, swallow(address, &request, bytes)?))
}
