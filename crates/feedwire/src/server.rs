//! The server: an engine, the core over it and the edge in front, put together and taken apart in order.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use feedwire_core::Core;
use feedwire_engine::Engine;
use feedwire_http::{Hosts, Limits, Origins, Peers, Server as Edge, Settings, Stopped, Tls};
use tokio_util::sync::CancellationToken;

use crate::{process, seams};

/// A server that listens. It answers once it serves.
#[derive(Debug)]
pub(crate) struct Server {
    core: Arc<Core>,
    edge: Edge,
    settings: Settings,
    address: SocketAddr,
}

/// How a server serves.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) access: Access,
    /// How long a stop waits for requests under way.
    pub(crate) drain_timeout: Duration,
    /// Which web pages may call.
    pub(crate) origins: Origins,
    /// Whom requests are taken to be from.
    pub(crate) peers: Peers,
    pub(crate) tls: Option<Tls>,
}

/// Who may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody may do everything, and so only programs of this machine may ask.
    Open,
}

impl Access {
    fn hosts(self) -> Hosts {
        match self {
            Self::Open => Hosts::LoopbackOnly,
        }
    }

    /// What whoever starts a server is told of it.
    pub(crate) fn notice(self) -> &'static str {
        match self {
            Self::Open => {
                "open to every program of this machine: whoever asks may read, publish and erase"
            }
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
        let settings = Settings {
            limits: Limits {
                stop_deadline: serving.drain_timeout,
                ..Limits::default()
            },
            clock: seams.clock.clone(),
            origins: serving.origins,
            hosts: serving.access.hosts(),
            peers: serving.peers,
            tls: serving.tls,
            process: process::ask,
        };
        let core = Core::open(engine, seams)
            .await
            .context("cannot open the projects")?;
        Ok(Self {
            core,
            edge,
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
        let stopped = self
            .edge
            .serve(self.core.clone(), self.settings, stop)
            .await;
        // Only now: what was answered until here needed the engine.
        self.core.close().await;
        stopped
    }
}
