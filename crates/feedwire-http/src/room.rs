//! Room for bodies, or parts of them, among all that are under way.

use std::sync::Arc;

use feedwire_dialects::Refusal;
use feedwire_tally::Count;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::edge::Edge;

/// What room for bodies is counted in: permits are taken by the u32.
const ROOM_UNIT_BYTES: usize = 1024;
/// How much room is taken at a time for what grows bit by bit.
const ROOM_STEP_BYTES: usize = 64 * 1024;

/// All the room there is for one kind of bodies.
#[derive(Debug)]
pub(crate) struct Pool {
    /// Permits are units of [`ROOM_UNIT_BYTES`].
    free: Arc<Semaphore>,
    bytes_max: usize,
    refused: Count,
}

impl Pool {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(bytes_max / ROOM_UNIT_BYTES)),
            bytes_max,
            refused: Count::default(),
        }
    }

    fn take(&self, units: u32) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_many_owned(units).ok()
    }

    pub(crate) fn bytes_max(&self) -> u64 {
        self.bytes_max as u64
    }

    pub(crate) fn taken_bytes(&self) -> u64 {
        let free = self.free.available_permits() * ROOM_UNIT_BYTES;
        self.bytes_max.saturating_sub(free) as u64
    }

    /// How often there was not enough.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.get()
    }
}

/// Room for a body, or part of one, among all that are under way; given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    pool: Arc<Pool>,
    taken: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Room {
    /// Room for what is received; none as yet.
    pub(crate) fn received(edge: &Edge) -> Self {
        Self::of(&edge.rooms().received)
    }

    /// Room for what is sent; none as yet.
    pub(crate) fn sent(edge: &Edge) -> Self {
        Self::of(&edge.rooms().sent)
    }

    /// Room for what a stream has read of a log; none as yet.
    pub(crate) fn streamed(edge: &Edge) -> Self {
        Self::of(&edge.rooms().streamed)
    }

    fn of(pool: &Arc<Pool>) -> Self {
        Self {
            pool: pool.clone(),
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
        let permit = units.and_then(|units| self.pool.take(units));
        let permit = permit.ok_or_else(|| {
            self.pool.refused.one();
            Refusal::Busy
        })?;
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
        let pool = Arc::new(Pool::new(128 * 1024));
        let none = || Room::of(&pool);
        let (mut one, mut other) = (none(), none());
        assert_eq!(one.cover(1), Ok(()));
        assert_eq!(other.cover(ROOM_STEP_BYTES), Ok(()));
        assert_eq!(one.cover(ROOM_STEP_BYTES + 1), Err(Refusal::Busy));
        assert_eq!((pool.taken_bytes(), pool.refused()), (128 * 1024, 1));
        drop(other);
        assert_eq!(one.cover(ROOM_STEP_BYTES + 1), Ok(()));
        drop(one);
        assert_eq!((pool.taken_bytes(), pool.refused()), (0, 1));
    }

    #[test]
    fn room_shrinks_with_what_it_is_for() {
        let pool = Arc::new(Pool::new(2 * ROOM_UNIT_BYTES));
        let none = || Room::of(&pool);
        let (mut one, mut other) = (none(), none());
        assert_eq!(one.fit(ROOM_UNIT_BYTES + 1), Ok(()));
        assert_eq!(other.fit(1), Err(Refusal::Busy));
        assert_eq!(one.fit(ROOM_UNIT_BYTES), Ok(()));
        assert_eq!(other.fit(1), Ok(()));
        assert_eq!(one.fit(0), Ok(()));
        assert_eq!(other.fit(2 * ROOM_UNIT_BYTES), Ok(()));
    }
}
