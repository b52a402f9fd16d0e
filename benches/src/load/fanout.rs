//! A few who publish and many who read what they publish.
//!
//! At a fixed rate, an event's latency counts from the moment at which it was to be sent, whether or not somebody was free to send it:
//! a server that holds publishers up is not measured as if nobody had wanted to publish meanwhile.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use mio::Token;
use mio::event::Event;

use super::asker::Asker;
use super::crowd::{Audience, Crowd, Watch};
use super::receiver::Taken;
use super::stream::Tally;
use super::ticker::Ticker;
use super::{Protocol, Request};
use crate::event::read_digits;
use crate::histogram::Histogram;
use crate::{clock, interrupt};

/// The most events of one load.
const EVENTS_MAX: usize = 10_000_000;

/// How long readers may receive nothing, once nothing more is published, before the rest is taken for lost.
const SILENCE: Duration = Duration::from_secs(5);

/// How long the rest is waited for in all.
const REST_WAIT: Duration = Duration::from_secs(20);

/// When the next event is published.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// So many requests a second.
    Fixed(u32),
    /// As soon as fewer deliveries than this are still to come.
    Undelivered(u64),
}

/// What is published, and to how many each event goes.
#[derive(Debug)]
pub(crate) struct Fanout<'a> {
    pub(crate) address: SocketAddr,
    /// Those of the publishers in turn, each of as many events.
    pub(crate) requests: &'a [Request],
    pub(crate) publishers: usize,
    pub(crate) subjects: u64,
    /// How many readers each event concerns.
    pub(crate) fan: u64,
    pub(crate) pace: Pace,
    pub(crate) span: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) events: u64,
    pub(crate) deliveries: u64,
    /// From the first request to the last delivery.
    pub(crate) span: Duration,
    /// Of the first half of the time and of the second: what grows from one to the other piles up.
    pub(crate) halves: [Histogram; 2],
    /// Deliveries that never came.
    pub(crate) lost: u64,
    /// What the server acknowledged, as a reader of all of it has to see it.
    pub(crate) acknowledged: Tally,
}

impl Fanout<'_> {
    /// Publishes, and takes what comes of it until all of it has come or nothing more does.
    pub(crate) fn run(&self, audience: &mut impl Audience) -> anyhow::Result<Delivered> {
        let mut running = Running::start(self, audience)?;
        running.ticker = running.tick(audience)?;
        loop {
            running.publish()?;
            if running.is_done() {
                break;
            }
            audience.wait(interrupt::LOOK)?;
            audience.take(&mut running)?;
        }
        Ok(running.delivered())
    }

    /// How many events a request has.
    fn events(&self) -> usize {
        self.requests.first().map_or(0, Request::events)
    }
}

struct Running<'a> {
    load: &'a Fanout<'a>,
    /// The token of the first publisher; the ticker's comes after the last.
    first: usize,
    publishers: Vec<Asker>,
    /// In turn: one that is left aside for long would be closed by the server as idle.
    free: VecDeque<usize>,
    ticker: Option<Ticker>,
    start: Instant,
    /// When each event was to be sent, by its number, counted from the start.
    due: Vec<Duration>,
    requests: u32,
    deliveries: u64,
    last_delivery: Instant,
    halves: [Histogram; 2],
    acknowledged: Tally,
}

impl<'a> Running<'a> {
    fn start(load: &'a Fanout<'a>, audience: &impl Audience) -> anyhow::Result<Self> {
        let first = audience.others();
        let open = |index| {
            let token = Token(first + index);
            let request = &load.requests[index % load.requests.len()];
            Asker::open(load.address, request, audience.registry(), token)
        };
        let publishers = (0..load.publishers).map(open);
        let publishers: Vec<Asker> = publishers.collect::<anyhow::Result<_>>()?;
        let start = clock::now();
        Ok(Self {
            load,
            first,
            free: (0..publishers.len()).collect(),
            publishers,
            ticker: None,
            start,
            due: Vec::with_capacity(EVENTS_MAX / 10),
            requests: 0,
            deliveries: 0,
            last_delivery: start,
            halves: [Histogram::new(), Histogram::new()],
            acknowledged: Tally::default(),
        })
    }

    fn tick(&self, audience: &impl Audience) -> anyhow::Result<Option<Ticker>> {
        let Pace::Fixed(rate) = self.load.pace else {
            return Ok(None);
        };
        let token = Token(self.first + self.publishers.len());
        let interval = Duration::from_secs(1) / rate;
        Ticker::start(interval, audience.registry(), token).map(Some)
    }

    /// Sends every request that is due and that somebody is free to send.
    fn publish(&mut self) -> anyhow::Result<()> {
        let now = clock::now();
        while let Some(due) = self.next_due(now) {
            let Some(index) = self.free.pop_front() else {
                return Ok(());
            };
            let (first, events) = (self.due.len(), self.load.events());
            self.due.resize(first + events, due);
            self.requests += 1;
            self.publishers[index].ask(first as u64, self.load.subjects, now)?;
        }
        Ok(())
    }

    /// When the next request was to be sent, if that is not still to come.
    fn next_due(&self, now: Instant) -> Option<Duration> {
        let elapsed = now.saturating_duration_since(self.start);
        let due = match self.load.pace {
            Pace::Fixed(rate) => {
                let due = Duration::from_secs(1) * self.requests / rate;
                (due <= elapsed).then_some(due)
            }
            Pace::Undelivered(most) => (self.undelivered() < most).then_some(elapsed),
        };
        due.filter(|due| *due < self.load.span && self.due.len() < EVENTS_MAX)
    }

    fn undelivered(&self) -> u64 {
        (self.due.len() as u64 * self.load.fan).saturating_sub(self.deliveries)
    }

    /// Whether everything was published, answered and delivered, or what is missing does not come.
    fn is_done(&self) -> bool {
        let now = clock::now();
        let is_over = now >= self.start + self.load.span || self.due.len() >= EVENTS_MAX;
        let is_answered = self.free.len() == self.publishers.len();
        let end = self.start + self.load.span;
        let is_silent = now >= self.last_delivery.max(end) + SILENCE || now >= end + REST_WAIT;
        is_over && ((is_answered && self.undelivered() == 0) || is_silent)
    }

    fn delivered(self) -> Delivered {
        Delivered {
            events: self.due.len() as u64,
            deliveries: self.deliveries,
            span: self.last_delivery - self.start,
            lost: self.undelivered(),
            halves: self.halves,
            acknowledged: self.acknowledged,
        }
    }

    fn acknowledge(&mut self, index: usize) -> anyhow::Result<()> {
        let Some(answer) = self.publishers[index].read(Protocol::Http)? else {
            return Ok(());
        };
        let first = position(answer, b"\"first\":").unwrap_or(0);
        let events = self.load.events();
        self.acknowledged.events += events as u64;
        self.acknowledged.positions += (first..).take(events).sum::<u64>();
        self.free.push_back(index);
        Ok(())
    }
}

impl Watch for Running<'_> {
    fn event(&mut self, number: u64, now: Instant) -> anyhow::Result<()> {
        let index = usize::try_from(number).context("a number")?;
        let due = self
            .due
            .get(index)
            .context("an event that nobody published")?;
        let half = usize::from(*due * 2 >= self.load.span);
        self.halves[half].record(now.saturating_duration_since(self.start + *due));
        self.deliveries += 1;
        self.last_delivery = now;
        Ok(())
    }

    fn other(&mut self, happened: &Event) -> anyhow::Result<()> {
        let index = happened.token().0 - self.first;
        if index == self.publishers.len() {
            self.ticker.as_ref().map_or(Ok(()), Ticker::take)?;
        } else {
            if happened.is_writable() {
                self.publishers[index].write()?;
            }
            if happened.is_readable() {
                self.acknowledge(index)?;
            }
        }
        self.publish()
    }

    fn between(&mut self) -> anyhow::Result<()> {
        self.publish()
    }
}

/// The number after `name` in an answer.
fn position(answer: &[u8], name: &[u8]) -> Option<u64> {
    let at = memchr::memmem::find(answer, name)?;
    Some(read_digits(&answer[at + name.len()..]))
}

impl Delivered {
    /// Fails unless every reader of everything has received exactly what was acknowledged, and in order.
    pub(crate) fn must_be_whole(&self, crowd: &Crowd) -> anyhow::Result<()> {
        ensure!(self.lost == 0, "{} deliveries never came", self.lost);
        let wanted = Tally {
            numbers: (0..self.events).sum(),
            ..self.acknowledged
        };
        for tally in crowd.tallies() {
            ensure!(
                tally == wanted,
                "a reader has {tally:?}, and {wanted:?} was acknowledged"
            );
        }
        Ok(())
    }

    /// Fails unless every reader has received, in order, just the events whose numbers leave the same rest by `parts` as its own index
    /// does.
    pub(crate) fn must_be_parted(&self, crowd: &Crowd, parts: usize) -> anyhow::Result<()> {
        ensure!(self.lost == 0, "{} deliveries never came", self.lost);
        for (index, tally) in crowd.tallies().enumerate() {
            let own = ((index % parts) as u64..self.events).step_by(parts);
            let wanted = (own.clone().count() as u64, own.sum(), 0);
            let read = (tally.events, tally.numbers, tally.unordered);
            ensure!(
                read == wanted,
                "reader {index} has {read:?} instead of {wanted:?}"
            );
        }
        Ok(())
    }

    /// Fails unless each event has come to one of the readers, once.
    pub(crate) fn must_be_shared(&self, crowd: &Crowd) -> anyhow::Result<()> {
        let mut whole = Tally::default();
        crowd.tallies().for_each(|tally| whole.add(tally));
        let wanted = (self.events, (0..self.events).sum::<u64>());
        let had = (whole.events, whole.numbers);
        ensure!(
            had == wanted,
            "the members have {had:?} instead of {wanted:?}"
        );
        Ok(())
    }

    /// Fails unless each event has come to so many as it concerns, once each; `taken` is what has come meanwhile.
    pub(crate) fn must_be_taken(&self, taken: Taken, fan: u64) -> anyhow::Result<()> {
        let wanted = (self.events * fan, (0..self.events).sum::<u64>() * fan);
        let had = (taken.events, taken.numbers);
        ensure!(had == wanted, "{had:?} has come instead of {wanted:?}");
        Ok(())
    }

    /// Latencies of the whole time.
    pub(crate) fn latency(&self) -> Histogram {
        let mut whole = self.halves[0].clone();
        whole.add(&self.halves[1]);
        whole
    }
}
