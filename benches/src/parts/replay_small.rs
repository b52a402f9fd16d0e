//! A small feed of a large log: one event in a thousand.

use std::time::Duration;

use super::bench::Bench;
use super::replay::{Filled, LARGE, SMALL, must_be_all};
use crate::clock;
use crate::figures::{cell, median_of, per_second, rate, ratio, span};
use crate::load::{Pages, Tally};
use crate::peers::PROJECT;
use crate::report::Report;

/// One run: all of the small feed right after a start and again, and as many events of the large one.
struct Run {
    events: u64,
    first: Duration,
    again: Duration,
    large: Duration,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report, filled: Filled) -> anyhow::Result<()> {
    let (mut server, small) = (filled.server, filled.small);
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        // What was read lately is in memory, so each run starts the server anew.
        server = bench.restart(server)?;
        let mut pages = Pages::open(server.peer.address)?;
        // The first reading of all opens the log.
        pages.get(&format!("{PROJECT}/feeds/{LARGE}?limit=1"))?;
        let (large, _) = read(&mut pages, LARGE, small)?;
        let (first, tally) = read(&mut pages, SMALL, small)?;
        must_be_all(tally, small)?;
        let (again, tally) = read(&mut pages, SMALL, small)?;
        must_be_all(tally, small)?;
        runs.push(Run {
            events: small,
            first,
            again,
            large,
        });
    }
    report.heading(&format!(
        "A feed of {small} events that is 1 in 1,000 of a log, beside as many of the large feed in a row"
    ));
    report.columns(&["reading", "time", "events/s", "of the large feed"]);
    for (name, took) in [
        ("the first time", (|run| run.first) as fn(&Run) -> Duration),
        ("again", |run| run.again),
        ("the large feed", |run| run.large),
    ] {
        let large = |run: &Run| run.large.as_secs_f64() / took(run).as_secs_f64();
        report.row(&[
            name.to_owned(),
            cell(median_of(&runs, |run| took(run).as_secs_f64()), span),
            cell(
                median_of(&runs, |run| per_second(run.events, took(run))),
                rate,
            ),
            cell(median_of(&runs, large), ratio),
        ]);
    }
    Ok(())
}

/// The first `events` of `feed`, in pages of 1,000.
fn read(pages: &mut Pages, feed: &str, events: u64) -> anyhow::Result<(Duration, Tally)> {
    let start = clock::now();
    let (mut tally, mut cursor, mut has_more) = (Tally::default(), "0".to_owned(), true);
    while has_more && tally.events < events {
        let limit = (events - tally.events).min(1_000);
        let page = pages.get(&format!(
            "{PROJECT}/feeds/{feed}?after={cursor}&limit={limit}"
        ))?;
        tally.add(page.tally());
        (cursor, has_more) = (page.cursor()?, page.has_more());
    }
    Ok((start.elapsed(), tally))
}
