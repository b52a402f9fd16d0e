//! All of a feed, from its start to its end, beside loopback TCP and a bare hyper server.

use std::time::Duration;

use super::bench::Bench;
use super::replay::{Filled, LARGE, must_be_all};
use crate::child::{Child, Says};
use crate::clock;
use crate::figures::{cell, median, median_of, per_second, percent, rate, ratio};
use crate::interrupt;
use crate::load::{Crowd, Framing, Nobody, Pages, Request, Tally, swallow};
use crate::peers::{self, PROJECT};
use crate::report::Report;
use crate::usage::{Shares, Spell};

/// One reading of all of it.
#[derive(Debug, Clone, Copy)]
struct Reading {
    events: u64,
    /// On the wire.
    bytes: u64,
    span: Duration,
    shares: Shares,
}

impl Reading {
    fn bytes_per_second(self) -> f64 {
        per_second(self.bytes, self.span)
    }
}

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
        cell(of(|_, one| per_second(one.events, one.span)), rate),
        cell(of(|_, one| one.bytes_per_second()), bytes),
        cell(of(|run, one| one.bytes_per_second() / run.loopback), ratio),
        cell(of(|run, one| one.bytes_per_second() / run.hyper), ratio),
        cell(of(|_, one| one.shares.server), percent),
        cell(of(|_, one| one.shares.generator), percent),
    ]
}

fn measure(bench: &Bench<'_>, filled: &Filled) -> anyhow::Result<Run> {
    let sse = stream(filled, Framing::Sse, "text/event-stream")?;
    let hyper = bench.bare_hyper()?;
    let pieces = Request::get(hyper.address, &format!("/pieces?{}", sse.bytes), "*/*");
    Ok(Run {
        readings: [
            sse,
            stream(filled, Framing::Ndjson, "application/x-ndjson")?,
            pages(filled)?,
        ],
        hyper: per_second(sse.bytes, swallow(hyper.address, &pieces, sse.bytes)?),
        loopback: loopback(bench, sse.bytes)?,
    })
}

fn stream(filled: &Filled, framing: Framing, accept: &str) -> anyhow::Result<Reading> {
    let peer = &filled.server.peer;
    let path = format!("{PROJECT}/feeds/{LARGE}?from=start&limit={}", filled.events);
    let request = Request::get(peer.address, &path, accept);
    let (spell, start) = (Spell::begin(&peer.child)?, clock::now());
    let mut crowd = Crowd::open(peer.address, 1, framing, |_| request.clone())?;
    while !crowd.have_ended() {
        crowd.wait(interrupt::LOOK)?;
        crowd.take(&mut Nobody)?;
    }
    let span = start.elapsed();
    let shares = spell.end(&peer.child)?;
    let mut tally = Tally::default();
    crowd.tallies().for_each(|one| tally.add(one));
    must_be_all(tally, filled.events)?;
    Ok(Reading {
        events: tally.events,
        bytes: crowd.bytes(),
        span,
        shares,
    })
}

fn pages(filled: &Filled) -> anyhow::Result<Reading> {
    let peer = &filled.server.peer;
    let (spell, start) = (Spell::begin(&peer.child)?, clock::now());
    let mut pages = Pages::open(peer.address)?;
    let (mut tally, mut cursor, mut has_more) = (Tally::default(), 0, true);
    while has_more {
        let page = pages.get(&format!(
            "{PROJECT}/feeds/{LARGE}?after={cursor}&limit=1000"
        ))?;
        tally.add(page.tally());
        (cursor, has_more) = (page.cursor()?, page.has_more());
    }
    let span = start.elapsed();
    let shares = spell.end(&peer.child)?;
    must_be_all(tally, filled.events)?;
    Ok(Reading {
        events: tally.events,
        bytes: pages.bytes,
        span,
        shares,
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
