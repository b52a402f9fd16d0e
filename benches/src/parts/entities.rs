//! Entities: put one by one and in lines, loaded by jobs, and read before the events that follow them.

use super::bench::Bench;
use super::{entities_bulk, entities_load, entities_one, entities_state};
use crate::event::Event;
use crate::load::{Fill, Request};
use crate::peers::Feedwire;
use crate::report::Report;

/// Entities of the large feed, and events of the feed beside it.
const ENTITIES: u64 = 1_000_000;
const BYTES: usize = 300;
/// Lines of one request that fills a feed: several batches of the server's.
pub(super) const LINES: u64 = 20_000;
/// The feed that has entities.
pub(super) const PLANES: &str = "planes";
/// The feed that has as many events of the same size.
pub(super) const FLIGHTS: &str = "flights";

/// A server with a feed of entities and a feed of events in it.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) server: Feedwire,
    /// Of each.
    pub(super) count: u64,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    entities_one::run(bench, report)?;
    entities_bulk::run(bench, report)?;
    let count = if bench.is_quick {
        ENTITIES / 10
    } else {
        ENTITIES
    };
    let filled = fill(bench, count)?;
    entities_state::run(bench, report, &filled)?;
    entities_load::run(bench, report, &filled)
}

fn fill(bench: &Bench<'_>, count: u64) -> anyhow::Result<Filled> {
    let server = bench.feedwire()?;
    let paths = [
        (Feedwire::entities_path(PLANES), Event::entity(BYTES)),
        (Feedwire::publish_path(FLIGHTS), Event::of(BYTES)),
    ];
    for (path, event) in paths {
        send(&server, &path, &event, 0..count, count)?;
    }
    server.must_hold(PLANES, count)?;
    server.must_hold(FLIGHTS, count)?;
    Ok(Filled { server, count })
}

/// Sends lines like `event` to `path`, with `numbers` and of `subjects` subjects in turn, request after request.
pub(super) fn send(
    server: &Feedwire,
    path: &str,
    event: &Event,
    numbers: std::ops::Range<u64>,
    subjects: u64,
) -> anyhow::Result<()> {
    let address = server.peer.address;
    let mut fill = Fill::open(address)?;
    let mut request = Request::lines(address, path, usize::try_from(LINES)?, event);
    for first in numbers.step_by(usize::try_from(LINES)?) {
        fill.publish(&mut request, first, subjects)?;
    }
    Ok(())
}
