//! What one connector pushes to a receiver that answers at once, beside a bare client that sends as many requests of the same size.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use super::bench::Bench;
use super::push::{EVENT_BYTES, FEED, SUBJECTS, connector, url};
use crate::child::{Child, Says};
use crate::clock;
use crate::figures::{cell, fine_span, median_of, peer_rate, per_second, percent, rate, ratio};
use crate::interrupt;
use crate::load::{Audience as _, Fill, Nobody, Receiver, Request, Taken};
use crate::peers::{Feedwire, PROJECT};
use crate::report::Report;
use crate::usage::{Shares, Spell};

/// What does not go on for so long does not come to its end.
const SILENCE: Duration = Duration::from_secs(20);

/// How one connector pushes, and how many requests are counted.
#[derive(Debug, Clone, Copy)]
struct Shape {
    in_flight: usize,
    events: usize,
    requests: u64,
    /// How many subjects the events have: of each, one request at a time is on its way.
    subjects: u64,
}

const SHAPES: [Shape; 5] = [
    Shape {
        in_flight: 1,
        events: 1,
        requests: 20_000,
        subjects: SUBJECTS,
    },
    Shape {
        in_flight: 8,
        events: 1,
        requests: 50_000,
        subjects: SUBJECTS,
    },
    Shape {
        in_flight: 64,
        events: 1,
        requests: 50_000,
        subjects: SUBJECTS,
    },
    Shape {
        in_flight: 8,
        events: 100,
        requests: 5_000,
        subjects: SUBJECTS,
    },
    Shape {
        in_flight: 8,
        events: 100,
        requests: 5_000,
        subjects: 1,
    },
];

#[derive(Debug, Clone, Copy)]
struct Figures {
    requests: f64,
    /// Bytes of a request.
    bytes: u64,
    shares: Shares,
}

impl Figures {
    /// Seconds of a core that a request takes from who sends it.
    fn cpu_each(&self) -> f64 {
        self.shares.server / self.requests
    }
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    report.heading(&format!(
        "One connector and a receiver that answers at once, events of {EVENT_BYTES} B"
    ));
    report.columns(&[
        "in flight × events a request, subjects",
        "events/s",
        "requests/s",
        "bytes a request",
        "bare hyper client, requests/s",
        "of bare",
        "server CPU",
        "CPU a request",
        "CPU a request / bare's",
        "receiver CPU",
    ]);
    for shape in SHAPES {
        let runs = (0..bench.runs).map(|_| measure(bench, shape));
        let runs: Vec<(Figures, Figures)> = runs.collect::<anyhow::Result<_>>()?;
        let of = |figure: fn(&(Figures, Figures)) -> f64| median_of(&runs, figure);
        let requests = of(|(ours, _)| ours.requests);
        #[expect(clippy::cast_precision_loss, reason = "a hundred at most")]
        let events = shape.events as f64;
        let bytes = runs.first().map_or(0, |(ours, _)| ours.bytes);
        let bare = of(|(_, bare)| bare.shares.generator);
        report.row(&[
            format!("{} × {}, {}", shape.in_flight, shape.events, shape.subjects),
            cell(requests.map(|requests| requests * events), rate),
            cell(requests, rate),
            format!("{bytes} B"),
            peer_rate(of(|(_, bare)| bare.requests), bare),
            cell(of(|(ours, bare)| ours.requests / bare.requests), ratio),
            cell(of(|(ours, _)| ours.shares.server), percent),
            cell(of(|(ours, _)| ours.cpu_each()), fine_span),
            cell(of(|(ours, bare)| ours.cpu_each() / bare.cpu_each()), ratio),
            cell(of(|(ours, _)| ours.shares.generator), percent),
        ]);
    }
    Ok(())
}

/// The connector first: the bare client is given requests of the size that its have.
fn measure(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<(Figures, Figures)> {
    let requests = if bench.is_quick {
        shape.requests / 10
    } else {
        shape.requests
    };
    let shape = Shape { requests, ..shape };
    let ours = connected(bench, shape)?;
    let bare = bare(bench, shape, ours.bytes)?;
    Ok((ours, bare))
}

/// What a connector does, with everything there that it is to push.
fn connected(bench: &Bench<'_>, shape: Shape) -> anyhow::Result<Figures> {
    let server = bench.pushing_feedwire()?;
    let address = server.peer.address;
    let events = shape.requests * shape.events as u64;
    let mut fill = Fill::open(address)?;
    let batch = events.min(1_000);
    let mut publish = Request::post(
        address,
        &Feedwire::publish_path(FEED),
        usize::try_from(batch)?,
        EVENT_BYTES,
    );
    for first in (0..events).step_by(usize::try_from(batch)?) {
        fill.publish(&mut publish, first, shape.subjects)?;
    }
    let mut receiver = Receiver::open(1)?;
    let form = if shape.events > 1 {
        json!({"format": "batch", "batch_size": shape.events, "concurrency": shape.in_flight})
    } else {
        json!({"concurrency": shape.in_flight})
    };
    let to = url(receiver.addresses()?[0], "/");
    let connector = connector("pushed", &to, &form);
    fill.send(&Request::post_json(
        address,
        &format!("{PROJECT}/connectors"),
        &connector,
    ))?;
    let (figures, taken) = receive(&mut receiver, &server.peer.child, |taken| {
        taken.events >= events
    })?;
    let (had, wanted) = ((taken.events, taken.numbers), (events, (0..events).sum()));
    ensure!(had == wanted, "{wanted:?} are there, and {had:?} came");
    Ok(figures)
}

/// What a bare client does, with requests of so many bytes.
fn bare(bench: &Bench<'_>, shape: Shape, bytes: u64) -> anyhow::Result<Figures> {
    let mut receiver = Receiver::open(1)?;
    let command = [
        std::env::current_exe()?.into_os_string(),
        "push".into(),
        format!("--address={}", receiver.addresses()?[0]).into(),
        format!("--requests={}", shape.requests).into(),
        format!("--bytes={bytes}").into(),
        format!("--in-flight={}", shape.in_flight).into(),
    ];
    let child = Child::start(bench.cores.server, command.to_vec(), Says::Out)?;
    let wanted = shape.requests;
    let (figures, _) = receive(&mut receiver, &child, |taken| taken.requests >= wanted)?;
    Ok(figures)
}

/// What comes from `sender`, from the first request on and until it `is_all`.
fn receive(
    receiver: &mut Receiver,
    sender: &Child,
    is_all: impl Fn(Taken) -> bool,
) -> anyhow::Result<(Figures, Taken)> {
    let turn = |receiver: &mut Receiver| {
        receiver.wait(interrupt::LOOK)?;
        receiver.take(&mut Nobody)
    };
    let asked = clock::now();
    while receiver.taken().requests == 0 {
        ensure!(asked.elapsed() < SILENCE, "nothing comes");
        turn(receiver)?;
    }
    let (before, start, spell) = (receiver.taken(), clock::now(), Spell::begin(sender)?);
    let (mut last, mut had) = (start, before);
    while !is_all(receiver.taken()) {
        turn(receiver)?;
        if receiver.taken() != had {
            (last, had) = (clock::now(), receiver.taken());
        }
        ensure!(last.elapsed() < SILENCE, "it does not go on");
    }
    let span = start.elapsed();
    let shares = spell.end(sender)?;
    let taken = receiver.taken();
    let figures = Figures {
        requests: per_second(taken.since(before).requests, span),
        bytes: taken.bytes / taken.requests,
        shares,
    };
    Ok((figures, taken))
}
