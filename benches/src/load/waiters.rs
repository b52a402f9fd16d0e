//! Long polls that wait: many connections, each of which asks again as soon as it is told that there was nothing.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use mio::{Events, Poll, Token};

use super::asker::Asker;
use super::{Protocol, Request};
use crate::histogram::Histogram;
use crate::{clock, interrupt};

/// How waiters begin, and what they are told.
#[derive(Debug)]
pub(crate) struct Begin<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) request: &'a Request,
    pub(crate) count: usize,
    /// How long the server lets a poll wait. They begin one by one over this time, and so are answered one by one ever after.
    pub(crate) turn: Duration,
    /// How much later than it was to come an answer is given up.
    pub(crate) late_most: Duration,
    /// The body of an answer that has nothing.
    pub(crate) nothing: &'a [u8],
}

pub(crate) struct Waiters<'a> {
    begin: Begin<'a>,
    poll: Poll,
    events: Events,
    all: Vec<Waiter>,
    waited: Histogram,
}

struct Waiter {
    asker: Asker,
    /// Whether it was since somebody began to look.
    was_answered: bool,
}

impl<'a> Waiters<'a> {
    /// As many as `begin` says; all have asked when this returns, and none was answered early.
    pub(crate) fn open(begin: Begin<'a>) -> anyhow::Result<Self> {
        let count = u32::try_from(begin.count).context("too many")?;
        let mut waiters = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1_024),
            all: Vec::with_capacity(begin.count),
            waited: Histogram::new(),
            begin,
        };
        let start = clock::now();
        for index in 0..count {
            waiters.until(start + waiters.begin.turn * index / count)?;
            let token = Token(waiters.all.len());
            let Begin {
                address, request, ..
            } = waiters.begin;
            let mut asker = Asker::open(address, request, waiters.poll.registry(), token)?;
            asker.ask(0, 1, clock::now())?;
            waiters.all.push(Waiter {
                asker,
                was_answered: false,
            });
        }
        Ok(waiters)
    }

    /// Waits for `span`, which is longer than a turn, and until everybody was answered; who is asks again. Tells how long they waited.
    pub(crate) fn wait(&mut self, span: Duration) -> anyhow::Result<Histogram> {
        self.waited = Histogram::new();
        for waiter in &mut self.all {
            waiter.was_answered = false;
        }
        let end = clock::now() + span;
        self.until(end)?;
        while !self.all.iter().all(|waiter| waiter.was_answered) {
            ensure!(
                clock::now() < end + self.begin.late_most,
                "polls were not answered"
            );
            self.until(clock::now() + interrupt::LOOK)?;
        }
        Ok(std::mem::replace(&mut self.waited, Histogram::new()))
    }

    fn until(&mut self, end: Instant) -> anyhow::Result<()> {
        loop {
            let now = clock::now();
            if now >= end {
                return Ok(());
            }
            interrupt::check()?;
            let wait = (end - now).min(interrupt::LOOK);
            match self.poll.poll(&mut self.events, Some(wait)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled.context("cannot wait for answers")?,
            }
            for happened in &self.events {
                let waiter = &mut self.all[happened.token().0];
                if happened.is_writable() {
                    waiter.asker.write()?;
                }
                if happened.is_readable()
                    && let Some(waited) = waiter.read(&self.begin)?
                {
                    self.waited.record(waited);
                }
            }
        }
    }
}

impl Waiter {
    /// Takes what has come and asks again if that was an answer; tells how long that one took.
    fn read(&mut self, begin: &Begin<'_>) -> anyhow::Result<Option<Duration>> {
        let asked = self.asker.asked;
        let Some(answer) = self.asker.read(Protocol::Http)? else {
            return Ok(None);
        };
        let now = clock::now();
        let waited = now - asked;
        ensure!(
            answer == begin.nothing,
            "a poll was told something: {}",
            answer.escape_ascii()
        );
        // A poll that is answered at once is none that waits.
        ensure!(
            waited >= begin.turn * 9 / 10 && waited <= begin.turn + begin.late_most,
            "a poll was answered after {waited:?}, and not {:?}",
            begin.turn
        );
        self.was_answered = true;
        self.asker.ask(0, 1, now)?;
        Ok(Some(waited))
    }
}
