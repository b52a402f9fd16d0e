//! Long polls that wait for a feed to which nothing is saved, beside readers over SSE that wait for the same.

use std::time::Duration;

use super::bench::Bench;
use super::idle::{gather, memory_each, readers, wait};
use super::serialized::{FEED, fill};
use crate::figures::{NONE, bytes, cell, fine_percent, median_of, ratio, seconds, span};
use crate::load::{Begin, Waiters};
use crate::peers::{PROJECT, Serialized};
use crate::report::Report;
use crate::usage::Spell;

/// The longest that a poll may ask to wait.
const WAIT_TIME: Duration = Duration::from_mins(1);

/// How long such a poll is let wait: some clients give up after a minute.
const TURN: Duration = Duration::from_secs(55);

/// Longer than a turn: every poll is answered in it, and asked again.
const SPAN: Duration = Duration::from_mins(1);

/// How late an answer may be that makes a figure.
const LATE_MOST: Duration = Duration::from_secs(3);

/// Every reader over SSE has a heartbeat in this time.
const HEARTBEATS: Duration = Duration::from_secs(15);

/// What all polls together may cost at most, of a core.
const CPU_MOST: f64 = 0.03;

/// What a poll may take at most of the memory that a reader over SSE takes.
const MEMORY_MOST: f64 = 1.0;

/// What those who wait cost.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Bytes each, once all were told at least once that there is nothing.
    memory: f64,
    /// Part of a core.
    server: f64,
}

struct Run {
    polls: Figures,
    /// Seconds that a poll waited for its answer.
    p50: f64,
    p99: f64,
    sse: Figures,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let count = readers(bench);
    report.heading(&format!("{count} long polls that wait"));
    report.columns(&[
        "who waits",
        "memory each",
        "of a reader over SSE",
        "at most",
        "server CPU",
        "at most",
        "answered after, p50",
        "p99",
    ]);
    let runs = (0..bench.runs).map(|_| measure(bench, count));
    let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
    let of = |figure: fn(&Run) -> f64| median_of(&runs, figure);
    report.row(&[
        format!("polls with waitTime={}", wait_time(bench).as_millis()),
        cell(of(|run| run.polls.memory), bytes),
        cell(of(|run| run.polls.memory / run.sse.memory), ratio),
        ratio(MEMORY_MOST),
        cell(of(|run| run.polls.server), fine_percent),
        fine_percent(CPU_MOST),
        cell(of(|run| run.p50), span),
        cell(of(|run| run.p99), span),
    ]);
    report.row(&[
        "readers over SSE, a heartbeat every 15 s".to_owned(),
        cell(of(|run| run.sse.memory), bytes),
        ratio(1.0),
        NONE.to_owned(),
        cell(of(|run| run.sse.server), fine_percent),
        NONE.to_owned(),
        NONE.to_owned(),
        NONE.to_owned(),
    ]);
    Ok(())
}

fn measure(bench: &Bench<'_>, count: usize) -> anyhow::Result<Run> {
    let sse = sse(bench, count)?;
    let server = bench.feedwire()?;
    let peer = &server.peer;
    let client = Serialized::anybody(peer.address);
    let head = fill(&client)?;
    let query = |wait: Duration| format!("since={head}&waitTime={}", wait.as_millis());
    // What the first poll of all makes the server set up is no poll's.
    let first = client.poll(FEED, &query(Duration::from_millis(100)));
    let (nothing, _) = client.told(&first)?;
    let before = peer.child.memory()?;
    let request = client.poll(FEED, &query(wait_time(bench)));
    let mut waiters = Waiters::open(Begin {
        address: peer.address,
        request: &request,
        count,
        turn: bench.span(TURN),
        late_most: LATE_MOST,
        nothing: &nothing,
    })?;
    let spell = Spell::begin(&peer.child)?;
    let waited = waiters.wait(bench.span(SPAN))?;
    let polls = Figures {
        memory: memory_each(before, peer, count)?,
        server: spell.end(&peer.child)?.server,
    };
    Ok(Run {
        polls,
        p50: seconds(waited.at(500)),
        p99: seconds(waited.at(990)),
        sse,
    })
}

/// A trial asks for no more than it waits for.
fn wait_time(bench: &Bench<'_>) -> Duration {
    if bench.is_quick {
        bench.span(TURN)
    } else {
        WAIT_TIME
    }
}

fn sse(bench: &Bench<'_>, count: usize) -> anyhow::Result<Figures> {
    let server = bench.feedwire()?;
    let peer = &server.peer;
    fill(&Serialized::anybody(peer.address))?;
    let (mut crowd, before) = gather(peer, count, |_| format!("{PROJECT}/feeds/{FEED}"))?;
    let spell = Spell::begin(&peer.child)?;
    wait(&mut crowd, bench.span(HEARTBEATS))?;
    Ok(Figures {
        memory: memory_each(before, peer, count)?,
        server: spell.end(&peer.child)?.server,
    })
}
