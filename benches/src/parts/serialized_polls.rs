//! Polls that return nothing, and polls that return batches, beside the answers of a bare server.

use anyhow::ensure;

use super::bench::Bench;
use super::poll::{CONNECTIONS, Figures, load};
use super::serialized::{BATCHES, FEED, fill};
use crate::figures::{NONE, cell, fine_span, median_of, rate, ratio, span};
use crate::load::{Drip, Request};
use crate::peers::{Feedwire, Serialized};
use crate::report::Report;

/// Another feed of the project: what it has already when the first feed is polled, and what is written to it meanwhile.
const OTHER: &str = "invoice";
const OTHER_BATCHES: usize = 1_000;
const OTHER_EVENTS: usize = 10;
const OTHER_RATE: u32 = 100;

/// What an empty poll may cost at most, of what a bare server's answer does, and a batch more than that.
const EMPTY_MOST: f64 = 1.5;
const BATCH_MOST: f64 = 0.5e-6;

/// One run: of a bare server, of one that is open, and of one that asks who polls.
struct Run {
    /// An answer as long as the page that is empty.
    hyper: Figures,
    /// One as long as the page of all batches.
    hyper_long: Figures,
    open: Polls,
    guarded: Polls,
}

/// What is polled.
struct Polls {
    nothing: Figures,
    /// While another feed goes on being written.
    nothing_new: Figures,
    batches: Figures,
    nothing_bytes: usize,
    batches_bytes: usize,
}

impl Polls {
    /// Seconds of a core that a batch costs.
    fn batch(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a hundred")]
        let count = BATCHES as f64;
        (self.batches.cpu - self.nothing.cpu) / count
    }
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    report.heading(&format!("Serialized polls, {CONNECTIONS} connections"));
    report.columns(&[
        "what is polled",
        "polls/s",
        "p50",
        "CPU a poll",
        "of bare hyper's empty answer",
        "CPU a batch more",
        "at most",
    ]);
    let runs = (0..bench.runs).map(|_| measure(bench));
    let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
    row(
        report,
        &runs,
        "bare hyper, an empty answer",
        |run| &run.hyper,
        NONE,
        NONE,
    );
    let long = format!("bare hyper, as many bytes as {BATCHES} batches");
    row(report, &runs, &long, |run| &run.hyper_long, NONE, NONE);
    servers(report, &runs, "open", |run| &run.open);
    servers(report, &runs, "by key and secret", |run| &run.guarded);
    let page = runs.first().map_or(0, |run| run.open.batches_bytes);
    report.paragraph(&format!(
        "The page of {BATCHES} batches, an event of small data each, has {page} bytes. The other feed has {} events when the polling begins, \
         and is given {} more a second, which are in the CPU of the polls meanwhile.",
        OTHER_BATCHES * OTHER_EVENTS,
        OTHER_RATE as usize * OTHER_EVENTS,
    ));
    Ok(())
}

/// The rows of a server.
fn servers(report: &mut Report, runs: &[Run], who: &str, of: fn(&Run) -> &Polls) {
    let most = format!("{} of bare hyper's", ratio(EMPTY_MOST));
    let what = format!("nothing, {who}");
    row(report, runs, &what, |run| &of(run).nothing, NONE, &most);
    let what = format!("nothing, {who}, while another feed is written");
    row(report, runs, &what, |run| &of(run).nothing_new, NONE, &most);
    let batch = cell(median_of(runs, |run| of(run).batch()), fine_span);
    let most = format!("{} a batch", fine_span(BATCH_MOST));
    let what = format!("{BATCHES} batches, {who}");
    row(report, runs, &what, |run| &of(run).batches, &batch, &most);
}

fn row(
    report: &mut Report,
    runs: &[Run],
    what: &str,
    of: impl Fn(&Run) -> &Figures,
    batch: &str,
    most: &str,
) {
    report.row(&[
        what.to_owned(),
        cell(median_of(runs, |run| of(run).polls), rate),
        cell(median_of(runs, |run| of(run).p50), span),
        cell(median_of(runs, |run| of(run).cpu), fine_span),
        cell(median_of(runs, |run| of(run).cpu / run.hyper.cpu), ratio),
        batch.to_owned(),
        most.to_owned(),
    ]);
}

fn measure(bench: &Bench<'_>) -> anyhow::Result<Run> {
    let server = bench.feedwire()?;
    let client = Serialized::anybody(server.peer.address);
    let open = polls(bench, &server, &client)?;
    drop(server);
    let (server, token) = bench.guarded_feedwire()?;
    let client = Serialized::whoever_has(&token, server.peer.address)?;
    let guarded = polls(bench, &server, &client)?;
    drop(server);
    let peer = bench.bare_hyper()?;
    let answer = |bytes| {
        let path = format!("/whole?{bytes}");
        let request = Request::get(peer.address, &path, "application/json");
        load(bench, &peer, &request)
    };
    Ok(Run {
        hyper: answer(open.nothing_bytes)?,
        hyper_long: answer(open.batches_bytes)?,
        open,
        guarded,
    })
}

fn polls(bench: &Bench<'_>, server: &Feedwire, client: &Serialized) -> anyhow::Result<Polls> {
    let head = fill(client)?;
    let peer = &server.peer;
    let nothing = client.poll(FEED, &format!("since={head}"));
    let batches = client.poll(FEED, &format!("since=0&limit={BATCHES}"));
    let (nothing_bytes, batches_bytes) =
        (told(client, &nothing, 0)?, told(client, &batches, BATCHES)?);
    let (nothing_cpu, batches_cpu) = (load(bench, peer, &nothing)?, load(bench, peer, &batches)?);
    client.fill(OTHER, OTHER_BATCHES, OTHER_EVENTS)?;
    let write = client.save(OTHER, 0, OTHER_EVENTS);
    let drip = Drip::start(client.address, write, OTHER_RATE)?;
    let nothing_new = load(bench, peer, &nothing)?;
    let written = drip.end()?;
    client.must_hold(OTHER, OTHER_BATCHES as u64 + written)?;
    // What was polled is what there was, from first to last.
    told(client, &nothing, 0)?;
    told(client, &batches, BATCHES)?;
    Ok(Polls {
        nothing: nothing_cpu,
        nothing_new,
        batches: batches_cpu,
        nothing_bytes,
        batches_bytes,
    })
}

/// The bytes of the answer to `poll`, which has to have `entries` and be all there is.
fn told(client: &Serialized, poll: &Request, entries: usize) -> anyhow::Result<usize> {
    let (body, page) = client.told(poll)?;
    ensure!(
        page.entries.len() == entries && !page.has_more,
        "a poll was told {} batches instead of {entries}",
        page.entries.len()
    );
    Ok(body.len())
}
