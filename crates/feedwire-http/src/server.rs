//! The accept loop: connections in, one task each, and an orderly stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use feedwire_core::{Clock, Core};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::edge::Edge;
use crate::{Hosts, Limits, Origins, connection, native, probes, socket};

/// A listening server.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
}

/// How a server serves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What clients may have.
    pub limits: Limits,
    /// The clock that spans such as `5hours` are counted back from: the core's.
    pub clock: Arc<dyn Clock>,
    /// Which web pages may call.
    pub origins: Origins,
    /// By which names the server may be called.
    pub hosts: Hosts,
}

/// How serving came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// How many connections were cut off because their requests had not finished at the deadline.
    pub cut_off: usize,
}

/// How long nothing is accepted after accepting failed: what is short, descriptors or memory, comes back when others end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Server {
    /// Listens on `address`; port 0 is any free one.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
        })
    }

    /// Takes over a socket that listens already, such as one handed over by the process before or by a service manager.
    pub fn adopt(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener: TcpListener::from_std(listener)?,
        })
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
        let limits = &settings.limits;
        let (deadline, connections_max) = (limits.stop_deadline, limits.connections_max);
        let edge = Edge::new(core, settings, stop.clone());
        let connections = TaskTracker::new();
        let cut = CancellationToken::new();
        stop.run_until_cancelled(self.accept(&edge, connections_max, &connections, &cut))
            .await;
        drop(self.listener);
        connections.close();
        let drained = timeout(deadline, connections.wait()).await;
        let cut_off = drained.map_or_else(|_elapsed| connections.len(), |()| 0);
        cut.cancel();
        connections.wait().await;
        Stopped { cut_off }
    }

    async fn accept(
        &self,
        edge: &Edge,
        connections_max: usize,
        connections: &TaskTracker,
        cut: &CancellationToken,
    ) {
        let permits = Arc::new(Semaphore::new(connections_max));
        let routes = native::routes()
            .merge(probes::routes())
            .with_state(edge.clone());
        loop {
            let permit = permits.clone().acquire_owned().await;
            let permit = permit.expect("the semaphore is never closed");
            let socket = self.next(edge).await;
            let (routes, edge, cut) = (routes.clone(), edge.clone(), cut.clone());
            connections.spawn(cut.run_until_cancelled_owned(async move {
                connection::serve(socket, routes, edge).await;
                drop(permit);
            }));
        }
    }

    async fn next(&self, edge: &Edge) -> TcpStream {
        loop {
            let accepted = self.listener.accept().await;
            let tuned = accepted.and_then(|(socket, _)| {
                socket::tune(&socket, edge.limits())?;
                Ok(socket)
            });
            match tuned {
                Ok(socket) => return socket,
                // The client went away between its connecting and our accepting.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "accepting a connection failed"
                    );
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}
