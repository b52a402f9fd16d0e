//! A server in the test's own process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use feedwire_auth::{Auth, Created};
use feedwire_core::{Core, RateLimits, Seams};
use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_engine::{Engine, Retention};
use feedwire_event::{Position, ProjectName};
use feedwire_http::{
    Access, Aria, Hosts, Limits, Origins, Peers, Process, Server, Settings, Stopped, Tls,
};
use feedwire_push::{Guard, Outgoing, Push, Roots, SystemResolver};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::guard;
use crate::{Answer, CountedIds, HandClock, PATIENCE, Pair, Socket};

/// How long what connectors have on its way is waited for at the end.
const GRACE: Duration = Duration::from_secs(5);

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
    auth: Option<Auth>,
    metrics_address: Option<SocketAddr>,
    is_tls: bool,
    stop: CancellationToken,
    serving: JoinSet<Stopped>,
    pushing: JoinSet<()>,
}

/// Whom a server asks who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asks {
    /// Nobody: there are no credentials.
    #[default]
    Nobody,
    /// Nobody, although there are credentials.
    NobodyOfThose,
    /// Everybody.
    Everybody,
}

impl Asks {
    /// By which names such a server may be called.
    fn hosts(self) -> Hosts {
        match self {
            Self::Everybody => Hosts::Any,
            Self::Nobody | Self::NobodyOfThose => Hosts::LoopbackOnly,
        }
    }
}

/// How a server is to be.
#[derive(Debug, Default)]
pub struct Setup {
    /// What clients may have.
    pub limits: Limits,
    /// How the feeds of Aria's API are told.
    pub aria: Aria,
    /// How its engine is set up.
    pub engine: Options,
    /// Which web pages may call.
    pub origins: Origins,
    /// What it speaks TLS with.
    pub tls: Option<Tls>,
    /// Whom it asks who they are.
    pub asks: Asks,
    /// What each address may take.
    pub address_limits: RateLimits,
    /// How long access tokens are good for, if not as usual.
    pub token_lifetime: Option<Duration>,
    /// Whether readers end with their access tokens.
    pub tokens_end_readers: bool,
    /// Where connectors may push to.
    pub guard: Guard,
    /// Whether metrics have a listener of their own.
    pub has_metrics_apart: bool,
}

impl TestServer {
    /// A server that is open to everybody, with the limits of the real one.
    pub async fn start() -> Self {
        Self::set_up(Setup::default()).await
    }

    /// A server with these limits.
    pub async fn with(limits: Limits) -> Self {
        Self::set_up(Setup {
            limits,
            ..Setup::default()
        })
        .await
    }

    /// A server over an engine that is set up like this.
    pub async fn over(engine: Options) -> Self {
        Self::set_up(Setup {
            engine,
            ..Setup::default()
        })
        .await
    }

    /// A server that web pages of these origins may call.
    pub async fn open_to(origins: Origins) -> Self {
        Self::set_up(Setup {
            origins,
            ..Setup::default()
        })
        .await
    }

    /// A server that speaks TLS, and what it shows.
    pub async fn with_tls(limits: Limits) -> (Self, Tls) {
        let tls = Pair::SERVER.tls();
        let server = Self::set_up(Setup {
            limits,
            tls: Some(tls.clone()),
            ..Setup::default()
        })
        .await;
        (server, tls)
    }

    /// A server that tells its metrics at the address that is returned too, and nowhere else.
    pub async fn with_metrics_apart(limits: Limits) -> (Self, SocketAddr) {
        let server = Self::set_up(Setup {
            limits,
            has_metrics_apart: true,
            ..Setup::default()
        })
        .await;
        let address = server.metrics_address();
        (server, address)
    }

    /// A server that asks who calls.
    pub async fn guarded() -> Self {
        Self::set_up(Setup {
            asks: Asks::Everybody,
            ..Setup::default()
        })
        .await
    }

    /// A server that is as `setup` says.
    pub async fn set_up(setup: Setup) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Server::bind(any).await.expect("a free port of loopback");
        let mut metrics_address = None;
        if setup.has_metrics_apart {
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
            metrics_address = Some(listener.local_addr().expect("it listens"));
            let taken = server.metrics_at(listener);
            server = taken.expect("a listener can be taken over");
        }
        let engine: Arc<dyn Engine> = Arc::new(
            Memory::open(&Place::new(setup.engine)).expect("nobody else knows this place"),
        );
        let clock = Arc::new(HandClock::new());
        let seams = Seams {
            clock: clock.clone(),
            ids: Arc::new(CountedIds::default()),
        };
        let core = Core::open(engine.clone(), seams)
            .await
            .expect("an engine in memory opens");
        let mut auth = None;
        if setup.asks == Asks::Everybody {
            let made = guard::auth(&*engine, clock.clone(), setup.token_lifetime);
            auth = Some(made.await);
        }
        let stop = CancellationToken::new();
        let push = push(setup.guard, &core, &clock, auth.as_ref());
        let mut pushing = JoinSet::new();
        let (pushed, end) = (push.clone(), stop.clone());
        pushing.spawn(async move { pushed.run(end, GRACE).await });
        let settings = Settings {
            push,
            limits: setup.limits,
            aria: setup.aria,
            clock: clock.clone(),
            origins: setup.origins,
            hosts: setup.asks.hosts(),
            access: auth.clone().map_or(
                Access::Open {
                    has_credentials: setup.asks == Asks::NobodyOfThose,
                },
                Access::Guarded,
            ),
            address_limits: setup.address_limits,
            public_url: None,
            tokens_end_readers: setup.tokens_end_readers,
            peers: Peers::default(),
            tls: setup.tls,
            process,
        };
        let is_tls = settings.tls.is_some();
        let address = server.address().expect("it listens");
        let mut serving = JoinSet::new();
        serving.spawn(server.serve(core.clone(), settings, stop.clone()));
        Self {
            address,
            clock,
            core,
            engine,
            auth,
            metrics_address,
            is_tls,
            stop,
            serving,
            pushing,
        }
    }

    /// A server whose connectors may push to loopback, by `http` too.
    pub async fn pushing(asks: Asks) -> Self {
        let loopback = ["127.0.0.0/8", "::1/128"].map(str::parse);
        let allowed: Result<_, _> = loopback.into_iter().collect();
        Self::set_up(Setup {
            asks,
            guard: Guard {
                allowed: allowed.expect("they are networks"),
                http: true,
            },
            ..Setup::default()
        })
        .await
    }

    /// Where metrics are told, where that is apart.
    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics_address.expect("they have one")
    }

    /// The credentials of a server that asks who calls.
    pub fn auth(&self) -> &Auth {
        self.auth.as_ref().expect("it is guarded")
    }

    /// A credential that is managed in `home`, with these grants: projects, rights parted by commas, and feeds parted by commas.
    pub async fn credential(&self, home: &str, grants: &[(&str, &str, &str)]) -> Created {
        guard::credential(self.auth(), home, grants).await
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
        let pushed = timeout(PATIENCE, self.pushing.join_next()).await;
        let pushed = pushed.expect("pushing ends");
        pushed
            .expect("it was started once")
            .expect("pushing does not panic");
        self.core.close().await;
        stopped
            .expect("it was started once")
            .expect("serving does not panic")
    }
}

/// Connectors of `core` that push to where `guard` lets them.
fn push(guard: Guard, core: &Arc<Core>, clock: &Arc<HandClock>, auth: Option<&Auth>) -> Push {
    let resolve = Arc::new(SystemResolver::new());
    let outgoing = Outgoing::new(guard, Roots::system(), resolve, clock.clone());
    Push::new(core.clone(), outgoing, clock.clone(), auth.map(Auth::seal))
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
