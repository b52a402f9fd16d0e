//! The server: an engine, the core over it and the edge in front, put together and taken apart in order.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use feedwire_auth::{Auth, Seal};
use feedwire_core::{Core, RateLimits};
use feedwire_engine::Engine;
use feedwire_http::{Aria, Hosts, Limits, Origins, Peers, Server as Edge, Settings, Stopped, Tls};
use feedwire_push::Push;
use tokio_util::sync::CancellationToken;

use crate::{process, pushing, seams};

/// A server that listens. It answers once it serves.
#[derive(Debug)]
pub(crate) struct Server {
    core: Arc<Core>,
    push: Push,
    edge: Edge,
    access: Access,
    settings: Settings,
    address: SocketAddr,
}

/// How a server serves.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) access: Access,
    /// How long a stop waits for requests under way.
    pub(crate) drain_timeout: Duration,
    /// How long a stream of Disruptive's API lasts; `None` is for as long as its reader likes.
    pub(crate) disruptive_lifetime: Option<Duration>,
    /// Streams of Validic's API in a project, and members of each.
    pub(crate) validic: (usize, usize),
    /// How the feeds of Aria's API are told.
    pub(crate) aria: Aria,
    /// Where connectors may push to.
    pub(crate) pushing: pushing::Options,
    /// Which web pages may call.
    pub(crate) origins: Origins,
    /// Whom requests are taken to be from.
    pub(crate) peers: Peers,
    pub(crate) tls: Option<Tls>,
    /// What each address may take of the server, whoever calls from it.
    pub(crate) address_limits: RateLimits,
    /// The address that clients call it by, if it is not as they do.
    pub(crate) public_url: Option<String>,
    /// Whether streams end with the access tokens that they were begun by.
    pub(crate) tokens_end_readers: bool,
}

/// Who may do what.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// Everybody may do everything, and so only programs of this machine may ask.
    Open {
        /// Whether the folder has credentials all the same.
        has_credentials: bool,
    },
    /// Whoever has a credential may do what that is granted.
    Guarded(Auth),
}

/// What whoever starts a server is told of it that is open.
pub(crate) const OPEN_NOTICE: &str =
    "open to every program of this machine: whoever asks may read, publish and erase";

impl Access {
    fn hosts(&self) -> Hosts {
        match self {
            Self::Open { .. } => Hosts::LoopbackOnly,
            Self::Guarded(_) => Hosts::Any,
        }
    }

    fn edge(&self) -> feedwire_http::Access {
        match self {
            Self::Open { has_credentials } => feedwire_http::Access::Open {
                has_credentials: *has_credentials,
            },
            Self::Guarded(auth) => feedwire_http::Access::Guarded(auth.clone()),
        }
    }

    /// What secrets are kept by; `None` is as they are.
    fn seal(&self) -> Option<Seal> {
        match self {
            Self::Open { .. } => None,
            Self::Guarded(auth) => Some(auth.seal()),
        }
    }

    /// Ends what credentials prove when they end, until `stop` is cancelled.
    async fn keep(&self, stop: CancellationToken) {
        if let Self::Guarded(auth) = self {
            auth.keep(stop).await;
        }
    }

    /// Waits for the changes of credentials that are being made.
    async fn close(&self) {
        if let Self::Guarded(auth) = self {
            auth.close().await;
        }
    }
}

/// Where a server listens.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// For clients.
    pub(crate) main: TcpListener,
    /// For metrics, where they are told apart.
    pub(crate) metrics: Option<TcpListener>,
}

impl Listeners {
    fn edge(self) -> io::Result<Edge> {
        let edge = Edge::adopt(self.main)?;
        match self.metrics {
            Some(metrics) => edge.metrics_at(metrics),
            None => Ok(edge),
        }
    }
}

impl Server {
    /// Puts a server over `engine` behind `listeners`.
    pub(crate) async fn open(
        engine: Arc<dyn Engine>,
        listeners: Listeners,
        serving: Serving,
    ) -> anyhow::Result<Self> {
        let edge = listeners
            .edge()
            .context("cannot serve the listening socket")?;
        let address = edge
            .address()
            .context("cannot serve the listening socket")?;
        let seams = seams::system();
        let clock = seams.clock.clone();
        let core = Core::open(engine, seams)
            .await
            .context("cannot open the projects")?;
        let outgoing = serving.pushing.outgoing(clock.clone())?;
        let push = Push::new(core.clone(), outgoing, clock.clone(), serving.access.seal());
        let settings = Settings {
            push: push.clone(),
            limits: Limits {
                stop_deadline: serving.drain_timeout,
                disruptive_lifetime: serving.disruptive_lifetime,
                validic_streams_max: serving.validic.0,
                validic_members_max: serving.validic.1,
                ..Limits::default()
            },
            aria: serving.aria,
            clock,
            origins: serving.origins,
            hosts: serving.access.hosts(),
            access: serving.access.edge(),
            address_limits: serving.address_limits,
            public_url: serving.public_url,
            tokens_end_readers: serving.tokens_end_readers,
            peers: serving.peers,
            tls: serving.tls,
            process: process::ask,
        };
        Ok(Self {
            core,
            push,
            edge,
            access: serving.access,
            settings,
            address,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How its addresses begin.
    pub(crate) fn scheme(&self) -> &'static str {
        match self.settings.tls {
            Some(_) => "https",
            None => "http",
        }
    }

    /// Serves until `stop` is cancelled; then answers what is under way and closes the engine.
    pub(crate) async fn serve(self, stop: CancellationToken) -> Stopped {
        let keep = CancellationToken::new();
        let grace = self.settings.limits.stop_deadline;
        let serving = async {
            let served = self
                .edge
                .serve(self.core.clone(), self.settings, stop.clone());
            let stopped = served.await;
            keep.cancel();
            stopped
        };
        let (stopped, (), ()) = tokio::join!(
            serving,
            self.access.keep(keep.clone()),
            self.push.run(stop.clone(), grace)
        );
        // Only now: what was answered until here needed the engine.
        self.access.close().await;
        self.core.close().await;
        stopped
    }
}
