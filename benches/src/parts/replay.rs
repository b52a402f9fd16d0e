//! Replay: a log that is there already, read as fast as it goes.

use super::bench::Bench;
use super::{replay_pages, replay_small, replay_whole};
use crate::load::{Fill, Request, Tally};
use crate::peers::Feedwire;
use crate::report::Report;

/// Events of the large feed.
const EVENTS: u64 = 1_000_000;
pub(super) const EVENT_BYTES: usize = 300;
const BATCH: u64 = 1_000;
const SUBJECTS: u64 = 4_000;
pub(super) const LARGE: &str = "flights";
/// One event of it follows each batch of the large feed.
pub(super) const SMALL: &str = "weather";

/// A server with a log in it.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) server: Feedwire,
    pub(super) events: u64,
    /// Events of the small feed among them.
    pub(super) small: u64,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let events = if bench.is_quick { EVENTS / 10 } else { EVENTS };
    let filled = fill(bench, events)?;
    replay_whole::run(bench, report, &filled)?;
    replay_pages::run(bench, report, &filled)?;
    replay_small::run(bench, report, filled)
}

fn fill(bench: &Bench<'_>, events: u64) -> anyhow::Result<Filled> {
    let server = bench.feedwire()?;
    let address = server.peer.address;
    let (large, small) = (Feedwire::publish_path(LARGE), Feedwire::publish_path(SMALL));
    let mut batch = Request::post(address, &large, usize::try_from(BATCH)?, EVENT_BYTES);
    let mut one = Request::post(address, &small, 1, EVENT_BYTES);
    let mut fill = Fill::open(address)?;
    let batches = events / BATCH;
    for number in 0..batches {
        fill.publish(&mut batch, number * BATCH, SUBJECTS)?;
        fill.publish(&mut one, number, SUBJECTS)?;
    }
    server.must_hold(LARGE, events)?;
    server.must_hold(SMALL, batches)?;
    Ok(Filled {
        server,
        events,
        small: batches,
    })
}

/// Fails unless everything with a number below `events` was read, once.
pub(super) fn must_be_all(tally: Tally, events: u64) -> anyhow::Result<()> {
    let numbers = (0..events).sum();
    anyhow::ensure!(
        (tally.events, tally.numbers, tally.unordered) == (events, numbers, 0),
        "{events} events are there, and {tally:?} were read"
    );
    Ok(())
}
