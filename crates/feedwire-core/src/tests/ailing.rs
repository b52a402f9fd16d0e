//! An engine in memory that can be made to fail or to wait: what is read of one subject, what is erased, what is done to labels, to views
//! and to a space of the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use feedwire_engine::memory::Memory;
use feedwire_engine::{
    AppendError, Appended, Batch, Bounds, Changes, Chunk, CreateError, DeleteError, Disk, Engine,
    Entry, Erasure, FeedTrim, Head, Limit, Log, LogStats, OpenError, Precondition, Primary,
    PutError, ReadError, Retention, Revision, Scope, Space, Unavailable, View, Write,
};
use feedwire_event::{FeedName, Position, ProjectName, Subject, Timestamp};
use tokio::sync::{Notify, watch};

/// What fails at this moment.
#[derive(Debug, Default)]
pub(crate) struct Ailments {
    /// Events of subjects are damaged.
    pub(crate) is_damaged: AtomicBool,
    /// Events of subjects cannot be read.
    pub(crate) is_away: AtomicBool,
    /// Nothing can be erased.
    pub(crate) keeps_events: AtomicBool,
    /// Labels cannot be removed.
    pub(crate) keeps_labels: AtomicBool,
    /// Views take nothing: there is no room.
    pub(crate) keeps_views: AtomicBool,
    /// What is got from this space of the store, or put into it, waits while it is named here.
    pub(crate) stuck_space: watch::Sender<&'static str>,
    /// What is read of a subject waits while this is set.
    pub(crate) is_stuck: watch::Sender<bool>,
    /// Something waits for that.
    pub(crate) sticks: Notify,
}

#[derive(Debug)]
pub(crate) struct Ailing {
    pub(crate) inner: Memory,
    pub(crate) ailments: Arc<Ailments>,
}

#[derive(Debug)]
struct AilingLog {
    inner: Arc<dyn Log>,
    ailments: Arc<Ailments>,
}

#[derive(Debug)]
struct AilingPrimary {
    inner: Arc<dyn Primary>,
    ailments: Arc<Ailments>,
}

#[derive(Debug)]
struct AilingView {
    inner: Arc<dyn View>,
    ailments: Arc<Ailments>,
}

impl Ailing {
    pub(crate) fn over(inner: Memory) -> Arc<Self> {
        let ailments = Arc::default();
        Arc::new(Self { inner, ailments })
    }
}

#[async_trait]
impl Engine for Ailing {
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
        let inner = self.inner.log(project).await?;
        let ailments = Arc::clone(&self.ailments);
        Ok(Arc::new(AilingLog { inner, ailments }))
    }

    fn primary(&self) -> Arc<dyn Primary> {
        let (inner, ailments) = (self.inner.primary(), Arc::clone(&self.ailments));
        Arc::new(AilingPrimary { inner, ailments })
    }

    async fn view(
        &self,
        project: &ProjectName,
        name: &'static str,
    ) -> Result<Arc<dyn View>, OpenError> {
        let inner = self.inner.view(project, name).await?;
        let ailments = Arc::clone(&self.ailments);
        Ok(Arc::new(AilingView { inner, ailments }))
    }

    async fn disk(&self) -> Result<Option<Disk>, Unavailable> {
        self.inner.disk().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl Log for AilingLog {
    fn bounds(&self) -> Bounds {
        self.inner.bounds()
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.inner.head()
    }

    fn given(&self) -> Position {
        self.inner.given()
    }

    async fn settle(&self, through: Position) -> Result<(), Unavailable> {
        self.inner.settle(through).await
    }

    fn stats(&self) -> LogStats {
        self.inner.stats()
    }

    async fn append(&self, batch: Batch, now: Timestamp) -> Result<Appended, AppendError> {
        self.inner.append(batch, now).await
    }

    async fn read(&self, scope: &Scope, after: Position, limit: Limit) -> Result<Chunk, ReadError> {
        if !scope.subjects.is_empty() {
            let ailments = &self.ailments;
            if *ailments.is_stuck.borrow() {
                ailments.sticks.notify_one();
                let mut is_stuck = ailments.is_stuck.subscribe();
                let freed = is_stuck.wait_for(|stuck| !stuck).await;
                freed.expect("the ailments outlive it");
            }
            if ailments.is_away.load(Ordering::SeqCst) {
                return Err(Unavailable::new("it is away").into());
            }
            if ailments.is_damaged.load(Ordering::SeqCst) {
                let detail = "it is torn".to_owned();
                let position = after.next();
                return Err(ReadError::Damaged { position, detail });
            }
        }
        self.inner.read(scope, after, limit).await
    }

    async fn read_back(
        &self,
        scope: &Scope,
        before: Position,
        limit: Limit,
    ) -> Result<Chunk, ReadError> {
        self.inner.read_back(scope, before, limit).await
    }

    async fn seek(&self, time: Timestamp) -> Result<Position, Unavailable> {
        self.inner.seek(time).await
    }

    async fn subject(
        &self,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<Option<Head>, Unavailable> {
        self.inner.subject(feed, subject).await
    }

    async fn subjects(
        &self,
        feed: &FeedName,
        after: Option<&Subject>,
        limit: usize,
    ) -> Result<Vec<(Subject, Head)>, Unavailable> {
        self.inner.subjects(feed, after, limit).await
    }

    async fn trims(&self) -> Result<Vec<FeedTrim>, Unavailable> {
        self.inner.trims().await
    }

    async fn trim(
        &self,
        keep: Retention,
        now: Timestamp,
        not_past: Position,
    ) -> Result<Position, Unavailable> {
        self.inner.trim(keep, now, not_past).await
    }

    async fn forget(&self, erasure: &Erasure) -> Result<(), Unavailable> {
        self.inner.forget(erasure).await
    }

    async fn erase(&self, erasure: &Erasure) -> Result<u64, Unavailable> {
        if self.ailments.keeps_events.load(Ordering::SeqCst) {
            return Err(Unavailable::new("it is away"));
        }
        self.inner.erase(erasure).await
    }
}

impl AilingPrimary {
    /// Waits while `space` is stuck.
    async fn come_to(&self, space: &Space) {
        let ailments = &self.ailments;
        if *ailments.stuck_space.borrow() == space.name {
            ailments.sticks.notify_one();
            let mut stuck_space = ailments.stuck_space.subscribe();
            let freed = stuck_space.wait_for(|stuck| *stuck != space.name).await;
            freed.expect("the ailments outlive it");
        }
    }
}

#[async_trait]
impl Primary for AilingPrimary {
    async fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Entry>, Unavailable> {
        self.come_to(space).await;
        self.inner.get(space, key).await
    }

    async fn put(
        &self,
        space: &Space,
        key: &[u8],
        value: Bytes,
        precondition: Precondition,
    ) -> Result<Revision, PutError> {
        self.come_to(space).await;
        self.inner.put(space, key, value, precondition).await
    }

    async fn delete(
        &self,
        space: &Space,
        key: &[u8],
        precondition: Precondition,
    ) -> Result<(), PutError> {
        if space.name == "labels" && self.ailments.keeps_labels.load(Ordering::SeqCst) {
            return Err(Unavailable::new("it is away").into());
        }
        self.inner.delete(space, key, precondition).await
    }

    async fn scan(
        &self,
        space: &Space,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Entry)>, Unavailable> {
        self.inner.scan(space, prefix, after, limit).await
    }

    async fn watch(&self, space: &Space) -> Result<Changes, Unavailable> {
        self.inner.watch(space).await
    }
}

#[async_trait]
impl View for AilingView {
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

    async fn get_all(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, Unavailable> {
        self.inner.get_all(keys).await
    }

    async fn page(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: Limit,
    ) -> Result<Vec<(Bytes, Bytes)>, Unavailable> {
        self.inner.page(prefix, after, limit).await
    }

    async fn apply(&self, through: Position, writes: Vec<Write>) -> Result<(), Unavailable> {
        if self.ailments.keeps_views.load(Ordering::SeqCst) {
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
