//! What connectors cost that have nothing to push.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::bench::Bench;
use super::idle::memory_each;
use super::push::{PROJECTS, SUBJECTS, make_connectors, make_projects, project, requests, url};
use crate::clock;
use crate::figures::{bytes, cell, fine_percent, median_of};
use crate::interrupt;
use crate::load::{Fanout, Fill, Pace, Receiver, Request, ask};
use crate::peers::Feedwire;
use crate::report::Report;
use crate::usage::Spell;

const CONNECTORS: usize = 1_000;

/// How long what they take of a core is looked at.
const SPAN: Duration = Duration::from_secs(10);

/// Longest wait until all of them are members of their streams.
const JOIN_WAIT: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Bytes of each.
    paused: f64,
    active: f64,
    /// Once each has pushed, and keeps its connection.
    connected: f64,
    /// Part of a core that all of them take.
    server: f64,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let count = if bench.is_quick {
        CONNECTORS / 10
    } else {
        CONNECTORS
    };
    let runs = (0..bench.runs).map(|_| measure(bench, count));
    let runs: Vec<Figures> = runs.collect::<anyhow::Result<_>>()?;
    let of = |figure: fn(&Figures) -> f64| median_of(&runs, figure);
    report.heading(&format!(
        "{count} connectors of {PROJECTS} projects, with nothing to push"
    ));
    report.columns(&["connectors", "memory of each", "server CPU"]);
    report.row(&[
        "paused".to_owned(),
        cell(of(|run| run.paused), bytes),
        String::new(),
    ]);
    report.row(&[
        "active".to_owned(),
        cell(of(|run| run.active), bytes),
        cell(of(|run| run.server), fine_percent),
    ]);
    report.row(&[
        "active, after an event each".to_owned(),
        cell(of(|run| run.connected), bytes),
        String::new(),
    ]);
    Ok(())
}

fn measure(bench: &Bench<'_>, count: usize) -> anyhow::Result<Figures> {
    let server = bench.pushing_feedwire()?;
    make_projects(&server)?;
    let mut receiver = Receiver::open(count)?;
    let urls: Vec<_> = receiver
        .addresses()?
        .into_iter()
        .map(|to| url(to, "/"))
        .collect();
    // What the first events of all make the server set up is no connector's.
    push(&server, &mut receiver, 0)?;
    let before = server.peer.child.memory()?;
    let each = || memory_each(before, &server.peer, count);
    make_connectors(&server, "c", urls, &json!({"start": "now", "paused": true}))?;
    let paused = each()?;
    resume(&server, count)?;
    let active = each()?;
    let spell = Spell::begin(&server.peer.child)?;
    interrupt::wait(bench.span(SPAN))?;
    let shares = spell.end(&server.peer.child)?;
    push(&server, &mut receiver, (count / PROJECTS) as u64)?;
    Ok(Figures {
        paused,
        active,
        connected: each()?,
        server: shares.server,
    })
}

/// Has all of them push, and waits until they are members of their streams.
fn resume(server: &Feedwire, count: usize) -> anyhow::Result<()> {
    let address = server.peer.address;
    let mut fill = Fill::open(address)?;
    for index in 0..count {
        let path = format!("{}/connectors/c-{index}/resume", project(index % PROJECTS));
        fill.send(&Request::post_json(address, &path, ""))?;
    }
    let start = clock::now();
    for number in 0..PROJECTS {
        while members(server, number)? < (count / PROJECTS) as u64 {
            ensure!(start.elapsed() < JOIN_WAIT, "not all of them join");
            interrupt::wait(interrupt::LOOK)?;
        }
    }
    Ok(())
}

/// How many members the streams of a project have.
fn members(server: &Feedwire, number: usize) -> anyhow::Result<u64> {
    let path = format!("{}/streams", project(number));
    let answer: Value = serde_json::from_slice(&ask(server.peer.address, &path)?)?;
    let streams = answer["streams"].as_array().context("no streams")?;
    let counts = streams.iter().map(|stream| stream["member_count"].as_u64());
    Ok(counts.flatten().sum())
}

/// An event to each of the projects, which comes to `fan` connectors.
fn push(server: &Feedwire, receiver: &mut Receiver, fan: u64) -> anyhow::Result<()> {
    let address = server.peer.address;
    let requests = requests(server);
    let load = Fanout {
        address,
        requests: &requests,
        publishers: PROJECTS,
        subjects: SUBJECTS,
        fan,
        pace: Pace::Fixed(20),
        span: Duration::from_millis(500),
    };
    let before = receiver.taken();
    let delivered = load.run(receiver)?;
    ensure!(delivered.events >= PROJECTS as u64, "too few events");
    delivered.must_be_taken(receiver.taken().since(before), fan)
}
