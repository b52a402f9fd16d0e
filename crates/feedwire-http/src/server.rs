//! The server: its listeners, and an orderly stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use feedwire_core::{Clock, Core, RateLimits};
use feedwire_push::Push;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::edge::Edge;
use crate::gate::Gate;
use crate::process::Process;
use crate::routes::{Route, Routes};
use crate::tally::Connections;
use crate::{Access, Aria, Hosts, Limits, Origins, Peers, Tls, metrics, openapi, routes};

/// A listening server.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    /// The one for metrics, where they have one of their own.
    metrics: Option<TcpListener>,
}

/// How a server serves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is asked of connectors, over the same core. Running it is not the edge's business.
    pub push: Push,
    /// What clients may have.
    pub limits: Limits,
    /// How the feeds of Aria's API are told.
    pub aria: Aria,
    /// The clock that spans such as `5hours` are counted back from: the core's.
    pub clock: Arc<dyn Clock>,
    /// Which web pages may call.
    pub origins: Origins,
    /// By which names the server may be called.
    pub hosts: Hosts,
    /// Who may call.
    pub access: Access,
    /// What each address may take, whoever calls from it.
    pub address_limits: RateLimits,
    /// The address that clients call the server by, such as `https://feeds.example.com`; without it, as they called it.
    pub public_url: Option<String>,
    /// Whether streams and waiting polls end when the access token expires that they were begun by. What ends or changes a
    /// credential ends its readers in any case.
    pub tokens_end_readers: bool,
    /// Whom requests are taken to be from.
    pub peers: Peers,
    /// TLS at every listener, or nothing but plain HTTP.
    pub tls: Option<Tls>,
    /// Asks the system what the process takes, for the metrics; it may read what the kernel tells.
    pub process: fn() -> Process,
}

/// How serving came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// How many connections were cut off because their requests had not finished at the deadline.
    pub cut_off: usize,
}

impl Server {
    /// Listens on `address`; port 0 is any free one.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            metrics: None,
        })
    }

    /// Takes over a socket that listens already, such as one handed over by the process before or by a service manager.
    pub fn adopt(listener: std::net::TcpListener) -> io::Result<Self> {
        Ok(Self {
            listener: adopted(listener)?,
            metrics: None,
        })
    }

    /// Has metrics told at this listener, and no longer at the one that clients call.
    pub fn metrics_at(mut self, listener: std::net::TcpListener) -> io::Result<Self> {
        self.metrics = Some(adopted(listener)?);
        Ok(self)
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves `core` until `stop` is cancelled. Then nothing more is accepted, streams are ended, waiting requests are answered at
    /// once, idle connections are closed, and what is being answered has until the deadline.
    ///
    /// The core is left open: it is to be closed after this has returned.
    pub async fn serve(
        self,
        core: Arc<Core>,
        settings: Settings,
        stop: CancellationToken,
    ) -> Stopped {
        let deadline = settings.limits.stop_deadline;
        let is_guarded = matches!(settings.access, Access::Guarded(_));
        let document = openapi::document(self.routes(), is_guarded);
        let edge = Edge::new(core, settings, document, stop.clone());
        let connections = TaskTracker::new();
        let cut = CancellationToken::new();
        // Whoever is told the end of a stream comes back at once, for whoever serves then: not one more is accepted.
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.accept(&edge, &connections, &cut) => {}
        }
        drop(self);
        connections.close();
        let drained = timeout(deadline, connections.wait()).await;
        let cut_off = drained.map_or_else(|_elapsed| connections.len(), |()| 0);
        cut.cancel();
        connections.wait().await;
        edge.settled().await;
        Stopped { cut_off }
    }

    /// What is at the listener that clients call.
    fn routes(&self) -> impl Iterator<Item = &'static Route> + use<> {
        let with_metrics = self.metrics.is_none().then_some(&metrics::ROUTE);
        routes::at_listener().chain(with_metrics)
    }

    async fn accept(&self, edge: &Edge, connections: &TaskTracker, cut: &CancellationToken) {
        let metrics = self.metrics.as_ref();
        let main = Gate {
            listener: &self.listener,
            routes: Routes::new(self.routes()),
            connections_max: edge.limits().connections_max,
            tally: &edge.tally().connections,
        };
        // Not counted: what is told there is told of the other.
        let uncounted = Connections::default();
        let apart = metrics.map(|listener| Gate {
            listener,
            routes: Routes::new([&metrics::APART]),
            connections_max: edge.limits().scrapers_max,
            tally: &uncounted,
        });
        let apart = async {
            if let Some(apart) = apart {
                apart.accept(edge, connections, cut).await;
            }
        };
        tokio::join!(main.accept(edge, connections, cut), apart);
    }
}

fn adopted(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
