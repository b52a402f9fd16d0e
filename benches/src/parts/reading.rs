//! Reading all that is there by one reader, as a stream and in pages.

use std::time::Duration;

use super::replay::must_be_all;
use crate::clock;
use crate::figures::per_second;
use crate::interrupt;
use crate::load::{Audience as _, Crowd, Framing, Nobody, Pages, Request, Tally};
use crate::peers::Peer;
use crate::usage::{Shares, Spell};

/// One reading of all of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) events: u64,
    /// On the wire.
    pub(super) bytes: u64,
    pub(super) span: Duration,
    pub(super) shares: Shares,
}

impl Reading {
    pub(super) fn events_per_second(self) -> f64 {
        per_second(self.events, self.span)
    }

    pub(super) fn bytes_per_second(self) -> f64 {
        per_second(self.bytes, self.span)
    }
}

/// The stream of `path` up to its end, or to the end of its states; fails unless it has everything with a number below `events`, once.
pub(super) fn stream(
    peer: &Peer,
    path: &str,
    framing: Framing,
    events: u64,
) -> anyhow::Result<Reading> {
    let request = Request::get(peer.address, path, framing.accept());
    let (spell, start) = (Spell::begin(&peer.child)?, clock::now());
    let mut crowd = Crowd::open(peer.address, 1, framing, |_| request.clone())?;
    while !crowd.have_ended() {
        crowd.wait(interrupt::LOOK)?;
        crowd.take(&mut Nobody)?;
    }
    let span = start.elapsed();
    let shares = spell.end(&peer.child)?;
    let mut tally = Tally::default();
    crowd.tallies().for_each(|one| tally.add(one));
    must_be_all(tally, events)?;
    Ok(Reading {
        events: tally.events,
        bytes: crowd.bytes(),
        span,
        shares,
    })
}

/// Pages of 1,000 of `feed`, the first as `from` says, up to the last one, or to the last one of its states; fails as [`stream`] does.
pub(super) fn pages(peer: &Peer, feed: &str, from: &str, events: u64) -> anyhow::Result<Reading> {
    let (spell, start) = (Spell::begin(&peer.child)?, clock::now());
    let mut pages = Pages::open(peer.address)?;
    let mut tally = Tally::default();
    let mut next = Some(from.to_owned());
    while let Some(from) = next {
        let page = pages.get(&format!("{feed}?{from}&limit=1000"))?;
        tally.add(page.tally());
        let has_more = page.has_more() && !page.is_marked();
        let cursor = page.cursor()?;
        next = has_more.then(|| format!("after={cursor}"));
    }
    let span = start.elapsed();
    let shares = spell.end(&peer.child)?;
    must_be_all(tally, events)?;
    Ok(Reading {
        events: tally.events,
        bytes: pages.bytes,
        span,
        shares,
    })
}
