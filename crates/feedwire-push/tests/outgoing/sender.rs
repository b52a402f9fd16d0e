//! What sends, with names and a clock of the test's own.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feedwire_core::Clock;
use feedwire_event::Timestamp;
use feedwire_push::{
    Answer, Delivery, Failure, Guard, Outgoing, Resolve, Roots, Target, check_header,
};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;

use feedwire_testkit::AUTHORITY;

/// The only name there is beside that of this machine, with the addresses that it has at each look-up; the last ones stay.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<VecDeque<Vec<IpAddr>>>);

pub(crate) const NAME: &str = "receiver.example";

impl Names {
    pub(crate) fn set(&self, addresses: &[&str]) {
        self.0.lock().clear();
        self.then(addresses);
    }

    /// What it has at the look-up behind those that were said.
    pub(crate) fn then(&self, addresses: &[&str]) {
        let addresses = addresses
            .iter()
            .map(|text| text.parse().expect("an address"));
        self.0.lock().push_back(addresses.collect());
    }

    /// Whoever looks it up waits for ever.
    pub(crate) fn hang(&self) {
        self.0.lock().clear();
    }

    fn look_up(&self) -> Option<Vec<IpAddr>> {
        let mut addresses = self.0.lock();
        if addresses.len() > 1 {
            addresses.pop_front()
        } else {
            addresses.front().cloned()
        }
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        if ![NAME, "RECEIVER.example", "localhost."].contains(&name) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such name"));
        }
        match self.look_up() {
            Some(addresses) => Ok(addresses),
            None => std::future::pending().await,
        }
    }
}

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-11-26T12:00:00Z".parse().expect("RFC 3339")
    }
}

/// One that sends to [`NAME`] at 127.0.0.2, and trusts the tests' authority.
pub(crate) struct Sender {
    pub(crate) outgoing: Outgoing,
    pub(crate) names: Arc<Names>,
}

/// What lets `networks` in, and http.
pub(crate) fn guard(networks: &[&str]) -> Guard {
    let allowed = networks.iter().map(|text| text.parse().expect("a network"));
    Guard {
        allowed: allowed.collect(),
        http: true,
    }
}

impl Sender {
    /// One that may send to 127.0.0.2 alone.
    pub(crate) fn new() -> Self {
        Self::with_guard(guard(&["127.0.0.2/32"]))
    }

    pub(crate) fn with_guard(guard: Guard) -> Self {
        Self::with(guard, AUTHORITY)
    }

    /// One that trusts `authority`, beside the system's.
    pub(crate) fn with(guard: Guard, authority: &str) -> Self {
        let names = Arc::new(Names::default());
        names.set(&["127.0.0.2"]);
        let roots = Roots::system_and(authority.as_bytes()).expect("an authority");
        let resolve = Arc::clone(&names) as Arc<dyn Resolve>;
        let outgoing = Outgoing::new(guard, roots, resolve, Arc::new(Noon));
        Self { outgoing, names }
    }

    pub(crate) fn target(&self, url: &str) -> Target {
        self.outgoing.guard().check_url(url).expect("a URL")
    }

    /// What is sent there if nothing else is said.
    pub(crate) fn delivery(&self, url: &str) -> Delivery {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let custom = check_header("X-Password", "swordfish").expect("a header");
        Delivery {
            target: self.target(url),
            headers,
            custom: HeaderMap::from_iter([custom]),
            body: Bytes::from_static(b"{\"n\":1}"),
            timeout: Duration::from_secs(30),
            redirects: 0,
        }
    }

    /// Sends to the port of [`NAME`].
    pub(crate) async fn send(&self, port: u16) -> Result<Answer, Failure> {
        let url = format!("http://{NAME}:{port}/events?key=grouper");
        self.outgoing.send(self.delivery(&url)).await
    }
}
