//! What every request is answered from.

use std::sync::Arc;

use bytes::Bytes;
use feedwire_core::{Clock, Core};
use feedwire_event::Timestamp;
use tokio_util::sync::CancellationToken;
use tower_http::cors::CorsLayer;

use crate::process::Process;
use crate::room::Pool;
use crate::tally::{Connections, Requests, Streams};
use crate::{Hosts, Limits, Peers, Settings, Tls};

/// What every request is answered from. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Edge(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    core: Arc<Core>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    /// What web pages of other origins are told, if any may call.
    cors: Option<CorsLayer>,
    hosts: Hosts,
    peers: Peers,
    tls: Option<Tls>,
    rooms: Rooms,
    tally: Tally,
    process: fn() -> Process,
    /// The description of all routes.
    document: Bytes,
    started_at: Timestamp,
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
            limits,
            clock,
            origins,
            hosts,
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
            core,
            clock,
            limits,
            cors: origins.layer(),
            hosts,
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

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn cors(&self) -> Option<&CorsLayer> {
        self.0.cors.as_ref()
    }

    pub(crate) fn hosts(&self) -> Hosts {
        self.0.hosts
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

    /// Cancelled when the server stops: who waits for something waits no longer.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }
}
