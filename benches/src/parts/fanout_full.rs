//! As many deliveries as go, with a bounded number of them still to come.

use std::ffi::OsString;
use std::time::Duration;

use super::bench::Bench;
use super::fanout::{EVENT_BYTES, Figures, Shape, bare_hyper, feedwire, nchan};
use crate::child::{Child, Says};
use crate::clock;
use crate::figures::{cell, median, median_of, peer_rate, per_second, percent, rate, ratio, span};
use crate::interrupt;
use crate::load::{Audience as _, Crowd, Framing, Nobody, Pace, Request};
use crate::peers;
use crate::report::Report;

const SPAN: Duration = Duration::from_secs(2);
const PUBLISHERS: usize = 16;

/// Deliveries that may be on their way.
const UNDELIVERED_MAX: u64 = 100_000;

/// What `send` sends at a run, and how large an event is on the wire.
const SENDS: usize = 1_000_000;
const WIRE_BYTES: usize = EVENT_BYTES + 230;

/// Readers, and events a request: so many that publishing does not hold the few readers up.
const SHAPES: [(usize, usize); 4] = [(1, 100), (100, 10), (1_000, 1), (10_000, 1)];

/// One run of one shape.
struct Run {
    ours: Figures,
    hyper: Figures,
    nchan: Option<Figures>,
    /// Sends a second over as many sockets.
    send: f64,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    report.heading("Fan-out over SSE, events of 200 B, as fast as they go");
    report.columns(&[
        "readers, events a request",
        "delivered/s",
        "p50",
        "p99",
        "lost",
        "server CPU",
        "generator CPU",
        "bare hyper, delivered/s",
        "of bare hyper",
        "bare hyper p99",
        "bare send, sends/s",
        "of bare send",
        "nchan, delivered/s",
        "of nchan",
        "nchan lost",
    ]);
    for (readers, batch) in SHAPES {
        let shape = Shape {
            readers,
            batch,
            publishers: PUBLISHERS,
            pace: Pace::Undelivered(UNDELIVERED_MAX),
            span: bench.span(SPAN),
        };
        let runs = (0..bench.runs).map(|_| measure(bench, shape));
        let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
        report.row(&row(shape, &runs));
    }
    Ok(())
}

fn measure(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Run> {
    Ok(Run {
        send: send(bench, shape.readers)?,
        hyper: bare_hyper(bench, shape)?,
        ours: feedwire(bench, shape)?,
        nchan: nchan(bench, shape)?,
    })
}

/// What the kernel does for one who sends to as many sockets.
fn send(bench: &Bench<'_>, readers: usize) -> anyhow::Result<f64> {
    let events = if bench.is_quick { SENDS / 10 } else { SENDS } / readers;
    let ourselves = std::env::current_exe()?.into_os_string();
    let mut command = vec![ourselves, "send".into()];
    for (option, value) in [
        ("--readers", readers),
        ("--events", events),
        ("--bytes", WIRE_BYTES),
    ] {
        command.extend([OsString::from(option), value.to_string().into()]);
    }
    let child = Child::start(bench.cores.server, command, Says::Out)?;
    let address = peers::address_in(&child.until("http://")?)?;
    let request = Request::get(address, "/", "text/event-stream");
    let mut crowd = Crowd::open(address, readers, Framing::Sse, |_| request.clone())?;
    let start = clock::now();
    while !crowd.have_ended() {
        crowd.wait(interrupt::LOOK)?;
        crowd.take(&mut Nobody)?;
    }
    let span = start.elapsed();
    let sent = crowd.tallies().map(|tally| tally.events).sum();
    Ok(per_second(sent, span))
}

fn row(shape: Shape, runs: &[Run]) -> Vec<String> {
    let of = |figure: fn(&Run) -> f64| median_of(runs, figure);
    let nchan = |figure: fn(&Figures, &Figures) -> f64, form: fn(f64) -> String| {
        let figures = runs
            .iter()
            .filter_map(|run| run.nchan.as_ref().map(|nchan| figure(nchan, &run.ours)));
        median(figures.collect()).map_or_else(|| "not installed".to_owned(), form)
    };
    vec![
        format!("{}, {}", shape.readers, shape.batch),
        cell(of(|run| run.ours.deliveries), rate),
        cell(of(|run| run.ours.p50), span),
        cell(of(|run| run.ours.p99), span),
        "none".to_owned(),
        cell(of(|run| run.ours.server), percent),
        cell(of(|run| run.ours.generator), percent),
        peer_rate(
            of(|run| run.hyper.deliveries),
            of(|run| run.hyper.generator),
        ),
        cell(of(|run| run.ours.deliveries / run.hyper.deliveries), ratio),
        cell(of(|run| run.hyper.p99), span),
        cell(of(|run| run.send), rate),
        cell(of(|run| run.ours.deliveries / run.send), ratio),
        nchan(|nchan, _| nchan.deliveries, rate),
        nchan(|nchan, ours| ours.deliveries / nchan.deliveries, ratio),
        nchan(|nchan, _| nchan.lost, percent),
    ]
}
