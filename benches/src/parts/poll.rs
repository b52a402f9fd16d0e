//! Polls that return nothing: what it costs to be asked who asks, and what the answer itself does.

use std::time::Duration;

use anyhow::Context as _;

use super::bench::Bench;
use crate::figures::{cell, fine_span, median_of, per_second, rate, ratio, seconds, span};
use crate::load::{Closed, Request};
use crate::peers::{Feedwire, PROJECT, Peer};
use crate::report::Report;
use crate::usage::Spell;

const SPAN: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(1);
pub(super) const CONNECTIONS: usize = 16;
const JSON: &str = "application/json";

/// What a peer made of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) polls: f64,
    pub(super) p50: f64,
    /// Seconds of a core that the server spends on a poll.
    pub(super) cpu: f64,
}

/// One run: of a bare server, of one that is open, and of one that asks who polls.
struct Run {
    hyper: Figures,
    open: Figures,
    /// By the token of a credential.
    credential: Figures,
    /// By an access token.
    access: Figures,
}

/// Which of a run is meant.
type Of = fn(&Run) -> Figures;

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    report.heading(&format!(
        "Polls that return nothing, {CONNECTIONS} connections"
    ));
    report.columns(&[
        "who polls",
        "polls/s",
        "p50",
        "CPU a poll",
        "more than open",
        "CPU a poll / bare hyper's",
    ]);
    let runs = (0..bench.runs).map(|_| measure(bench));
    let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
    let rows: [(&str, Of); 4] = [
        ("bare hyper", |run| run.hyper),
        ("everybody: the server is open", |run| run.open),
        ("a credential, by its token", |run| run.credential),
        ("a credential, by an access token", |run| run.access),
    ];
    for (who, figures) in rows {
        report.row(&[
            who.to_owned(),
            cell(median_of(&runs, |run| figures(run).polls), rate),
            cell(median_of(&runs, |run| figures(run).p50), span),
            cell(median_of(&runs, |run| figures(run).cpu), fine_span),
            cell(
                median_of(&runs, |run| figures(run).cpu - run.open.cpu),
                fine_span,
            ),
            cell(
                median_of(&runs, |run| figures(run).cpu / run.hyper.cpu),
                ratio,
            ),
        ]);
    }
    Ok(())
}

fn measure(bench: &Bench<'_>) -> anyhow::Result<Run> {
    let hyper = bench.bare_hyper()?;
    // As long as the page that is empty.
    let page = format!("/whole?{EMPTY_PAGE_BYTES}");
    let request = Request::get(hyper.address, &page, JSON);
    let hyper = load(bench, &hyper, &request)?;
    let path = format!("{PROJECT}/feeds/orders?after=0");
    let server = bench.feedwire()?;
    let request = Request::get(server.peer.address, &path, JSON);
    let open = load(bench, &server.peer, &request)?;
    drop(server);
    let (server, token) = bench.guarded_feedwire()?;
    let address = server.peer.address;
    let request = Request::get(address, &path, JSON).proven(&token);
    let credential = load(bench, &server.peer, &request)?;
    let exchanged = Feedwire::access_token(address, &token)?;
    let request = Request::get(address, &path, JSON).proven(&exchanged);
    let access = load(bench, &server.peer, &request)?;
    Ok(Run {
        hyper,
        open,
        credential,
        access,
    })
}

/// The bytes of a page without events.
const EMPTY_PAGE_BYTES: usize = r#"{"events":[],"cursor":"0","has_more":false,"head":0}"#.len();

/// Puts `request` on `peer` again and again.
pub(super) fn load(bench: &Bench<'_>, peer: &Peer, request: &Request) -> anyhow::Result<Figures> {
    let load = Closed {
        address: peer.address,
        protocol: peer.protocol,
        request,
        connections: CONNECTIONS,
        subjects: 1,
        warm_up: bench.span(WARM_UP),
        span: bench.span(SPAN),
    };
    let (mut spell, mut shares) = (None, None);
    let measured = load.run(|| {
        match &spell {
            None => spell = Some(Spell::begin(&peer.child)?),
            Some(spell) => shares = Some(spell.end(&peer.child)?),
        }
        Ok(())
    })?;
    let shares = shares.context("the span has ended")?;
    let polls = per_second(measured.latency.total(), measured.span);
    Ok(Figures {
        polls,
        p50: seconds(measured.latency.at(500)),
        cpu: shares.server / polls,
    })
}
