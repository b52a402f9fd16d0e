//! Which addresses a name has.

use std::collections::HashMap;
use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio_util::task::TaskTracker;

/// How many names are looked up at once. Each look-up has a thread for as long as the system takes, which may be long after
/// whoever asked has gone; what is stuck must not take the threads that everything else needs, of which there are 512.
const LOOK_UPS_MAX: usize = 128;

/// Looks names up.
#[async_trait]
pub trait Resolve: Debug + Send + Sync {
    /// The addresses that `name` has now, in the order in which they are to be tried.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Looks names up as this system does: its files, its name servers. Whoever asks for a name that is being looked up waits for that: a name
/// whose servers are silent takes one thread, however many ask for it.
#[derive(Clone, Debug)]
pub struct SystemResolver(Arc<LookUps>);

#[derive(Debug)]
struct LookUps {
    room: Arc<Semaphore>,
    /// Those that are under way.
    open: Mutex<HashMap<String, watch::Receiver<Option<Found>>>>,
    tasks: TaskTracker,
}

/// What a look-up has found; the words of the system where it has failed.
type Found = Result<Vec<IpAddr>, String>;

impl SystemResolver {
    /// One that shares its threads with none.
    pub fn new() -> Self {
        Self(Arc::new(LookUps {
            room: Arc::new(Semaphore::new(LOOK_UPS_MAX)),
            open: Mutex::default(),
            tasks: TaskTracker::new(),
        }))
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl LookUps {
    /// What is found of `name`, once it is looked up.
    fn ask(self: &Arc<Self>, name: &str) -> watch::Receiver<Option<Found>> {
        let mut open = self.open.lock();
        if let Some(found) = open.get(name) {
            return found.clone();
        }
        let (sender, found) = watch::channel(None);
        open.insert(name.to_owned(), found.clone());
        drop(open);
        let (look_ups, name) = (Arc::clone(self), name.to_owned());
        self.tasks.spawn(async move {
            let addresses = look_ups.look_up(&name).await;
            look_ups.open.lock().remove(&name);
            sender.send_replace(Some(addresses));
        });
        found
    }

    async fn look_up(&self, name: &str) -> Found {
        let permit = Arc::clone(&self.room).acquire_owned().await;
        let permit = permit.map_err(|error| error.to_string())?;
        let name = name.to_owned();
        let look_up = move || {
            // Given back when the system has answered, not when nobody waits for it any more.
            let _permit = permit;
            let found = (name.as_str(), 0).to_socket_addrs()?;
            Ok(found.map(|address| address.ip()).collect())
        };
        let found: io::Result<Vec<IpAddr>> = spawn_blocking(look_up)
            .await
            .map_err(|error| error.to_string())?;
        found.map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut found = self.0.ask(name);
        let found = found.wait_for(Option::is_some).await;
        let found = found.map_err(io::Error::other)?.clone();
        found
            .unwrap_or_else(|| Ok(Vec::new()))
            .map_err(io::Error::other)
    }
}
