//! A server in the test's own process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use feedwire_core::{Core, Seams};
use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_engine::{Engine, Retention};
use feedwire_event::{Position, ProjectName};
use feedwire_http::{Hosts, Limits, Origins, Peers, Process, Server, Settings, Stopped, Tls};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{Answer, CountedIds, HandClock, PATIENCE, Pair, Socket};

/// A server on a free port of loopback, over an engine in memory.
#[derive(Debug)]
pub struct TestServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it tells the time by.
    pub clock: Arc<HandClock>,
    /// What it serves.
    pub core: Arc<Core>,
    engine: Arc<dyn Engine>,
    is_tls: bool,
    stop: CancellationToken,
    serving: JoinSet<Stopped>,
}

impl TestServer {
    /// A server with the limits of the real one.
    pub async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    /// A server with these limits.
    pub async fn with(limits: Limits) -> Self {
        Self::serve(limits, Options::default(), Origins::default(), None).await
    }

    /// A server over an engine that is set up like this.
    pub async fn over(options: Options) -> Self {
        Self::serve(Limits::default(), options, Origins::default(), None).await
    }

    /// A server that web pages of these origins may call.
    pub async fn open_to(origins: Origins) -> Self {
        Self::serve(Limits::default(), Options::default(), origins, None).await
    }

    /// A server that speaks TLS, and what it shows.
    pub async fn with_tls(limits: Limits) -> (Self, Tls) {
        let tls = Pair::SERVER.tls();
        let server = Self::serve(
            limits,
            Options::default(),
            Origins::default(),
            Some(tls.clone()),
        )
        .await;
        (server, tls)
    }

    /// A server that tells its metrics at the address that is returned too, and nowhere else.
    pub async fn with_metrics_apart(limits: Limits) -> (Self, SocketAddr) {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let bound = Self::bind().await.metrics_at(listener);
        let server = bound.expect("a listener can be taken over");
        let server = Self::run(server, limits, Options::default(), Origins::default(), None).await;
        (server, address)
    }

    async fn bind() -> Server {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Server::bind(any).await.expect("a free port of loopback")
    }

    async fn serve(limits: Limits, options: Options, origins: Origins, tls: Option<Tls>) -> Self {
        Self::run(Self::bind().await, limits, options, origins, tls).await
    }

    async fn run(
        server: Server,
        limits: Limits,
        options: Options,
        origins: Origins,
        tls: Option<Tls>,
    ) -> Self {
        let engine: Arc<dyn Engine> =
            Arc::new(Memory::open(&Place::new(options)).expect("nobody else knows this place"));
        let clock = Arc::new(HandClock::new());
        let seams = Seams {
            clock: clock.clone(),
            ids: Arc::new(CountedIds::default()),
        };
        let core = Core::open(engine.clone(), seams)
            .await
            .expect("an engine in memory opens");
        let address = server.address().expect("it listens");
        let stop = CancellationToken::new();
        let settings = Settings {
            limits,
            clock: clock.clone(),
            origins,
            hosts: Hosts::default(),
            peers: Peers::default(),
            tls,
            process,
        };
        let is_tls = settings.tls.is_some();
        let mut serving = JoinSet::new();
        serving.spawn(server.serve(core.clone(), settings, stop.clone()));
        Self {
            address,
            clock,
            core,
            engine,
            is_tls,
            stop,
            serving,
        }
    }

    /// A new connection, over TLS where the server speaks it.
    pub async fn connect(&self) -> Socket {
        let socket = Socket::connect(self.address).await;
        if self.is_tls {
            socket.secured().await
        } else {
            socket
        }
    }

    /// The answer to a request with `headers`, on a connection of its own.
    pub async fn ask(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut socket = self.connect().await;
        socket.request(method, path, headers, body).await;
        socket.answer(method).await
    }

    /// The answer to a `GET` of `path`, below the default project.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", &below_project(path), &[], b"").await
    }

    /// Publishes `body`, one event or an array of them, to `feed`; it has to be taken.
    pub async fn publish(&self, feed: &str, body: &str) -> Answer {
        let path = below_project(&format!("feeds/{feed}/events"));
        let answer = self
            .ask(
                "POST",
                &path,
                &["content-type: application/json"],
                body.as_bytes(),
            )
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    /// A connection on which `path`, below the default project, is streamed as `accept`; its head is read.
    pub async fn follow(&self, path: &str, accept: &str, headers: &[&str]) -> Socket {
        let accept = format!("accept: {accept}");
        let headers = [&[accept.as_str()], headers].concat();
        let mut socket = self.connect().await;
        socket
            .request("GET", &below_project(path), &headers, b"")
            .await;
        let head = socket.head().await;
        assert_eq!(head.status, 200, "{head:?}");
        socket
    }

    /// Lets go of everything that was recorded longer than `age` ago.
    pub async fn trim(&self, age: Duration) {
        let project = ProjectName::new("default").expect("it is a name");
        let log = self
            .engine
            .log(&project)
            .await
            .expect("it was made at the start");
        let keep = Retention {
            age: Some(age),
            bytes: None,
        };
        let now = feedwire_core::Clock::now(&*self.clock);
        log.trim(keep, now, Position::MAX)
            .await
            .expect("memory is there");
    }

    /// Asks the server to stop, and goes on at once.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the server has stopped, and closes the core.
    pub async fn stopped(mut self) -> Stopped {
        self.stop();
        let stopped = timeout(PATIENCE, self.serving.join_next())
            .await
            .expect("the server stops");
        self.core.close().await;
        stopped
            .expect("it was started once")
            .expect("serving does not panic")
    }
}

/// What the process would take, the same in every run.
fn process() -> Process {
    Process {
        cpu_seconds: Some(1.5),
        resident_bytes: Some(32 << 20),
        open_fds: Some(12),
        max_fds: Some(20_000),
    }
}

/// `path` below the default project.
fn below_project(path: &str) -> String {
    format!("/v1/projects/default/{path}")
}
