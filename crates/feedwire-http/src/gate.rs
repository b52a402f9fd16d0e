//! The accept loop of a listener: connections in, one task each.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::edge::Edge;
use crate::routes::Routes;
use crate::tally::Connections;
use crate::{connection, socket};

/// How long nothing is accepted after accepting failed: what is short, descriptors or memory, comes back when others end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener with what it leads to.
#[derive(Debug)]
pub(crate) struct Gate<'a> {
    pub(crate) listener: &'a TcpListener,
    pub(crate) routes: Routes,
    pub(crate) connections_max: usize,
    pub(crate) tally: &'a Connections,
}

impl Gate<'_> {
    /// Accepts connections for ever. Each is a task of `connections`, and ends when `cut` is cancelled.
    pub(crate) async fn accept(
        &self,
        edge: &Edge,
        connections: &TaskTracker,
        cut: &CancellationToken,
    ) {
        let permits = Arc::new(Semaphore::new(self.connections_max));
        loop {
            let permit = self.permit(&permits).await;
            let (socket, opener) = self.next(edge).await;
            self.tally.accepted.one();
            let open = self.tally.open.enter();
            let (routes, edge, cut) = (self.routes.clone(), edge.clone(), cut.clone());
            connections.spawn(async move {
                // Not `run_until_cancelled_owned`, which has room for the connection three times over.
                tokio::select! {
                    () = cut.cancelled() => {}
                    () = connection::accepted(socket, opener.ip(), routes, edge) => {}
                }
                drop((permit, open));
            });
        }
    }

    async fn permit(&self, permits: &Arc<Semaphore>) -> OwnedSemaphorePermit {
        if let Ok(permit) = permits.clone().try_acquire_owned() {
            return permit;
        }
        self.tally.accept_waits.one();
        let permit = permits.clone().acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }

    async fn next(&self, edge: &Edge) -> (TcpStream, SocketAddr) {
        loop {
            let accepted = self.listener.accept().await;
            let tuned = accepted.and_then(|(socket, opener)| {
                socket::tune(&socket, edge.limits())?;
                Ok((socket, opener))
            });
            match tuned {
                Ok(accepted) => return accepted,
                // The client went away between its connecting and our accepting.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    self.tally.accept_failures.one();
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
