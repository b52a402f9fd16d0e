//! What every request is answered from.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use feedwire_core::{Clock, Core};
use feedwire_event::{Subject, Timestamp};
use feedwire_push::Push;
use tokio::sync::{MutexGuard, RwLock};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::cors::CorsLayer;
use xxhash_rust::xxh3::xxh3_64;

use crate::deletions::Deletions;
use crate::process::Process;
use crate::quota::Quotas;
use crate::room::Pool;
use crate::tally::{Connections, Requests, Streams};
use crate::{Access, Aria, Hosts, Limits, Peers, Settings, Tls};

/// How many devices can be deleted or moved at once, at most.
const DEVICE_LOCKS: usize = 64;

/// What every request is answered from. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Edge(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    core: Arc<Core>,
    push: Push,
    clock: Arc<dyn Clock>,
    limits: Limits,
    /// What web pages of other origins are told, if any may call.
    cors: Option<CorsLayer>,
    hosts: Hosts,
    aria: Aria,
    access: Access,
    quotas: Quotas,
    deletions: Deletions,
    /// Held while projects and credentials are changed: what one change looked at is still so when it is made.
    settling: tokio::sync::Mutex<()>,
    /// Held alone while a device is deleted or moved, and shared while something is told of it: what is told of one is erased with it,
    /// and not left behind. Devices share a few.
    devices: [RwLock<()>; DEVICE_LOCKS],
    /// What is carried through to its end.
    changes: TaskTracker,
    public_url: Option<String>,
    tokens_end_readers: bool,
    peers: Peers,
    tls: Option<Tls>,
    rooms: Rooms,
    tally: Tally,
    process: fn() -> Process,
    /// The description of all routes.
    document: Bytes,
    started_at: Timestamp,
    began: Instant,
    stop: CancellationToken,
}

/// Room for bodies, by what they are.
#[derive(Debug)]
pub(crate) struct Rooms {
    /// Bodies that are received.
    pub(crate) received: Arc<Pool>,
    /// Pages that are sent.
    pub(crate) sent: Arc<Pool>,
    /// What streams have read of logs and not yet sent.
    pub(crate) streamed: Arc<Pool>,
}

/// What the edge counts of what it does.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) requests: Requests,
    /// Those of the listener that clients call.
    pub(crate) connections: Connections,
    pub(crate) streams: Streams,
}

impl Edge {
    pub(crate) fn new(
        core: Arc<Core>,
        settings: Settings,
        document: Bytes,
        stop: CancellationToken,
    ) -> Self {
        let Settings {
            push,
            limits,
            aria,
            clock,
            origins,
            hosts,
            access,
            address_limits,
            tokens_end_readers,
            public_url,
            peers,
            tls,
            process,
        } = settings;
        let rooms = Rooms {
            received: Arc::new(Pool::new(limits.bodies_bytes_max)),
            sent: Arc::new(Pool::new(limits.pages_bytes_max)),
            streamed: Arc::new(Pool::new(limits.streams_bytes_max)),
        };
        let tally = Tally {
            requests: Requests::new(),
            connections: Connections::default(),
            streams: Streams::default(),
        };
        Self(Arc::new(Parts {
            started_at: clock.now(),
            began: Instant::now(),
            core,
            push,
            clock,
            limits,
            aria,
            cors: origins.layer(),
            hosts,
            access,
            quotas: Quotas::new(address_limits),
            deletions: Deletions::default(),
            settling: tokio::sync::Mutex::default(),
            devices: std::array::from_fn(|_| RwLock::default()),
            changes: TaskTracker::new(),
            public_url,
            tokens_end_readers,
            peers,
            tls,
            rooms,
            tally,
            process,
            document,
            stop,
        }))
    }

    pub(crate) fn core(&self) -> &Core {
        &self.0.core
    }

    /// What is asked of connectors.
    pub(crate) fn push(&self) -> &Push {
        &self.0.push
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// How the feeds of Aria's API are told.
    pub(crate) fn aria(&self) -> &Aria {
        &self.0.aria
    }

    pub(crate) fn cors(&self) -> Option<&CorsLayer> {
        self.0.cors.as_ref()
    }

    pub(crate) fn hosts(&self) -> Hosts {
        self.0.hosts
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(crate) fn quotas(&self) -> &Quotas {
        &self.0.quotas
    }

    /// What is to be confirmed before it is deleted.
    pub(crate) fn deletions(&self) -> &Deletions {
        &self.0.deletions
    }

    /// The turn to change projects or credentials.
    pub(crate) async fn settling(&self) -> MutexGuard<'_, ()> {
        self.0.settling.lock().await
    }

    /// The leave to tell something of `device` (shared), or to delete or move it (alone), in whichever project it is.
    pub(crate) fn device(&self, device: &Subject) -> &RwLock<()> {
        let hash = xxh3_64(device.as_str().as_bytes());
        let index = hash % DEVICE_LOCKS as u64;
        &self.0.devices[usize::try_from(index).unwrap_or_default()]
    }

    /// Carries `change` through to its end even if whoever asked for it goes away: what is on record is done, or its failure is.
    pub(crate) async fn whole<T: Send + 'static>(
        &self,
        change: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.0.changes.spawn(change).await {
            Ok(done) => done,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Waits for the changes that are being made.
    pub(crate) async fn settled(&self) {
        self.0.changes.close();
        self.0.changes.wait().await;
    }

    /// The address that clients call the server by, where it is known.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.0.public_url.as_deref()
    }

    /// Whether streams and waiting polls end when the access token expires that they were begun by.
    pub(crate) fn tokens_end_readers(&self) -> bool {
        self.0.tokens_end_readers
    }

    pub(crate) fn peers(&self) -> Peers {
        self.0.peers
    }

    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.0.tls.as_ref()
    }

    pub(crate) fn rooms(&self) -> &Rooms {
        &self.0.rooms
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.0.tally
    }

    /// What asks the system for what the process takes.
    pub(crate) fn process(&self) -> fn() -> Process {
        self.0.process
    }

    pub(crate) fn document(&self) -> &Bytes {
        &self.0.document
    }

    pub(crate) fn started_at(&self) -> Timestamp {
        self.0.started_at
    }

    /// How long it has been there.
    pub(crate) fn age(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// Cancelled when the server stops: who waits for something waits no longer.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }
}
