//! Many readers on one epoll.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use mio::event::Event;
use mio::{Events, Poll, Registry, Token};

use super::Request;
use super::acker::Acker;
use super::reader::Reader;
use super::stream::{Framing, Tally};
use crate::{clock, interrupt};

/// How many connect before they are waited for: fewer than a listening socket holds that nobody has accepted.
const GROUP: usize = 100;

/// Longest wait until a group is served.
const GROUP_WAIT: Duration = Duration::from_secs(20);

/// How much is received at once.
const ROOM_BYTES: usize = 256 * 1024;

/// The token of the first who acknowledges; those of others come before.
const FIRST_ACKER: usize = usize::MAX / 2;

/// Who is told what happens.
pub(crate) trait Watch {
    /// A reader has received the event with this number.
    fn event(&mut self, number: u64, now: Instant) -> anyhow::Result<()>;

    /// Something happened that is not a reader's.
    fn other(&mut self, happened: &Event) -> anyhow::Result<()>;

    /// One of perhaps many readers was read: whatever must not wait for all of them is done now.
    fn between(&mut self) -> anyhow::Result<()>;
}

/// Those to whom comes what is published.
pub(crate) trait Audience {
    fn registry(&self) -> &Registry;

    /// The first token that others may have.
    fn others(&self) -> usize;

    /// Waits at most `wait` until something happens.
    fn wait(&mut self, wait: Duration) -> anyhow::Result<()>;

    /// Takes what has happened.
    fn take(&mut self, watch: &mut impl Watch) -> anyhow::Result<()>;
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

pub(crate) struct Crowd {
    poll: Poll,
    events: Events,
    readers: Vec<Reader>,
    /// One for each reader, where what is read is acknowledged.
    ackers: Vec<Acker>,
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
            ackers: Vec::new(),
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

    /// `count` members of the stream at `path`, which acknowledge what they are sent where `acknowledges`.
    pub(crate) fn join(
        address: SocketAddr,
        count: usize,
        path: &str,
        acknowledges: bool,
    ) -> anyhow::Result<Self> {
        let request = Request::get(address, &format!("{path}/connect"), "text/event-stream");
        let mut crowd = Self::open(address, count, Framing::Member, |_| request.clone())?;
        if acknowledges {
            let registry = crowd.poll.registry();
            let ackers = (FIRST_ACKER..FIRST_ACKER + count)
                .map(|token| Acker::open(address, path, registry, Token(token)));
            crowd.ackers = ackers.collect::<anyhow::Result<_>>()?;
        }
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

impl Audience for Crowd {
    fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    fn others(&self) -> usize {
        self.readers.len()
    }

    fn wait(&mut self, wait: Duration) -> anyhow::Result<()> {
        interrupt::check()?;
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            polled => polled.context("cannot wait"),
        }
    }

    fn take(&mut self, watch: &mut impl Watch) -> anyhow::Result<()> {
        for happened in &self.events {
            let token = happened.token().0;
            let index = token.checked_sub(FIRST_ACKER).unwrap_or(token);
            let Some(reader) = self.readers.get_mut(index) else {
                watch.other(happened)?;
                continue;
            };
            let acker = self.ackers.get_mut(index);
            if token == index {
                reader.read(&mut self.room, |number, now| watch.event(number, now))?;
            }
            if let Some(acker) = acker {
                if token != index {
                    acker.go_on(happened)?;
                }
                if acker.is_free() {
                    acker.acknowledge(&reader.take_receipts())?;
                }
            }
            watch.between()?;
        }
        Ok(())
    }
}
