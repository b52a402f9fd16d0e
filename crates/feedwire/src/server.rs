//! The server: an engine, the core over it and the edge in front, put together and taken apart in order.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use feedwire_core::Core;
use feedwire_engine::Engine;
use feedwire_http::{Hosts, Limits, Origins, Server as Edge, Settings, Stopped};
use tokio_util::sync::CancellationToken;

use crate::seams;

/// A server that listens. It answers once it serves.
#[derive(Debug)]
pub(crate) struct Server {
    core: Arc<Core>,
    edge: Edge,
    settings: Settings,
    address: SocketAddr,
}

impl Server {
    /// Puts a server over `engine` behind `listener`. A stop waits up to `drain_timeout` for requests under way; web pages of
    /// `origins` may call.
    pub(crate) async fn open(
        engine: Arc<dyn Engine>,
        listener: TcpListener,
        drain_timeout: Duration,
        origins: Origins,
    ) -> anyhow::Result<Self> {
        let edge = Edge::adopt(listener).context("cannot serve the listening socket")?;
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
