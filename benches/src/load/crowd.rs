//! Many readers on one epoll.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use mio::event::Event;
use mio::{Events, Poll, Registry, Token};

use super::Request;
use super::reader::Reader;
use super::stream::{Framing, Tally};
use crate::{clock, interrupt};

/// How many connect before they are waited for: fewer than a listening socket holds that nobody has accepted.
const GROUP: usize = 100;

/// Longest wait until a group is served.
const GROUP_WAIT: Duration = Duration::from_secs(20);

/// How much is received at once.
const ROOM_BYTES: usize = 256 * 1024;

/// Who is told what happens.
pub(crate) trait Watch {
    /// A reader has received the event with this number.
    fn event(&mut self, number: u64, now: Instant) -> anyhow::Result<()>;

    /// Something happened that is not a reader's.
    fn other(&mut self, happened: &Event) -> anyhow::Result<()>;

    /// One of perhaps many readers was read: whatever must not wait for all of them is done now.
    fn between(&mut self) -> anyhow::Result<()>;
}

/// For readers whose events are counted, and no more.
#[derive(Debug)]
pub(crate) struct Nobody;

impl Watch for Nobody {
    fn event(&mut self, _: u64, _: Instant) -> anyhow::Result<()> {
        Ok(())
    }

    fn other(&mut self, _: &Event) -> anyhow::Result<()> {
        Ok(())
    }

    fn between(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct Crowd {
    poll: Poll,
    events: Events,
    readers: Vec<Reader>,
    room: Box<[u8]>,
}

impl Crowd {
    /// `count` readers, each with the request that is made for it; all are served when this returns.
    pub(crate) fn open(
        address: SocketAddr,
        count: usize,
        framing: Framing,
        request: impl Fn(usize) -> Request,
    ) -> anyhow::Result<Self> {
        let mut crowd = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1_024),
            readers: Vec::with_capacity(count),
            room: vec![0; ROOM_BYTES].into_boxed_slice(),
        };
        for index in 0..count {
            let registry = crowd.poll.registry();
            let reader = Reader::open(address, &request(index), framing, registry, Token(index))?;
            crowd.readers.push(reader);
            if crowd.readers.len().is_multiple_of(GROUP) {
                crowd.begin()?;
            }
        }
        crowd.begin()?;
        Ok(crowd)
    }

    /// Waits until those who connected last are served.
    fn begin(&mut self) -> anyhow::Result<()> {
        let deadline = clock::now() + GROUP_WAIT;
        let last = self.readers.len().saturating_sub(GROUP);
        while self.readers[last..]
            .iter()
            .any(|reader| !reader.has_begun())
        {
            ensure!(clock::now() < deadline, "readers are not served in time");
            self.wait(interrupt::LOOK)?;
            self.take(&mut Nobody)?;
        }
        Ok(())
    }

    pub(super) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    pub(crate) fn len(&self) -> usize {
        self.readers.len()
    }

    /// Waits at most `wait` until something happens.
    pub(crate) fn wait(&mut self, wait: Duration) -> anyhow::Result<()> {
        interrupt::check()?;
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            polled => polled.context("cannot wait"),
        }
    }

    /// Takes what has happened.
    pub(crate) fn take(&mut self, watch: &mut impl Watch) -> anyhow::Result<()> {
        for happened in &self.events {
            let Some(reader) = self.readers.get_mut(happened.token().0) else {
                watch.other(happened)?;
                continue;
            };
            reader.read(&mut self.room, |number, now| watch.event(number, now))?;
            watch.between()?;
        }
        Ok(())
    }

    pub(crate) fn tallies(&self) -> impl Iterator<Item = Tally> {
        self.readers.iter().map(Reader::tally)
    }

    pub(crate) fn have_ended(&self) -> bool {
        self.readers.iter().all(Reader::has_ended)
    }

    /// Bytes that all of them received.
    pub(crate) fn bytes(&self) -> u64 {
        self.readers.iter().map(Reader::bytes).sum()
    }
}
