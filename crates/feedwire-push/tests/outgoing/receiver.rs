//! A receiver that does what it is told, byte for byte.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What is done with one request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) bytes: Vec<u8>,
    pub(crate) then: Then,
}

/// What comes behind the bytes of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next request.
    Next,
    /// The end of the connection.
    Close,
    /// Nothing, until the sender closes.
    Silence,
    /// The same byte, until the sender closes.
    Endless,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Where it came to.
    pub(crate) at: SocketAddr,
}

/// What requests are sent to.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    connections: Arc<Mutex<Vec<SocketAddr>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    ended: mpsc::Receiver<()>,
    _serving: JoinSet<()>,
}

impl Reply {
    pub(crate) fn new(text: impl Into<Vec<u8>>, then: Then) -> Self {
        let bytes = text.into();
        Self { bytes, then }
    }

    /// An answer after which the connection can be used again.
    pub(crate) fn status(line: &str) -> Self {
        Self::with(line, "")
    }

    /// The same, with headers, each with its line end.
    pub(crate) fn with(line: &str, headers: &str) -> Self {
        let text = format!("HTTP/1.1 {line}\r\n{headers}content-length: 0\r\n\r\n");
        Self::new(text, Then::Next)
    }
}

impl Seen {
    /// The value of the header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Receiver {
    /// One at every address of this machine, that gives these replies, one after the other, and then none.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        Self::start_with(replies, None).await
    }

    /// The same, behind TLS.
    pub(crate) async fn start_with(replies: Vec<Reply>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::<Mutex<Vec<SocketAddr>>>::default();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (ending, ended) = mpsc::channel(64);
        let replies = Arc::new(Mutex::new(VecDeque::from(replies)));
        let mut serving = JoinSet::new();
        let (counted, told) = (Arc::clone(&connections), Arc::clone(&seen));
        let given = Arc::clone(&replies);
        serving.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                let at = socket.local_addr().expect("an address");
                counted.lock().push(at);
                let (seen, replies) = (Arc::clone(&told), Arc::clone(&given));
                let (tls, ending) = (tls.clone(), ending.clone());
                open.spawn(async move {
                    let next = || replies.lock().pop_front();
                    match tls {
                        None => serve(socket, at, &seen, next).await,
                        // A sender that does not trust it goes.
                        Some(tls) => match tls.accept(socket).await {
                            Ok(socket) => serve(socket, at, &seen, next).await,
                            Err(_) => None,
                        },
                    };
                    ending.send(()).await.ok();
                });
            }
        });
        Self {
            port,
            connections,
            seen,
            replies,
            ended,
            _serving: serving,
        }
    }

    /// Gives one more reply.
    pub(crate) fn reply(&self, reply: Reply) {
        self.replies.lock().push_back(reply);
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.lock().len()
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// Waits until one more connection has ended.
    pub(crate) async fn ended(&mut self) {
        self.ended.recv().await.expect("it serves");
    }
}

async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    at: SocketAddr,
    seen: &Mutex<Vec<Seen>>,
    mut next: impl FnMut() -> Option<Reply>,
) -> Option<()> {
    let mut read = Vec::new();
    loop {
        let request = request(&mut socket, &mut read, at).await?;
        seen.lock().push(request);
        let reply = next()?;
        socket.write_all(&reply.bytes).await.ok()?;
        socket.flush().await.ok()?;
        match reply.then {
            Then::Next => {}
            Then::Close => return socket.shutdown().await.ok(),
            Then::Silence => drop(socket.read(&mut [0; 1]).await),
            Then::Endless => while socket.write_all(&[b'x'; 4096]).await.is_ok() {},
        }
    }
}

/// The next request, of which `read` may hold the beginning.
async fn request(
    socket: &mut (impl AsyncRead + Unpin),
    read: &mut Vec<u8>,
    at: SocketAddr,
) -> Option<Seen> {
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(read[..end + 4].to_vec()).expect("ASCII");
            let mut seen = Seen {
                head,
                body: Vec::new(),
                at,
            };
            let length = seen.header("content-length").map_or(0, |value| {
                value.parse::<usize>().expect("a number of bytes")
            });
            let end = end + 4 + length;
            if read.len() >= end {
                let rest = read.split_off(end);
                seen.body = read.split_off(end - length);
                *read = rest;
                return Some(seen);
            }
        }
        if socket.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}
