//! The primary store as an open project changes it, until the project is deleted.
//!
//! A call that was under way when its project was deleted must not write behind the deletion: under the name may soon be another.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use feedwire_engine::{
    Changes, Entry, Precondition, Primary, PutError, Revision, Space, Unavailable,
};
use tokio::sync::RwLock;

/// A primary store that can be closed to changes.
#[derive(Debug)]
pub(crate) struct Gate {
    primary: Arc<dyn Primary>,
    /// Read over each change.
    closed: RwLock<bool>,
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the project is deleted")]
struct Gone;

impl Gate {
    pub(crate) fn new(primary: Arc<dyn Primary>) -> Self {
        let closed = RwLock::new(false);
        Self { primary, closed }
    }

    /// Waits for the changes that are under way; none is made after that.
    pub(crate) async fn close(&self) {
        *self.closed.write().await = true;
    }
}

#[async_trait]
impl Primary for Gate {
    async fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Entry>, Unavailable> {
        self.primary.get(space, key).await
    }

    async fn put(
        &self,
        space: &Space,
        key: &[u8],
        value: Bytes,
        precondition: Precondition,
    ) -> Result<Revision, PutError> {
        let closed = self.closed.read().await;
        if *closed {
            return Err(Unavailable::new(Gone).into());
        }
        self.primary.put(space, key, value, precondition).await
    }

    async fn delete(
        &self,
        space: &Space,
        key: &[u8],
        precondition: Precondition,
    ) -> Result<(), PutError> {
        let closed = self.closed.read().await;
        if *closed {
            return Err(Unavailable::new(Gone).into());
        }
        self.primary.delete(space, key, precondition).await
    }

    async fn scan(
        &self,
        space: &Space,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Entry)>, Unavailable> {
        self.primary.scan(space, prefix, after, limit).await
    }

    async fn watch(&self, space: &Space) -> Result<Changes, Unavailable> {
        self.primary.watch(space).await
    }
}

#[cfg(test)]
mod tests {
    use feedwire_engine::Engine as _;
    use feedwire_engine::memory::Memory;
    use feedwire_event::ProjectName;

    use super::*;

    #[tokio::test]
    async fn nothing_is_changed_through_a_gate_that_is_closed() {
        let engine = Memory::new();
        let gate = Gate::new(engine.primary());
        let space = Space {
            project: ProjectName::new("p").expect("a name"),
            name: "labels",
        };
        let put = || gate.put(&space, b"k", Bytes::new(), Precondition::Any);
        let revision = put().await.expect("it is open");
        gate.close().await;
        put().await.expect_err("it is closed");
        let deleted = gate.delete(&space, b"k", Precondition::Any).await;
        deleted.expect_err("it is closed");
        let entry = gate.get(&space, b"k").await.expect("it is read");
        assert_eq!(entry.map(|entry| entry.revision), Some(revision));
    }
}
