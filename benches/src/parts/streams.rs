//! Streams: a log that is there already, shared by members; and how soon another has what a dead member had.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::bench::Bench;
use crate::clock;
use crate::figures::{cell, median_of, per_second, percent, rate, ratio, span};
use crate::interrupt;
use crate::load::{Crowd, Fill, Framing, Member, Nobody, Request};
use crate::peers::{Feedwire, PROJECT};
use crate::report::Report;
use crate::usage::{Shares, Spell};

const EVENTS: u64 = 200_000;
const EVENT_BYTES: usize = 300;
const BATCH: u64 = 1_000;
const SUBJECTS: u64 = 4_000;
const FEED: &str = "orders";
const MEMBERS: [usize; 3] = [1, 3, 16];
const MODES: [&str; 2] = ["delivered", "explicit"];
/// Members that die, one after the other.
const DEATHS: usize = 21;

/// One reading of all of it.
#[derive(Debug, Clone, Copy)]
struct Reading {
    events_per_second: f64,
    shares: Shares,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let events = if bench.is_quick { EVENTS / 10 } else { EVENTS };
    let server = bench.feedwire()?;
    fill(&server, events)?;
    deliveries(bench, report, &server, events)?;
    deaths(report, &server)
}

fn fill(server: &Feedwire, events: u64) -> anyhow::Result<()> {
    let address = server.peer.address;
    let path = Feedwire::publish_path(FEED);
    let mut batch = Request::post(address, &path, usize::try_from(BATCH)?, EVENT_BYTES);
    let mut fill = Fill::open(address)?;
    for number in 0..events / BATCH {
        fill.publish(&mut batch, number * BATCH, SUBJECTS)?;
    }
    server.must_hold(FEED, events)
}

fn deliveries(
    bench: &Bench<'_>,
    report: &mut Report,
    server: &Feedwire,
    events: u64,
) -> anyhow::Result<()> {
    let mut plain = Vec::new();
    let mut shared: Vec<(&str, usize, Vec<Reading>)> = Vec::new();
    for mode in MODES {
        shared.extend(MEMBERS.map(|members| (mode, members, Vec::new())));
    }
    for run in 0..bench.runs {
        plain.push(alone(server, events)?);
        for (mode, members, readings) in &mut shared {
            readings.push(share(server, events, (mode, *members, run))?);
        }
    }
    report.heading(&format!(
        "{events} events of 300 B in a log, shared by members"
    ));
    report.columns(&[
        "readers",
        "events/s",
        "of one plain reader",
        "server CPU",
        "generator CPU",
    ]);
    let of = |readings: &[Reading]| median_of(readings, |one| one.events_per_second);
    let whole = of(&plain);
    let mut row = |name: String, readings: &[Reading]| {
        let rates = of(readings);
        let part = rates.zip(whole).map(|(rate, whole)| rate / whole);
        report.row(&[
            name,
            cell(rates, rate),
            cell(part, ratio),
            cell(median_of(readings, |one| one.shares.server), percent),
            cell(median_of(readings, |one| one.shares.generator), percent),
        ]);
    };
    row("one plain SSE reader".to_owned(), &plain);
    for (mode, members, readings) in &shared {
        let plural = if *members == 1 { "member" } else { "members" };
        row(format!("`{mode}`, {members} {plural}"), readings);
    }
    Ok(())
}

/// One reader of the feed that shares it with nobody.
fn alone(server: &Feedwire, events: u64) -> anyhow::Result<Reading> {
    let peer = &server.peer;
    let path = format!("{PROJECT}/feeds/{FEED}?from=start&limit={events}");
    let request = Request::get(peer.address, &path, "text/event-stream");
    let (spell, start) = (Spell::begin(&peer.child)?, clock::now());
    let mut crowd = Crowd::open(peer.address, 1, Framing::Sse, |_| request.clone())?;
    while !crowd.have_ended() {
        crowd.wait(interrupt::LOOK)?;
        crowd.take(&mut Nobody)?;
    }
    let took = start.elapsed();
    Ok(Reading {
        events_per_second: per_second(events, took),
        shares: spell.end(&peer.child)?,
    })
}

/// Makes the stream `name` of the feed; returns its path.
fn stream(server: &Feedwire, name: &str, settings: &str) -> anyhow::Result<String> {
    let address = server.peer.address;
    let body = format!(
        r#"{{"name":"{name}","filter":{{"feeds":["{FEED}"]}},"members_max":64{settings}}}"#
    );
    let path = format!("{PROJECT}/streams");
    Fill::open(address)?.send(&Request::post_json(address, &path, &body))?;
    Ok(format!("{path}/{name}"))
}

fn share(
    server: &Feedwire,
    events: u64,
    (mode, members, run): (&str, usize, u8),
) -> anyhow::Result<Reading> {
    let peer = &server.peer;
    let name = format!("{mode}-{members}-{run}");
    let path = stream(server, &name, &format!(r#","start":"now","mode":"{mode}""#))?;
    let is_explicit = mode == "explicit";
    let joined = (0..members).map(|_| Member::join(peer.address, &path, is_explicit));
    let joined: Vec<Member> = joined.collect::<anyhow::Result<_>>()?;
    // All of them are there when it begins: a stream that is under way waits until what one has is settled, before another has it.
    let seek = Request::post_json(peer.address, &format!("{path}/seek"), r#"{"to":"start"}"#);
    let mut seeker = Fill::open(peer.address)?;
    let (spell, start) = (Spell::begin(&peer.child)?, clock::now());
    seeker.send(&seek)?;
    let taken = AtomicU64::new(0);
    thread::scope(|scope| {
        let threads: Vec<_> = joined
            .into_iter()
            .map(|mut member| {
                let (taken, path) = (&taken, &path);
                scope.spawn(move || -> anyhow::Result<()> {
                    while taken.load(Ordering::Relaxed) < events {
                        interrupt::check()?;
                        taken.fetch_add(
                            member.take().with_context(|| path.clone())?,
                            Ordering::Relaxed,
                        );
                    }
                    Ok(())
                })
            })
            .collect();
        for thread in threads {
            let ended = thread.join();
            ended.ok().context("a member has panicked")??;
        }
        anyhow::Ok(())
    })?;
    let took = start.elapsed();
    let shares = spell.end(&peer.child)?;
    Ok(Reading {
        events_per_second: per_second(taken.into_inner(), took),
        shares,
    })
}

/// How long it takes from the end of a member's connection until another has what it had in hand.
fn deaths(report: &mut Report, server: &Feedwire) -> anyhow::Result<()> {
    let path = stream(server, "deaths", r#","start":"now""#)?;
    let address = server.peer.address;
    let mut stays = Member::join(address, &path, true)?;
    let publish = Feedwire::publish_path(FEED);
    let mut batch = Request::post(address, &publish, 100, EVENT_BYTES);
    let mut fill = Fill::open(address)?;
    let mut spans: Vec<Duration> = Vec::new();
    for number in 0..DEATHS as u64 {
        let mut dies = Member::join(address, &path, false)?;
        // What is published goes to both once the new one has its share.
        dies.take()?;
        fill.publish(&mut batch, number * 100, SUBJECTS)?;
        let mut had = 0;
        while had == 0 {
            interrupt::check()?;
            had = dies.take()?;
        }
        let mut kept = 0;
        while kept + had < 100 {
            interrupt::check()?;
            kept += stays.take()?;
            had += if kept + had < 100 { dies.take()? } else { 0 };
        }
        let start = clock::now();
        dies.die()?;
        let mut again = 0;
        while again == 0 {
            interrupt::check()?;
            again = stays.take()?;
        }
        spans.push(start.elapsed());
        while again < had {
            again += stays.take()?;
        }
    }
    spans.sort_unstable();
    ensure!(!spans.is_empty(), "nobody has died");
    report.heading("From the end of a member's connection until another has the first event that it had in hand");
    report.columns(&["", "time"]);
    report.row(&[
        "median".to_owned(),
        span(spans[spans.len() / 2].as_secs_f64()),
    ]);
    report.row(&[
        "longest".to_owned(),
        span(spans[spans.len() - 1].as_secs_f64()),
    ]);
    Ok(())
}
