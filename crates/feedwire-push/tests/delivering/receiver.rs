//! A receiver that answers as it is told, and holds the order of what comes against what it has taken.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Where receivers listen. Nobody listens at the other addresses of loopback.
pub(crate) const ADDRESS: &str = "127.0.0.2";

/// What is done with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It is answered.
    Status(u16),
    /// The same, with headers, each with its line end.
    With(u16, String),
    /// The same, with a body.
    Says(u16, String),
    /// It is answered with 200, so much later.
    Slow(Duration),
    /// It is never answered.
    Never,
    /// The connection is closed instead.
    Close,
    /// The connection is closed within the head of the answer.
    CutHead,
    /// It is answered with 200, and the connection is closed within the body.
    CutBody,
    /// It is answered with 200 and a hundred megabytes.
    Huge,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The events in it: their subjects, which are empty where there is none, and their numbers.
    pub(crate) events: Vec<(String, u64)>,
    pub(crate) reply: Reply,
}

type Script = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// What requests are sent to.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    _serving: JoinSet<()>,
}

struct Shared {
    script: Mutex<Script>,
    state: watch::Sender<State>,
    open: Mutex<JoinSet<()>>,
}

/// What a receiver knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// The requests, in the order in which they came.
    pub(crate) seen: Vec<Seen>,
    /// How many were answered, or given up.
    pub(crate) answered: usize,
    /// Of each subject, the events that were taken, in the order in which they were first.
    pub(crate) taken: BTreeMap<String, Vec<u64>>,
    /// Events that were taken more than once.
    pub(crate) repeats: usize,
    /// How many requests there were at once, and most of them.
    now: usize,
    pub(crate) at_once: usize,
    /// What came before what is before it of its subject was taken.
    pub(crate) faults: Vec<String>,
}

impl Reply {
    fn is_success(&self) -> bool {
        match self {
            Self::Status(status) | Self::With(status, _) | Self::Says(status, _) => {
                (200..300).contains(status)
            }
            Self::Slow(_) | Self::CutBody | Self::Huge => true,
            Self::Never | Self::Close | Self::CutHead => false,
        }
    }
}

impl State {
    /// How many events were taken.
    pub(crate) fn count(&self) -> usize {
        self.taken.values().map(Vec::len).sum()
    }

    fn came(&mut self, seen: Seen) {
        self.now += 1;
        self.at_once = self.at_once.max(self.now);
        let mut before = BTreeMap::<&str, u64>::new();
        for (subject, number) in &seen.events {
            let taken = self.taken.get(subject);
            let taken = taken.and_then(|taken| taken.last().copied());
            let here = before.insert(subject, *number);
            let last = here.max(taken);
            // A repeat is of what was taken, or the next in line.
            if here.is_some_and(|here| *number <= here) || *number > last.map_or(0, |last| last + 1)
            {
                let words = format!("{subject}-{number} came behind {last:?}");
                self.faults.push(words);
            }
        }
        self.seen.push(seen);
    }

    fn left(&mut self, events: &[(String, u64)], is_success: bool) {
        self.now -= 1;
        self.answered += 1;
        for (subject, number) in events.iter().filter(|_| is_success) {
            let taken = self.taken.entry(subject.clone()).or_default();
            if taken.contains(number) {
                self.repeats += 1;
            } else {
                taken.push(*number);
            }
        }
    }
}

impl Receiver {
    /// One that answers everything with 200.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((ADDRESS, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(|_| Reply::Status(200))),
            state: watch::Sender::new(State::default()),
            open: Mutex::default(),
        });
        let mut serving = JoinSet::new();
        let at = shared.clone();
        serving.spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                let shared = at.clone();
                at.open.lock().spawn(async move {
                    serve(socket, &shared).await;
                });
            }
        });
        Self {
            port,
            shared,
            _serving: serving,
        }
    }

    /// Has requests answered like this from now on.
    pub(crate) fn answer(&self, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) {
        *self.shared.script.lock() = Box::new(script);
    }

    /// Closes every connection.
    pub(crate) fn hang_up(&self) {
        self.shared.open.lock().abort_all();
    }

    /// What it knows now.
    pub(crate) fn state(&self) -> State {
        self.shared.state.borrow().clone()
    }

    /// Waits until `is_so`.
    pub(crate) async fn until(&self, is_so: impl Fn(&State) -> bool) -> State {
        let mut state = self.shared.state.subscribe();
        let state = state.wait_for(is_so).await.expect("it serves");
        state.clone()
    }

    /// Waits until so many events were taken.
    pub(crate) async fn taken(&self, count: usize) -> State {
        self.until(|state| state.count() >= count).await
    }

    /// Waits until so many requests came.
    pub(crate) async fn came(&self, count: usize) -> State {
        self.until(|state| state.seen.len() >= count).await
    }
}

/// Says that a request is over, also where its connection is cut off.
struct Guest<'s>(&'s Shared, Vec<(String, u64)>, bool);

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let Self(shared, events, is_success) = self;
        shared
            .state
            .send_modify(|state| state.left(events, *is_success));
    }
}

async fn serve(mut socket: TcpStream, shared: &Shared) -> Option<()> {
    let mut read = Vec::new();
    loop {
        let mut seen = request(&mut socket, &mut read).await?;
        let reply = (shared.script.lock())(&seen);
        seen.reply = reply.clone();
        let mut guest = Guest(shared, seen.events.clone(), false);
        shared.state.send_modify(|state| state.came(seen));
        let (bytes, goes_on) = match &reply {
            Reply::Status(status) => (head(*status, ""), true),
            Reply::With(status, headers) => (head(*status, headers), true),
            Reply::Says(status, said) => {
                let length = said.len();
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n");
                (head + said, true)
            }
            Reply::Slow(wait) => {
                sleep(*wait).await;
                (head(200, ""), true)
            }
            Reply::Never => {
                socket.read_u8().await.ok();
                return None;
            }
            Reply::Close => return None,
            Reply::CutHead => ("HTTP/1.1 200 OK\r\ncontent-le".to_owned(), false),
            Reply::CutBody => (
                "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nso".to_owned(),
                false,
            ),
            Reply::Huge => (
                "HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n".to_owned(),
                false,
            ),
        };
        // Whoever has read the answer may say so before this is polled again.
        guest.2 = reply.is_success();
        drop(guest);
        socket.write_all(bytes.as_bytes()).await.ok()?;
        if reply == Reply::Huge {
            for _ in 0..100_000_000 / 10_000 {
                socket.write_all(&[b'x'; 10_000]).await.ok()?;
            }
        }
        if !goes_on {
            return None;
        }
    }
}

fn head(status: u16, headers: &str) -> String {
    format!("HTTP/1.1 {status} Told\r\n{headers}content-length: 0\r\n\r\n")
}

/// The next request, of which `read` may hold the beginning.
async fn request(socket: &mut TcpStream, read: &mut Vec<u8>) -> Option<Seen> {
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = std::str::from_utf8(&read[..end]).expect("ASCII");
            let mut lines = head.lines();
            let first = lines.next().expect("a request");
            let path = first.split(' ').nth(1).expect("a path").to_owned();
            let headers: HeaderMap = lines
                .map(|line| {
                    let (name, value) = line.split_once(": ").expect("a header");
                    let name = name.parse::<HeaderName>().expect("a name");
                    (name, HeaderValue::from_str(value).expect("a value"))
                })
                .collect();
            let length = headers["content-length"].to_str().expect("digits");
            let length = length.parse::<usize>().expect("a number");
            let begin = end + 4;
            if read.len() >= begin + length {
                let rest = read.split_off(begin + length);
                let body = read.split_off(begin);
                *read = rest;
                return Some(Seen {
                    at: Instant::now(),
                    path,
                    events: events(&headers, &body),
                    headers,
                    body,
                    reply: Reply::Never,
                });
            }
        }
        if socket.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}

/// The events of a request. Their ids are their subjects and their numbers.
fn events(headers: &HeaderMap, body: &[u8]) -> Vec<(String, u64)> {
    let split = |id: &str| {
        let (subject, number) = id.rsplit_once('-').unwrap_or((id, "0"));
        (subject.to_owned(), number.parse().unwrap_or_default())
    };
    if let Some(id) = headers.get("ce-id") {
        return vec![split(id.to_str().expect("ASCII"))];
    }
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let all = match body {
        Value::Array(all) => all,
        one => vec![one],
    };
    all.iter()
        .map(|event| split(event["id"].as_str().expect("an id")))
        .collect()
}
