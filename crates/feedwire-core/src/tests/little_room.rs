//! What is done while a view cannot be written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use feedwire_engine::memory::Memory;
use feedwire_engine::{
    CreateError, DeleteError, Disk, Engine, Log, OpenError, Primary, Retention, Unavailable, View,
    Write,
};
use feedwire_event::{Position, ProjectName};

use super::world::World;
use crate::projects::Bounds;

/// An engine whose views take nothing once it is full.
#[derive(Debug)]
struct Filling {
    inner: Memory,
    is_full: Arc<AtomicBool>,
}

#[derive(Debug)]
struct FillingView {
    inner: Arc<dyn View>,
    is_full: Arc<AtomicBool>,
}

#[async_trait]
impl Engine for Filling {
    async fn projects(&self) -> Result<Vec<ProjectName>, Unavailable> {
        self.inner.projects().await
    }

    async fn create(&self, project: &ProjectName) -> Result<(), CreateError> {
        self.inner.create(project).await
    }

    async fn delete(&self, project: &ProjectName) -> Result<(), DeleteError> {
        self.inner.delete(project).await
    }

    async fn release(&self, project: &ProjectName) -> bool {
        self.inner.release(project).await
    }

    async fn log(&self, project: &ProjectName) -> Result<Arc<dyn Log>, OpenError> {
        self.inner.log(project).await
    }

    fn primary(&self) -> Arc<dyn Primary> {
        self.inner.primary()
    }

    async fn view(
        &self,
        project: &ProjectName,
        name: &'static str,
    ) -> Result<Arc<dyn View>, OpenError> {
        let inner = self.inner.view(project, name).await?;
        let is_full = Arc::clone(&self.is_full);
        Ok(Arc::new(FillingView { inner, is_full }))
    }

    async fn disk(&self) -> Result<Option<Disk>, Unavailable> {
        self.inner.disk().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl View for FillingView {
    fn applied(&self) -> Position {
        self.inner.applied()
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Unavailable> {
        self.inner.get(key).await
    }

    async fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Unavailable> {
        self.inner.scan(prefix, after, limit).await
    }

    async fn apply(&self, through: Position, writes: Vec<Write>) -> Result<(), Unavailable> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(Unavailable::new("there is no room"));
        }
        self.inner.apply(through, writes).await
    }

    async fn sync(&self) -> Result<Position, Unavailable> {
        self.inner.sync().await
    }

    async fn reset(&self) -> Result<(), Unavailable> {
        self.inner.reset().await
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_before_there_was_no_room_is_trimmed() {
    let is_full = Arc::new(AtomicBool::new(false));
    let engine = Arc::new(Filling {
        inner: Memory::new(),
        is_full: Arc::clone(&is_full),
    });
    let world = World::within(engine.clone(), Bounds::default()).await;
    let project = world.grant.project();
    let log = engine.log(project).await.expect("a log");
    world.publish(&["f/t/a", "f/t/a"]).await;
    let view = engine.view(project, "counts").await.expect("a view");
    // Saved every second, of a clock that goes while nothing else is to be done.
    while view.applied() < log.bounds().last {
        tokio::time::sleep(crate::limits::COUNTS_INTERVAL).await;
    }
    let counted = view.applied();
    is_full.store(true, Ordering::SeqCst);
    world.publish(&["f/t/b"]).await;

    let nothing = Retention {
        bytes: Some(0),
        ..Retention::default()
    };
    let set = world.core.set_retention(&world.grant, nothing, None).await;
    set.expect("it is stored");
    while log.bounds().first <= counted {
        tokio::time::sleep(crate::limits::RETENTION_INTERVAL).await;
    }
    let bounds = log.bounds();
    assert_eq!(
        (bounds.first, bounds.last),
        (counted.next(), counted.next())
    );
}
