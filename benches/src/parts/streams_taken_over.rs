//! A member dies with events in hand: how long it takes until another is sent them.

use std::time::Duration;

use anyhow::ensure;

use super::bench::Bench;
use super::streams::{fill, make};
use crate::child::{Child, Says};
use crate::clock;
use crate::figures::{cell, median, span};
use crate::interrupt;
use crate::load::{Audience as _, Crowd, Nobody};
use crate::peers::Feedwire;
use crate::report::Report;

/// Events of which each of the two members has its half in hand.
const EVENTS: u64 = 1_000;

const DEATHS: usize = 50;

/// What is sent before is there when nothing comes for so long.
const STILL: Duration = Duration::from_millis(100);

/// What is not taken over in this time is not at all.
const SILENCE: Duration = Duration::from_secs(20);

/// How a member dies.
#[derive(Debug, Clone, Copy)]
enum Death {
    Closed,
    Killed,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    let deaths = if bench.is_quick { 3 } else { DEATHS };
    report.heading("A member dies with 500 events in hand, and another has them");
    report.columns(&[
        "how it dies",
        "first event, p50",
        "longest",
        "last event, p50",
        "longest",
    ]);
    for (name, death) in [
        ("its connection is closed", Death::Closed),
        ("its process is killed", Death::Killed),
    ] {
        let server = bench.feedwire()?;
        let taken: Vec<[f64; 2]> = (0..deaths)
            .map(|index| taken_over(bench, &server, death, index))
            .collect::<anyhow::Result<_>>()?;
        let of = |index: usize| {
            let spans: Vec<f64> = taken.iter().map(|one| one[index]).collect();
            let longest = spans.iter().copied().reduce(f64::max);
            [cell(median(spans), span), cell(longest, span)]
        };
        let [first, last] = [of(0), of(1)];
        report.row(&[&[name.to_owned()][..], &first, &last].concat());
    }
    Ok(())
}

/// Seconds from its death to the first of its events at the other, and to the last.
fn taken_over(
    bench: &Bench<'_>,
    server: &Feedwire,
    death: Death,
    index: usize,
) -> anyhow::Result<[f64; 2]> {
    let address = server.peer.address;
    let path = make(server, &format!("s{index}"), "explicit", 2)?;
    let mut heir = Crowd::join(address, 1, &path, false)?;
    let member = match death {
        Death::Closed => (Some(Crowd::join(address, 1, &path, false)?), None),
        Death::Killed => {
            let command = vec![
                std::env::current_exe()?.into_os_string(),
                "member".into(),
                "--address".into(),
                address.to_string().into(),
                "--path".into(),
                path.into(),
            ];
            let child = Child::start(bench.cores.generator, command, Says::Out)?;
            child.until("joined")?;
            (None, Some(child))
        }
    };
    fill(server, EVENTS)?;
    let events = |crowd: &Crowd| crowd.tallies().map(|tally| tally.events).sum::<u64>();
    let (mut had, mut since) = (0, clock::now());
    while had == 0 || since.elapsed() < STILL {
        heir.wait(STILL)?;
        heir.take(&mut Nobody)?;
        if events(&heir) > had {
            (had, since) = (events(&heir), clock::now());
        }
    }
    ensure!(had < EVENTS, "the other has nothing in hand");
    let start = clock::now();
    drop(member);
    let mut first = None;
    while events(&heir) < EVENTS {
        ensure!(start.elapsed() < SILENCE, "it is not taken over");
        heir.wait(interrupt::LOOK)?;
        heir.take(&mut Nobody)?;
        if events(&heir) > had {
            first.get_or_insert_with(|| start.elapsed());
        }
    }
    let first = first.unwrap_or_default();
    Ok([first.as_secs_f64(), start.elapsed().as_secs_f64()])
}
