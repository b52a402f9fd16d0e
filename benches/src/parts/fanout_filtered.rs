//! Readers that filter, beside as many deliveries of as many events to readers that do not.

use std::slice;
use std::time::Duration;

use anyhow::Context as _;

use super::bench::Bench;
use super::fanout::EVENT_BYTES;
use crate::figures::{cell, fine_span, median_of, per_second, percent, rate, ratio, seconds, span};
use crate::load::{Crowd, Fanout, Fill, Framing, Pace, Request};
use crate::peers::{Feedwire, PROJECT, Peer};
use crate::report::Report;
use crate::usage::Spell;

const FEED: &str = "flights";
const READERS: usize = 1_000;
const SUBJECTS: usize = 10_000;
/// Subjects lie in zones, in turn, and readers ask for one each: an event concerns a tenth of them.
const ZONES: usize = 10;
const PUBLISHERS: usize = 64;
const SPAN: Duration = Duration::from_secs(5);

/// Events a second.
const RATES: [u32; 2] = [500, 2_000];

/// What a delivery to readers that filter may cost at most, of what it costs to others.
const MOST: f64 = 2.0;

/// What readers ask for.
#[derive(Debug, Clone, Copy)]
enum Asking {
    /// Everything; there are as many of them as an event concerns of the others.
    Everything,
    /// Everything of fewer events, so that as many readers have as many events each.
    Less,
    /// The label of their zone.
    Label,
    /// The subjects of their zone, by name.
    Subjects,
}

#[derive(Debug, Clone, Copy)]
struct Figures {
    deliveries: f64,
    p50: f64,
    p99: f64,
    server: f64,
    generator: f64,
}

impl Figures {
    /// Seconds of a core that the server spends on a delivery, with its part of what publishing takes.
    fn cpu(&self) -> f64 {
        self.server / self.deliveries
    }
}

/// One run of one rate.
struct Run {
    everything: Figures,
    less: Figures,
    label: Figures,
    subjects: Figures,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let (readers, subjects) = (scaled(bench, READERS), scaled(bench, SUBJECTS));
    let few = readers / ZONES;
    report.heading(&format!(
        "Fan-out over SSE to readers that filter: each event, of one of {subjects} subjects, to {few} readers"
    ));
    report.columns(&[
        "readers, events/s",
        "delivered/s",
        "p50",
        "p99",
        "lost",
        "server CPU",
        "generator CPU",
        "CPU a delivery",
        "of unfiltered",
        "at most",
    ]);
    for rate in RATES {
        let runs = (0..bench.runs).map(|_| measure(bench, rate));
        let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
        let words = format!("{few} of everything, {rate}");
        row(report, &runs, &words, |run| &run.everything, None);
        let words = format!("{readers} of everything, {}", fewer(rate));
        row(report, &runs, &words, |run| &run.less, None);
        let words = format!("{readers} of one of {ZONES} labels each, {rate}");
        row(report, &runs, &words, |run| &run.label, Some(MOST));
        let words = format!("{readers} of {} subjects each, {rate}", subjects / ZONES);
        row(report, &runs, &words, |run| &run.subjects, Some(MOST));
    }
    Ok(())
}

fn scaled(bench: &Bench<'_>, count: usize) -> usize {
    if bench.is_quick { count / 10 } else { count }
}

/// The events a second of which everything is as much as a zone is of `rate`.
fn fewer(rate: u32) -> u32 {
    rate / u32::try_from(ZONES).expect("it is small")
}

fn measure(bench: &Bench<'_>, rate: u32) -> anyhow::Result<Run> {
    let of = |asking| follow(bench, rate, asking).with_context(|| format!("{asking:?}"));
    Ok(Run {
        everything: of(Asking::Everything)?,
        less: of(Asking::Less)?,
        label: of(Asking::Label)?,
        subjects: of(Asking::Subjects)?,
    })
}

fn follow(bench: &Bench<'_>, rate: u32, asking: Asking) -> anyhow::Result<Figures> {
    let server = bench.feedwire()?;
    let peer = &server.peer;
    let subjects = scaled(bench, SUBJECTS);
    label(peer, subjects)?;
    let few = scaled(bench, READERS) / ZONES;
    let (readers, fan, rate) = match asking {
        Asking::Everything => (few, few, rate),
        Asking::Less => (few * ZONES, few * ZONES, fewer(rate)),
        Asking::Label | Asking::Subjects => (few * ZONES, few, rate),
    };
    let request = |index| {
        let path = path(asking, index % ZONES, subjects);
        Request::get(peer.address, &path, "text/event-stream")
    };
    let mut crowd = Crowd::open(peer.address, readers, Framing::Sse, request)?;
    let request = Request::post(peer.address, &Feedwire::publish_path(FEED), 1, EVENT_BYTES);
    let load = Fanout {
        address: peer.address,
        requests: slice::from_ref(&request),
        publishers: PUBLISHERS,
        subjects: subjects as u64,
        fan: fan as u64,
        pace: Pace::Fixed(rate),
        span: bench.span(SPAN),
    };
    let spell = Spell::begin(&peer.child)?;
    let delivered = load.run(&mut crowd)?;
    let shares = spell.end(&peer.child)?;
    delivered.must_be_parted(&crowd, readers / fan)?;
    let latency = delivered.latency();
    Ok(Figures {
        deliveries: per_second(delivered.deliveries, delivered.span),
        p50: seconds(latency.at(500)),
        p99: seconds(latency.at(990)),
        server: shares.server,
        generator: shares.generator,
    })
}

/// Gives each subject the label of its zone, also where nobody asks for it: a server that has labels is measured throughout.
fn label(peer: &Peer, subjects: usize) -> anyhow::Result<()> {
    let mut fill = Fill::open(peer.address)?;
    for index in 0..subjects {
        let path = format!("{PROJECT}/subjects/N{index:09}/labels");
        let labels = format!(r#"{{"labels":{{"zone":"{}"}}}}"#, index % ZONES);
        fill.send(&Request::put_json(peer.address, &path, &labels))?;
    }
    Ok(())
}

fn path(asking: Asking, zone: usize, subjects: usize) -> String {
    let feed = format!("{PROJECT}/feeds/{FEED}");
    match asking {
        Asking::Everything | Asking::Less => feed,
        Asking::Label => format!("{feed}?labels=zone%3D{zone}"),
        Asking::Subjects => {
            let own = (zone..subjects).step_by(ZONES);
            let names: Vec<_> = own.map(|index| format!("N{index:09}")).collect();
            format!("{feed}?subjects={}", names.join(","))
        }
    }
}

fn row(
    report: &mut Report,
    runs: &[Run],
    words: &str,
    of: impl Fn(&Run) -> &Figures,
    most: Option<f64>,
) {
    report.row(&[
        words.to_owned(),
        cell(median_of(runs, |run| of(run).deliveries), rate),
        cell(median_of(runs, |run| of(run).p50), span),
        cell(median_of(runs, |run| of(run).p99), span),
        "none".to_owned(),
        cell(median_of(runs, |run| of(run).server), percent),
        cell(median_of(runs, |run| of(run).generator), percent),
        cell(median_of(runs, |run| of(run).cpu()), fine_span),
        cell(
            median_of(runs, |run| of(run).cpu() / run.everything.cpu()),
            ratio,
        ),
        cell(most, ratio),
    ]);
}
