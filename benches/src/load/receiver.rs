//! The other end of connectors: takes what they push, counts and checks it, and answers at once.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use memchr::memmem;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

use super::answer::content_length;
use super::crowd::{Audience, Watch};
use super::stream::NUMBER;
use crate::event::read_digits;
use crate::{clock, interrupt};

/// The token of the first who listens; those of others come before.
const FIRST: usize = usize::MAX / 2;

/// Room for a request as connectors make them; it grows with one that is larger.
const ROOM_BYTES: usize = 4 * 1024;

/// The largest request.
const REQUEST_BYTES_MAX: usize = 16 << 20;

/// Below which nothing is taken.
pub(crate) const FAILING: &str = "/failing";

const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const REFUSED: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n";

/// What has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) requests: u64,
    /// Of all requests, heads and bodies.
    pub(crate) bytes: u64,
    pub(crate) events: u64,
    /// Sum of their numbers: with as many events it tells whether they are the right ones.
    pub(crate) numbers: u64,
    /// Requests that were refused, which are not among those above.
    pub(crate) refused: u64,
}

impl Taken {
    /// What has come since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            requests: self.requests - before.requests,
            bytes: self.bytes - before.bytes,
            events: self.events - before.events,
            numbers: self.numbers - before.numbers,
            refused: self.refused - before.refused,
        }
    }
}

pub(crate) struct Receiver {
    poll: Poll,
    events: Events,
    listeners: Vec<TcpListener>,
    /// Those that were closed leave their place empty.
    connections: Vec<Option<Connection>>,
    taken: Taken,
}

impl Receiver {
    /// One that listens on so many ports: each is another receiver for who sends.
    pub(crate) fn open(ports: usize) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let listen = |index| {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let mut listener = TcpListener::bind(any).context("cannot listen")?;
            let registry = poll.registry();
            registry.register(&mut listener, Token(FIRST + index), Interest::READABLE)?;
            Ok(listener)
        };
        Ok(Self {
            listeners: (0..ports).map(listen).collect::<anyhow::Result<_>>()?,
            poll,
            events: Events::with_capacity(1_024),
            connections: Vec::new(),
            taken: Taken::default(),
        })
    }

    /// Where its ports are.
    pub(crate) fn addresses(&self) -> anyhow::Result<Vec<SocketAddr>> {
        let addresses = self.listeners.iter().map(TcpListener::local_addr);
        addresses.collect::<io::Result<_>>().context("no address")
    }

    /// What has come until now.
    pub(crate) fn taken(&self) -> Taken {
        self.taken
    }

    fn accept(&mut self, index: usize) -> anyhow::Result<()> {
        loop {
            let mut socket = match self.listeners[index].accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("cannot accept"),
            };
            socket.set_nodelay(true)?;
            let place = self.connections.iter().position(Option::is_none);
            let place = place.unwrap_or(self.connections.len());
            let token = Token(FIRST + self.listeners.len() + place);
            let registry = self.poll.registry();
            registry.register(&mut socket, token, Interest::READABLE)?;
            if place == self.connections.len() {
                self.connections.push(None);
            }
            self.connections[place] = Some(Connection {
                socket,
                request: vec![0; ROOM_BYTES],
                filled: 0,
            });
        }
    }
}

impl Audience for Receiver {
    fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    fn others(&self) -> usize {
        0
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
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let served = events.iter().try_for_each(|happened| {
            let Some(index) = happened.token().0.checked_sub(FIRST) else {
                return watch.other(happened);
            };
            let Some(index) = index.checked_sub(self.listeners.len()) else {
                return self.accept(index);
            };
            let Some(place) = self.connections.get_mut(index) else {
                return Ok(());
            };
            if let Some(connection) = place
                && !connection.read(&mut self.taken, watch)?
            {
                *place = None;
            }
            watch.between()
        });
        self.events = events;
        served
    }
}

/// A connection on which one request after the other comes.
struct Connection {
    socket: TcpStream,
    request: Vec<u8>,
    filled: usize,
}

impl Connection {
    /// Takes what has come; whether the connection is still there.
    fn read(&mut self, taken: &mut Taken, watch: &mut impl Watch) -> anyhow::Result<bool> {
        loop {
            match self.socket.read(&mut self.request[self.filled..]) {
                Ok(0) => return Ok(false),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(false),
                Err(error) => return Err(error).context("cannot receive"),
            }
            let is_full = self.filled == self.request.len();
            self.answer(clock::now(), taken, watch)?;
            if self.filled == self.request.len() {
                ensure!(self.filled < REQUEST_BYTES_MAX, "a request without an end");
                self.request.resize(self.filled * 2, 0);
            }
            // The socket is empty when it gave less than there was room for.
            if !is_full {
                return Ok(true);
            }
        }
    }

    /// Answers the request once all of it is there.
    fn answer(
        &mut self,
        now: Instant,
        taken: &mut Taken,
        watch: &mut impl Watch,
    ) -> anyhow::Result<()> {
        let request = &self.request[..self.filled];
        let Some(end) = memmem::find(request, b"\r\n\r\n") else {
            return Ok(());
        };
        let (head, body) = (&request[..end], &request[end + 4..]);
        let length = content_length(head).context("a request without a length")?;
        if body.len() < length {
            return Ok(());
        }
        if body.len() > length {
            bail!("a request that did not wait for the answer to the one before it");
        }
        let path = head.strip_prefix(b"POST ");
        let is_failing = path.is_some_and(|path| path.starts_with(FAILING.as_bytes()));
        if is_failing {
            taken.refused += 1;
        } else {
            taken.requests += 1;
            taken.bytes += request.len() as u64;
            for at in memmem::find_iter(body, NUMBER) {
                let number = read_digits(&body[at + NUMBER.len()..]);
                taken.events += 1;
                taken.numbers += number;
                watch.event(number, now)?;
            }
        }
        self.filled = 0;
        let answer = if is_failing { REFUSED } else { TAKEN };
        // So little finds room whenever the answers before it were read.
        match self.socket.write_all(answer) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("cannot answer")
            }
            _ => Ok(()),
        }
    }
}
