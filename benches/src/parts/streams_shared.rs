//! As many deliveries as go to the members of a stream, beside one who reads the feed.

use std::slice;
use std::time::Duration;

use anyhow::ensure;

use super::bench::Bench;
use super::streams::{EVENT_BYTES, FEED, SUBJECTS, fill, make, post};
use crate::clock;
use crate::figures::{cell, median_of, per_second, percent, rate, ratio};
use crate::interrupt;
use crate::load::{Audience as _, Crowd, Fanout, Framing, Nobody, Pace, Request, Tally};
use crate::peers::{Feedwire, PROJECT};
use crate::report::Report;
use crate::usage::{Shares, Spell};

/// Events that are caught up with.
const EVENTS: u64 = 500_000;

const SPAN: Duration = Duration::from_secs(3);
const BATCH: usize = 100;
const PUBLISHERS: usize = 4;

/// Events that may be on their way at the tail.
const UNDELIVERED_MAX: u64 = 20_000;

/// A stream that tells nothing for so long does not go on.
const SILENCE: Duration = Duration::from_secs(20);

const MEMBERS: [usize; 3] = [1, 3, 16];
const MODES: [&str; 2] = ["delivered", "explicit"];

/// What came a second, and what it took.
#[derive(Debug, Clone, Copy)]
struct Figures {
    rate: f64,
    shares: Shares,
}

/// Of one run: the reader's first, then each mode's by its members.
type Run = Vec<Figures>;

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let events = if bench.is_quick { EVENTS / 10 } else { EVENTS };
    let server = bench.feedwire()?;
    fill(&server, events)?;
    let runs: Vec<Run> = (0..bench.runs)
        .map(|run| each(|mode, members| caught_up(&server, mode, members, run, events)))
        .collect::<anyhow::Result<_>>()?;
    let heading = format!("A stream catches up with {events} events of {EVENT_BYTES} B");
    table(report, &heading, &runs);
    let span = bench.span(SPAN);
    let runs: Vec<Run> = (0..bench.runs)
        .map(|_| each(|mode, members| at_tail(bench, mode, members, span)))
        .collect::<anyhow::Result<_>>()?;
    let heading = format!("A stream at the tail, events of {EVENT_BYTES} B as fast as they go");
    table(report, &heading, &runs);
    Ok(())
}

/// Everybody once; nobody is a member where the feed is read.
fn each(mut measure: impl FnMut(&str, usize) -> anyhow::Result<Figures>) -> anyhow::Result<Run> {
    let mut run = vec![measure("", 0)?];
    for mode in MODES {
        for members in MEMBERS {
            run.push(measure(mode, members)?);
        }
    }
    Ok(run)
}

fn table(report: &mut Report, heading: &str, runs: &[Run]) {
    report.heading(heading);
    report.columns(&[
        "who reads",
        "events/s",
        "of one reader of the feed",
        "server CPU",
        "generator CPU",
    ]);
    let shared = MODES
        .iter()
        .flat_map(|mode| MEMBERS.map(|members| format!("mode `{mode}`, members: {members}")));
    let names = std::iter::once("the feed, by one reader".to_owned()).chain(shared);
    for (index, name) in names.enumerate() {
        let of = |figure: fn(Figures) -> f64| median_of(runs, |run| figure(run[index]));
        let part = median_of(runs, |run| run[index].rate / run[0].rate);
        report.row(&[
            name,
            cell(of(|one| one.rate), rate),
            cell(part, ratio),
            cell(of(|one| one.shares.server), percent),
            cell(of(|one| one.shares.generator), percent),
        ]);
    }
}

/// The members are there before they are sent anything: none of it goes to who came first because it came first.
fn caught_up(
    server: &Feedwire,
    mode: &str,
    members: usize,
    run: u8,
    events: u64,
) -> anyhow::Result<Figures> {
    let address = server.peer.address;
    let (mut crowd, spell, start);
    if members == 0 {
        let path = format!("{PROJECT}/feeds/{FEED}?from=start");
        let request = Request::get(address, &path, "text/event-stream");
        (spell, start) = (Spell::begin(&server.peer.child)?, clock::now());
        crowd = Crowd::open(address, 1, Framing::Sse, |_| request.clone())?;
    } else {
        let path = make(server, &format!("{mode}{members}-{run}"), mode, members)?;
        crowd = Crowd::join(address, members, &path, mode == "explicit")?;
        (spell, start) = (Spell::begin(&server.peer.child)?, clock::now());
        post(server, &format!("{path}/seek"), r#"{"to":"start"}"#)?;
    }
    let whole = |crowd: &Crowd| {
        let mut whole = Tally::default();
        crowd.tallies().for_each(|tally| whole.add(tally));
        (whole.events, whole.numbers)
    };
    while whole(&crowd).0 < events {
        ensure!(start.elapsed() < SILENCE, "it is not caught up with");
        crowd.wait(interrupt::LOOK)?;
        crowd.take(&mut Nobody)?;
    }
    let span = start.elapsed();
    let shares = spell.end(&server.peer.child)?;
    let (had, wanted) = (whole(&crowd), (events, (0..events).sum()));
    ensure!(had == wanted, "{wanted:?} are there, and {had:?} came");
    let rate = per_second(events, span);
    Ok(Figures { rate, shares })
}

fn at_tail(
    bench: &Bench<'_>,
    mode: &str,
    members: usize,
    span: Duration,
) -> anyhow::Result<Figures> {
    let server = bench.feedwire()?;
    let address = server.peer.address;
    let mut crowd = if members == 0 {
        let path = format!("{PROJECT}/feeds/{FEED}");
        let request = Request::get(address, &path, "text/event-stream");
        Crowd::open(address, 1, Framing::Sse, |_| request.clone())?
    } else {
        let path = make(&server, "s", mode, members)?;
        Crowd::join(address, members, &path, mode == "explicit")?
    };
    let request = Request::post(address, &Feedwire::publish_path(FEED), BATCH, EVENT_BYTES);
    let load = Fanout {
        address,
        requests: slice::from_ref(&request),
        publishers: PUBLISHERS,
        subjects: SUBJECTS,
        fan: 1,
        pace: Pace::Undelivered(UNDELIVERED_MAX),
        span,
    };
    let spell = Spell::begin(&server.peer.child)?;
    let delivered = load.run(&mut crowd)?;
    let shares = spell.end(&server.peer.child)?;
    delivered.must_be_shared(&crowd)?;
    let rate = per_second(delivered.deliveries, delivered.span);
    Ok(Figures { rate, shares })
}
