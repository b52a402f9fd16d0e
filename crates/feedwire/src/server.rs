//! The server: an engine, the core over it and the edge in front, put together and taken apart in order.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use feedwire_core::Core;
use feedwire_engine::Engine;
use feedwire_http::{Access, Hosts, Limits, Origins, Server as Edge, Settings, Stopped};
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
    /// Puts a server over `engine` behind `listeners`. A stop waits up to `drain_timeout` for requests under way; web pages of
    /// `origins` may call.
    pub(crate) async fn open(
        engine: Arc<dyn Engine>,
        listeners: Listeners,
        drain_timeout: Duration,
        origins: Origins,
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
                stop_deadline: drain_timeout,
                ..Limits::default()
            },
            clock: seams.clock.clone(),
            origins,
            hosts: Hosts::LoopbackOnly,
            access: Access::Open,
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
