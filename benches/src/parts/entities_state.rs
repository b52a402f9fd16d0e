//! The states of all entities of a feed, read before the events that follow them, beside as many plain events.

use super::bench::Bench;
use super::entities::{FLIGHTS, Filled, PLANES};
use super::reading::{self, Reading};
use crate::figures::{cell, mebibytes, median_of, percent, rate, ratio};
use crate::load::Framing;
use crate::peers::PROJECT;
use crate::report::Report;

const NAMES: [&str; 3] = ["SSE", "NDJSON", "pages of 1,000"];

/// What was read, and what it took.
#[derive(Debug, Clone, Copy)]
struct Taken {
    reading: Reading,
    /// Bytes of memory at the peak more than before.
    more: u64,
}

/// One run of one way of reading.
#[derive(Debug, Clone, Copy)]
struct Run {
    states: Taken,
    events: Taken,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report, filled: &Filled) -> anyhow::Result<()> {
    report.heading(&format!(
        "The states of {} entities of 300 B read by one reader, beside a replay of as many events",
        filled.count
    ));
    report.columns(&[
        "reading",
        "states/s",
        "bytes/s on the wire",
        "bytes a state",
        "server CPU",
        "generator CPU",
        "memory more at peak",
        "events/s",
        "bytes an event",
        "memory more at peak, events",
        "states of events",
    ]);
    for (way, name) in NAMES.into_iter().enumerate() {
        let runs = (0..bench.runs).map(|_| measure(filled, way));
        let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
        report.row(&row(name, &runs));
    }
    Ok(())
}

fn measure(filled: &Filled, way: usize) -> anyhow::Result<Run> {
    let (count, peer) = (filled.count, &filled.server.peer);
    let (planes, flights) = (
        format!("{PROJECT}/feeds/{PLANES}"),
        format!("{PROJECT}/feeds/{FLIGHTS}"),
    );
    let (states, events) = (
        format!("{planes}?from=state"),
        format!("{flights}?from=start&limit={count}"),
    );
    let read = |path: &str| match way {
        0 => reading::stream(peer, path, Framing::Sse, count),
        _ => reading::stream(peer, path, Framing::Ndjson, count),
    };
    if way < 2 {
        return Ok(Run {
            events: take(filled, || read(&events))?,
            states: take(filled, || read(&states))?,
        });
    }
    Ok(Run {
        events: take(filled, || reading::pages(peer, &flights, "after=0", count))?,
        states: take(filled, || {
            reading::pages(peer, &planes, "from=state", count)
        })?,
    })
}

fn take(filled: &Filled, read: impl FnOnce() -> anyhow::Result<Reading>) -> anyhow::Result<Taken> {
    let child = &filled.server.peer.child;
    let before = child.forget_peak()?;
    let reading = read()?;
    let more = child.peak()?.saturating_sub(before);
    Ok(Taken { reading, more })
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn row(name: &str, runs: &[Run]) -> Vec<String> {
    let of = |figure: fn(&Run) -> f64| median_of(runs, figure);
    let bytes = |value: f64| format!("{value:.0} B");
    let each = |one: Reading| one.bytes as f64 / one.events as f64;
    let states = of(|run| run.states.reading.events_per_second());
    vec![
        name.to_owned(),
        cell(states, rate),
        cell(of(|run| run.states.reading.bytes_per_second()), |value| {
            format!("{}B", rate(value))
        }),
        cell(median_of(runs, |run| each(run.states.reading)), bytes),
        cell(of(|run| run.states.reading.shares.server), percent),
        cell(of(|run| run.states.reading.shares.generator), percent),
        cell(of(|run| run.states.more as f64), mebibytes),
        cell(of(|run| run.events.reading.events_per_second()), rate),
        cell(median_of(runs, |run| each(run.events.reading)), bytes),
        cell(of(|run| run.events.more as f64), mebibytes),
        cell(
            of(|run| {
                run.states.reading.events_per_second() / run.events.reading.events_per_second()
            }),
            ratio,
        ),
    ]
}
