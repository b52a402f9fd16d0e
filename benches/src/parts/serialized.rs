//! The dialect `serialized`: polls of a feed, and long polls that wait for one.

use anyhow::{Context as _, ensure};

use super::bench::Bench;
use super::{serialized_polls, serialized_waits};
use crate::peers::Serialized;
use crate::report::Report;

/// The feed that is polled.
pub(super) const FEED: &str = "order";

/// As many batches as it has, of one event each.
pub(super) const BATCHES: usize = 100;

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    serialized_polls::run(bench, report)?;
    serialized_waits::run(bench, report)
}

/// Saves the batches; tells the sequence number of the last.
pub(super) fn fill(client: &Serialized) -> anyhow::Result<u64> {
    client.fill(FEED, BATCHES, 1)?;
    let (_, page) = client.told(&client.poll(FEED, "since=0"))?;
    ensure!(
        page.entries.len() == BATCHES && !page.has_more,
        "{BATCHES} batches were saved, and {} are told",
        page.entries.len()
    );
    let last = page.entries.last().context("there are some")?;
    Ok(last.sequence_number)
}
