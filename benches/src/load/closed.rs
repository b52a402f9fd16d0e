//! Closed-loop load: so many connections, each of which sends its next request when it has the answer to its last.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use mio::{Events, Poll, Token};

use super::asker::Asker;
use super::{Protocol, Request};
use crate::histogram::Histogram;
use crate::{clock, interrupt};

/// How long the last answers are waited for.
const END_WAIT: Duration = Duration::from_secs(10);

/// A load that is to be put on a peer.
#[derive(Debug)]
pub(crate) struct Closed<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) protocol: Protocol,
    pub(crate) request: &'a Request,
    pub(crate) connections: usize,
    /// How many subjects the events have, in turn.
    pub(crate) subjects: u64,
    /// How long the load runs before anything is counted.
    pub(crate) warm_up: Duration,
    pub(crate) span: Duration,
}

/// What the peer did in the span.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Events whose requests were answered within the span.
    pub(crate) events: u64,
    pub(crate) span: Duration,
    /// From the first byte of a request to the last of its answer.
    pub(crate) latency: Histogram,
    /// Events that were answered at all, before and after the span too.
    pub(crate) answered: u64,
}

impl Closed<'_> {
    /// Puts the load on the peer; `at_start` and `at_end` are called as the span begins and ends.
    pub(crate) fn run(
        &self,
        mut at_edge: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Measured> {
        let mut running = Running::start(self)?;
        running.until(clock::now() + self.warm_up)?;
        at_edge()?;
        running.latency = Histogram::new();
        let start = clock::now();
        running.until(start + self.span)?;
        let span = start.elapsed();
        at_edge()?;
        let latency = std::mem::replace(&mut running.latency, Histogram::new());
        running.finish()?;
        Ok(Measured {
            events: latency.total() * self.request.events() as u64,
            span,
            latency,
            answered: running.requests * self.request.events() as u64,
        })
    }
}

struct Running<'a> {
    load: &'a Closed<'a>,
    poll: Poll,
    events: Events,
    connections: Vec<Asker>,
    latency: Histogram,
    /// Events that were sent, by which subjects go round.
    sent: u64,
    /// Requests that were answered.
    requests: u64,
    /// Requests that are not answered yet.
    open: usize,
    is_ending: bool,
}

impl<'a> Running<'a> {
    fn start(load: &'a Closed<'a>) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let connect =
            |index| Asker::open(load.address, load.request, poll.registry(), Token(index));
        let connections = (0..load.connections)
            .map(connect)
            .collect::<anyhow::Result<_>>()?;
        let mut running = Self {
            load,
            poll,
            events: Events::with_capacity(1_024),
            connections,
            latency: Histogram::new(),
            sent: 0,
            requests: 0,
            open: 0,
            is_ending: false,
        };
        for index in 0..load.connections {
            running.send(index, clock::now())?;
        }
        Ok(running)
    }

    fn until(&mut self, end: Instant) -> anyhow::Result<()> {
        loop {
            let now = clock::now();
            if now >= end {
                return Ok(());
            }
            self.turn((end - now).min(interrupt::LOOK))?;
        }
    }

    /// Sends nothing more and takes the answers that are still to come.
    fn finish(&mut self) -> anyhow::Result<()> {
        self.is_ending = true;
        let deadline = clock::now() + END_WAIT;
        while self.open > 0 {
            if clock::now() >= deadline {
                bail!("{} requests were never answered", self.open);
            }
            self.turn(interrupt::LOOK)?;
        }
        Ok(())
    }

    fn turn(&mut self, wait: Duration) -> anyhow::Result<()> {
        interrupt::check()?;
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled.context("cannot wait for answers")?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let served = events.iter().try_for_each(|event| {
            let index = event.token().0;
            if event.is_writable() {
                self.connections[index].write()?;
            }
            if event.is_readable() {
                self.receive(index)?;
            }
            Ok(())
        });
        self.events = events;
        served
    }

    fn receive(&mut self, index: usize) -> anyhow::Result<()> {
        let connection = &mut self.connections[index];
        if connection.read(self.load.protocol)?.is_none() {
            return Ok(());
        }
        let now = clock::now();
        self.latency.record(now - connection.asked);
        self.requests += 1;
        self.open -= 1;
        if self.is_ending {
            return Ok(());
        }
        self.send(index, now)
    }

    fn send(&mut self, index: usize, now: Instant) -> anyhow::Result<()> {
        let first = self.sent;
        self.sent += self.load.request.events() as u64;
        self.open += 1;
        self.connections[index].ask(first, self.load.subjects, now)
    }
}
