//! What connectors that fail take from those that do not.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::json;

use super::bench::Bench;
use super::push::{
    EVENT_BYTES, FEED, PROJECTS, SUBJECTS, make_connectors, make_projects, requests, url,
};
use crate::figures::{cell, median_of, per_second, percent, rate, ratio, seconds, span};
use crate::load::{Closed, Delivered, FAILING, Fanout, Pace, Protocol, Receiver, Request};
use crate::peers::{Feedwire, nobody};
use crate::report::Report;
use crate::usage::{Shares, Spell};

const HEALTHY: usize = 900;
const FAULTY: usize = 100;

/// Events a second at a fixed rate: with all connectors, the server has a core left over.
const RATE: u32 = 20;
/// Deliveries that may be on their way where it goes as fast as it can.
const UNDELIVERED_MAX: u64 = 9_000;

const SPAN: Duration = Duration::from_secs(10);
/// In which every connector connects, and those that fail have begun to.
const WARM_UP: Duration = Duration::from_secs(3);

const CONNECTIONS: usize = 16;

/// With or without some that fail.
#[derive(Debug, Clone, Copy)]
struct Figures {
    p50: f64,
    p99: f64,
    shares: Shares,
    /// Deliveries a second, as fast as it goes.
    fast: f64,
    /// Publishes a second on other connections meanwhile.
    publishes: f64,
    /// Requests that failed, a second.
    refused: f64,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let (healthy, faulty) = if bench.is_quick {
        (HEALTHY / 10, FAULTY / 10)
    } else {
        (HEALTHY, FAULTY)
    };
    let runs = (0..bench.runs).map(|_| {
        let alone = measure(bench, healthy, 0)?;
        Ok((alone, measure(bench, healthy, faulty)?))
    });
    let runs: Vec<(Figures, Figures)> = runs.collect::<anyhow::Result<_>>()?;
    report.heading(&format!(
        "{healthy} connectors of {PROJECTS} projects, alone and with {faulty} that fail; {RATE} events/s, each to a tenth of them"
    ));
    report.columns(&[
        "connectors",
        "p50",
        "p99",
        "server CPU",
        "refused/s",
        "deliveries/s, as fast as it goes",
        "publishes/s beside",
    ]);
    let row = |name: String, of: fn(&(Figures, Figures)) -> Figures| {
        let median = |figure: fn(Figures) -> f64| median_of(&runs, |run| figure(of(run)));
        [
            name,
            cell(median(|one| one.p50), span),
            cell(median(|one| one.p99), span),
            cell(median(|one| one.shares.server), percent),
            cell(median(|one| one.refused), rate),
            cell(median(|one| one.fast), rate),
            cell(median(|one| one.publishes), rate),
        ]
    };
    report.row(&row(format!("{healthy}"), |run| run.0));
    report.row(&row(format!("{healthy}, and {faulty} that fail"), |run| {
        run.1
    }));
    let part = |figure: fn(Figures) -> f64| {
        cell(
            median_of(&runs, |(alone, with)| figure(*with) / figure(*alone)),
            ratio,
        )
    };
    report.row(&[
        "with of alone".to_owned(),
        part(|one| one.p50),
        part(|one| one.p99),
        part(|one| one.shares.server),
        String::new(),
        part(|one| one.fast),
        part(|one| one.publishes),
    ]);
    Ok(())
}

fn measure(bench: &Bench<'_>, healthy: usize, faulty: usize) -> anyhow::Result<Figures> {
    let server = bench.pushing_feedwire()?;
    make_projects(&server)?;
    let mut receiver = Receiver::open(healthy + faulty)?;
    let addresses = receiver.addresses()?;
    let settings = json!({"start": "now"});
    let healthy_urls = addresses[..healthy].iter().map(|to| url(*to, "/"));
    make_connectors(&server, "well", healthy_urls, &settings)?;
    let gone = nobody()?;
    // Of each project's, one after the other refuses, and is not there.
    let faulty_urls = addresses[healthy..].iter().enumerate().map(|(index, to)| {
        let is_there = (index / PROJECTS).is_multiple_of(2);
        url(if is_there { *to } else { gone }, FAILING)
    });
    make_connectors(&server, "faulty", faulty_urls, &settings)?;
    let load = Load {
        server: &server,
        requests: requests(&server),
        fan: (healthy / PROJECTS) as u64,
    };
    load.run(&mut receiver, Pace::Fixed(RATE), bench.span(WARM_UP))?;
    let before = receiver.taken();
    let spell = Spell::begin(&server.peer.child)?;
    let length = bench.span(SPAN);
    let slow = load.run(&mut receiver, Pace::Fixed(RATE), length)?;
    let shares = spell.end(&server.peer.child)?;
    let refused = receiver.taken().since(before).refused;
    let fast = load.run(&mut receiver, Pace::Undelivered(UNDELIVERED_MAX), length)?;
    let publishes = load.beside(&mut receiver, length)?;
    let latency = slow.latency();
    Ok(Figures {
        p50: seconds(latency.at(500)),
        p99: seconds(latency.at(990)),
        shares,
        fast: per_second(fast.deliveries, fast.span),
        publishes,
        refused: per_second(refused, slow.span),
    })
}

/// Events that all connectors of one of the projects are to push.
struct Load<'a> {
    server: &'a Feedwire,
    requests: Vec<Request>,
    /// How many do not fail.
    fan: u64,
}

impl Load<'_> {
    fn run(
        &self,
        receiver: &mut Receiver,
        pace: Pace,
        span: Duration,
    ) -> anyhow::Result<Delivered> {
        let load = Fanout {
            address: self.server.peer.address,
            requests: &self.requests,
            publishers: PROJECTS,
            subjects: SUBJECTS,
            fan: self.fan,
            pace,
            span,
        };
        let before = receiver.taken();
        let delivered = load.run(receiver)?;
        delivered.must_be_taken(receiver.taken().since(before), self.fan)?;
        Ok(delivered)
    }

    /// What is published a second to a feed of which nothing is pushed, by a thread of its own, meanwhile.
    fn beside(&self, receiver: &mut Receiver, span: Duration) -> anyhow::Result<f64> {
        let address = self.server.peer.address;
        let path = Feedwire::publish_path(FEED);
        let publishing = std::thread::spawn(move || {
            let request = Request::post(address, &path, 1, EVENT_BYTES);
            let load = Closed {
                address,
                protocol: Protocol::Http,
                request: &request,
                connections: CONNECTIONS,
                subjects: SUBJECTS,
                warm_up: span / 10,
                span: span * 8 / 10,
            };
            load.run(|| Ok(()))
        });
        let delivered = self.run(receiver, Pace::Fixed(RATE), span);
        let published = publishing.join();
        let published = published.map_err(|_panic| anyhow!("who was to publish panicked"))?;
        delivered.context("while others publish")?;
        let published = published?;
        Ok(per_second(published.events, published.span))
    }
}
