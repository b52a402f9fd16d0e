//! What every request is answered from.

use std::sync::Arc;

use feedwire_core::{Clock, Core};
use feedwire_dialects::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower_http::cors::CorsLayer;

use crate::{Hosts, Limits, Settings};

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
    /// Room for bodies that are received, in units of [`ROOM_UNIT_BYTES`].
    received: Arc<Semaphore>,
    /// Room for pages that are sent.
    sent: Arc<Semaphore>,
    /// Room for what streams have read of logs and not yet sent.
    streamed: Arc<Semaphore>,
    stop: CancellationToken,
}

/// What room for bodies is counted in: permits are taken by the u32.
const ROOM_UNIT_BYTES: usize = 1024;
/// How much room is taken at a time for what grows bit by bit.
const ROOM_STEP_BYTES: usize = 64 * 1024;

impl Edge {
    pub(crate) fn new(core: Arc<Core>, settings: Settings, stop: CancellationToken) -> Self {
        let Settings {
            limits,
            clock,
            origins,
            hosts,
        } = settings;
        let room = |bytes| Arc::new(Semaphore::new(bytes / ROOM_UNIT_BYTES));
        let received = room(limits.bodies_bytes_max);
        let sent = room(limits.pages_bytes_max);
        let streamed = room(limits.streams_bytes_max);
        Self(Arc::new(Parts {
            core,
            clock,
            limits,
            cors: origins.layer(),
            hosts,
            received,
            sent,
            streamed,
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

    /// Cancelled when the server stops: who waits for something waits no longer.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }
}

/// Room for a body, or part of one, among all that are under way; given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    all: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Room {
    /// Room for what is received; none as yet.
    pub(crate) fn received(edge: &Edge) -> Self {
        Self::of(&edge.0.received)
    }

    /// Room for what is sent; none as yet.
    pub(crate) fn sent(edge: &Edge) -> Self {
        Self::of(&edge.0.sent)
    }

    /// Room for what a stream has read of a log; none as yet.
    pub(crate) fn streamed(edge: &Edge) -> Self {
        Self::of(&edge.0.streamed)
    }

    fn of(all: &Arc<Semaphore>) -> Self {
        Self {
            all: all.clone(),
            taken: None,
            bytes: 0,
        }
    }

    /// Makes sure of room for `bytes` in all. It is taken as bodies grow: a client that announces much and sends little takes little.
    pub(crate) fn cover(&mut self, bytes: usize) -> Result<(), Refusal> {
        if bytes <= self.bytes {
            return Ok(());
        }
        self.take((bytes - self.bytes).next_multiple_of(ROOM_STEP_BYTES))
    }

    /// Makes sure of room for `bytes` in all, and gives back what is more than that.
    pub(crate) fn fit(&mut self, bytes: usize) -> Result<(), Refusal> {
        let bytes = bytes.next_multiple_of(ROOM_UNIT_BYTES);
        if bytes > self.bytes {
            return self.take(bytes - self.bytes);
        }
        let less = (self.bytes - bytes) / ROOM_UNIT_BYTES;
        drop(self.taken.as_mut().and_then(|taken| taken.split(less)));
        self.bytes = bytes;
        Ok(())
    }

    fn take(&mut self, more: usize) -> Result<(), Refusal> {
        let units = u32::try_from(more / ROOM_UNIT_BYTES).ok();
        let permit = units.and_then(|units| self.all.clone().try_acquire_many_owned(units).ok());
        let permit = permit.ok_or(Refusal::Busy)?;
        match &mut self.taken {
            Some(taken) => taken.merge(permit),
            taken @ None => *taken = Some(permit),
        }
        self.bytes += more;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_shared_and_given_back() {
        let all = Arc::new(Semaphore::new(128 * 1024 / ROOM_UNIT_BYTES));
        let none = || Room::of(&all);
        let (mut one, mut other) = (none(), none());
        assert_eq!(one.cover(1), Ok(()));
        assert_eq!(other.cover(ROOM_STEP_BYTES), Ok(()));
        assert_eq!(one.cover(ROOM_STEP_BYTES + 1), Err(Refusal::Busy));
        drop(other);
        assert_eq!(one.cover(ROOM_STEP_BYTES + 1), Ok(()));
    }

    #[test]
    fn room_shrinks_with_what_it_is_for() {
        let all = Arc::new(Semaphore::new(2));
        let none = || Room::of(&all);
        let (mut one, mut other) = (none(), none());
        assert_eq!(one.fit(ROOM_UNIT_BYTES + 1), Ok(()));
        assert_eq!(other.fit(1), Err(Refusal::Busy));
        assert_eq!(one.fit(ROOM_UNIT_BYTES), Ok(()));
        assert_eq!(other.fit(1), Ok(()));
        assert_eq!(one.fit(0), Ok(()));
        assert_eq!(other.fit(2 * ROOM_UNIT_BYTES), Ok(()));
    }
}
