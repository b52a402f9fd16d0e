//! Long polls: readers that have found nothing and wait.

use std::time::Duration;

use feedwire_core::{Delivery, Reader, Step, read};
use feedwire_dialects::Refusal;
use feedwire_engine::Limit;
use tokio::time::timeout;

use crate::asked::Asked;
use crate::edge::Edge;
use crate::stay::Stay;

/// A poll that waits, and holds nothing else of its request: the head keeps the buffer that the connection read it into.
#[derive(Debug)]
pub(crate) struct Waiting {
    edge: Edge,
    stay: Stay,
}

impl Waiting {
    /// That of whoever asks, if there is room for one more reader.
    pub(crate) fn of(asked: Asked) -> Result<Self, Refusal> {
        let stay = Stay::of(&asked)?;
        Ok(Self {
            edge: asked.edge,
            stay,
        })
    }

    /// The next events; nothing when `wait` is over or the server stops.
    pub(crate) async fn next<E: From<Refusal> + From<read::Error>>(
        mut self,
        reader: &mut Reader,
        limit: Limit,
        wait: Duration,
    ) -> Result<Option<Delivery>, E> {
        let next = tokio::select! {
            biased;
            refusal = self.stay.over() => return Err(refusal.into()),
            () = self.edge.stop().cancelled() => return Ok(None),
            next = timeout(wait, reader.next(limit)) => next,
        };
        Ok(match next {
            Ok(Ok(Step::Events(delivery))) => Some(delivery),
            Ok(Ok(Step::End | Step::Closing)) | Err(_) => None,
            Ok(Err(error)) => return Err(error.into()),
        })
    }
}
