//! Which addresses a name has.

use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// How many names are looked up at once. Each look-up has a thread for as long as the system takes, which may be long after
/// whoever asked has gone; what is stuck must not take the threads that everything else needs.
const LOOK_UPS_MAX: usize = 32;

/// Looks names up.
#[async_trait]
pub trait Resolve: Debug + Send + Sync {
    /// The addresses that `name` has now, in the order in which they are to be tried.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Looks names up as this system does: its files, its name servers.
#[derive(Clone, Debug)]
pub struct SystemResolver(Arc<Semaphore>);

impl SystemResolver {
    /// One that shares its threads with none.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(LOOK_UPS_MAX)))
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let permit = Arc::clone(&self.0).acquire_owned().await;
        let permit = permit.map_err(io::Error::other)?;
        let name = name.to_owned();
        let look_up = move || {
            // Given back when the system has answered, not when nobody waits for it any more.
            let _permit = permit;
            let found = (name.as_str(), 0).to_socket_addrs()?;
            Ok(found.map(|address| address.ip()).collect())
        };
        spawn_blocking(look_up).await.map_err(io::Error::other)?
    }
}
