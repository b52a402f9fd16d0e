//! The one place that connects: to addresses that the guard has let through, and to no others.
//!
//! A name is looked up once for each connection, and what is connected to is what was checked: between the two nothing asks
//! again. No proxy stands between, whatever the environment says, for it would look the name up itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::failure::{Failure, Stage};
use super::guard::Guard;
use super::held::Held;
use super::resolve::Resolve;
use super::roots::Roots;

/// How long a connection may take to come about: its name, TCP and TLS.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// How many of a name's addresses are tried.
const ADDRESSES_MAX: usize = 8;

pub(super) type Stream = MaybeHttpsStream<TokioIo<Held>>;

/// Makes connections.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    guard: Arc<Guard>,
    resolve: Arc<dyn Resolve>,
    roots: Roots,
    /// A place for each connection that may be open.
    places: Arc<Semaphore>,
}

impl Connector {
    /// One that has at most `connections_max` connections open.
    pub(super) fn new(
        guard: Arc<Guard>,
        resolve: Arc<dyn Resolve>,
        roots: Roots,
        connections_max: usize,
    ) -> Self {
        Self {
            guard,
            resolve,
            roots,
            places: Arc::new(Semaphore::new(connections_max)),
        }
    }

    async fn connect(self, uri: Uri) -> Result<Stream, Failure> {
        let deadline = Instant::now() + CONNECT_WAIT;
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let look_up = self.addresses(host);
        let addresses = timeout_at(deadline, look_up).await;
        let addresses = addresses.or(Err(Failure::TimedOut(Stage::Resolving)))??;
        let place = timeout_at(deadline, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.or(Err(Failure::TimedOut(Stage::Connecting)))?;
        let place = place.map_err(|error| Failure::Unreachable(error.to_string()))?;
        let tcp = reach(&addresses, port, deadline).await?;
        // Once more, of the connection itself: what was asked for is what has to be there.
        let peer = tcp.peer_addr();
        let peer = peer.map_err(|error| Failure::Unreachable(error.to_string()))?;
        self.guard.check_address(peer.ip())?;
        let tcp = TokioIo::new(Held::new(tcp, place));
        if !secure {
            return Ok(MaybeHttpsStream::Http(tcp));
        }
        let securing = timeout_at(deadline, self.secure(host, tcp)).await;
        securing.or(Err(Failure::TimedOut(Stage::Securing)))?
    }

    /// The addresses of `host` that may be connected to; there is at least one.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let unresolved = |reason: String| Failure::Unresolved {
            name: host.to_owned(),
            reason,
        };
        let found = if let Some(address) = literal(host) {
            vec![address]
        } else {
            let found = self.resolve.resolve(host).await;
            found.map_err(|error| unresolved(error.to_string()))?
        };
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in found {
            match self.guard.check_address(address) {
                Ok(()) if allowed.len() < ADDRESSES_MAX => allowed.push(address),
                Ok(()) => {}
                Err(inside) => refused = refused.or(Some(inside)),
            }
        }
        match refused {
            _ if !allowed.is_empty() => Ok(allowed),
            Some(inside) if literal(host).is_some() => Err(inside.into()),
            // Which address that is tells of a network that whoever made the URL may not know.
            Some(inside) => {
                tracing::debug!(name = host, %inside, "a name leads inside");
                Err(Failure::Inward {
                    name: host.to_owned(),
                    inside,
                })
            }
            None => Err(unresolved("it has no address".to_owned())),
        }
    }

    async fn secure(&self, host: &str, tcp: TokioIo<Held>) -> Result<Stream, Failure> {
        let config = self.roots.config().await;
        let config = config.map_err(|error| Failure::Authorities(error.to_string()))?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| Failure::Handshake(format!("{host}: {error}")))?;
        let connector = TlsConnector::from(config);
        let secured = connector.connect(name, TokioIo::new(tcp)).await;
        let secured = secured.map_err(|error| Failure::of_handshake(&error))?;
        Ok(MaybeHttpsStream::Https(TokioIo::new(secured)))
    }
}

fn literal(host: &str) -> Option<IpAddr> {
    let v4 = host.parse::<Ipv4Addr>().map(IpAddr::from);
    v4.or_else(|_| host.parse::<Ipv6Addr>().map(IpAddr::from))
        .ok()
}

/// A connection to the first of `addresses` that answers. Each has its part of what is left of the time.
async fn reach(addresses: &[IpAddr], port: u16, deadline: Instant) -> Result<TcpStream, Failure> {
    let mut failure = Failure::TimedOut(Stage::Connecting);
    for (tried, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        let connecting = TcpStream::connect(SocketAddr::new(*address, port));
        failure = match timeout(share, connecting).await {
            // Without it an answer to a short request would wait for an acknowledgement.
            Ok(Ok(tcp)) => match tcp.set_nodelay(true) {
                Ok(()) => return Ok(tcp),
                Err(error) => Failure::Unreachable(error.to_string()),
            },
            Ok(Err(error)) => Failure::Unreachable(error.to_string()),
            Err(_) => Failure::TimedOut(Stage::Connecting),
        };
    }
    Err(failure)
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::SystemResolver;

    /// The system takes these names for addresses. No URL with one comes here; if one did, it would end here.
    #[tokio::test]
    async fn a_name_that_the_system_takes_for_an_address_is_held_against_the_guard() {
        let guard = Guard {
            http: true,
            ..Guard::default()
        };
        let resolve = Arc::new(SystemResolver::new());
        let connector = Connector::new(Arc::new(guard), resolve, Roots::system(), 1);
        for (host, address) in [
            ("2130706433", "127.0.0.1"),
            ("0x7f000001", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"),
            ("0xa9fea9fe", "169.254.169.254"),
            ("0", "0.0.0.0"),
        ] {
            let uri = format!("http://{host}:1/").parse().expect("a URI");
            match connector.clone().connect(uri).await {
                Err(Failure::Inward { inside, .. }) => {
                    assert_eq!(inside.address.to_string(), address, "{host}");
                }
                Err(other) => panic!("{host}: {other:?}"),
                Ok(_) => panic!("{host}: it is connected"),
            }
        }
    }
}
