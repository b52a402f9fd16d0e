//! The log of a project: [`feedwire_log::Log`] with the heads of its subjects.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use feedwire_engine::{
    AppendError, Appended, Batch, Bounds, Chunk, Erasure, FeedTrim, Head, Incarnation, Limit, Log,
    LogStats, OpenError, ReadError, Retention, Scope, Unavailable,
};
use feedwire_event::{FeedName, Position, ProjectName, Subject, Timestamp};
use parking_lot::RwLock;
use tokio::sync::{Semaphore, watch};

use crate::applier::Calls;
use crate::blocking::blocking;
use crate::heads::{Heads, catch_up};
use crate::marks::Marks;
use crate::open::SYSTEM_MIN_FREE_BYTES;
use crate::store::{self, Store};
use crate::{Options, words};

/// The log of a project.
#[derive(Debug)]
pub(crate) struct LocalLog(pub(crate) Arc<Shared>);

/// What the log is for those who append, read and look after it.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) project: ProjectName,
    state: RwLock<State>,
    pub(crate) head: Arc<watch::Sender<Position>>,
    pub(crate) heads: Arc<Heads>,
    pub(crate) marks: Arc<Marks>,
    pub(crate) calls: Arc<Calls>,
    store: Arc<Store>,
    /// A permit for each byte that may be submitted and not yet on disk.
    pub(crate) queue: Arc<Semaphore>,
    pub(crate) queue_bytes: u32,
}

#[derive(Debug)]
enum State {
    Open(feedwire_log::Log),
    /// With the bounds that it had at last.
    Closed(Bounds),
}

/// The log was closed, or is closing.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the log is closed")]
pub(crate) struct Closed;

impl From<Closed> for Unavailable {
    fn from(closed: Closed) -> Self {
        Self::new(closed)
    }
}

/// How the log of `project` is set up.
pub(crate) fn options(options: &Options, project: &ProjectName) -> feedwire_log::Options {
    let min_free_bytes = if project.is_system() {
        options.min_free_bytes.min(SYSTEM_MIN_FREE_BYTES)
    } else {
        options.min_free_bytes
    };
    feedwire_log::Options {
        segment_bytes: options.segment_bytes,
        queue_bytes: options.queue_bytes as usize,
        min_free_bytes,
    }
}

impl LocalLog {
    /// Opens the log in `folder` and brings the heads of its subjects to its end.
    pub(crate) fn open(
        folder: &Path,
        project: &ProjectName,
        store: &Arc<Store>,
        calls: &Arc<Calls>,
        sizes: &Options,
    ) -> Result<Self, OpenError> {
        let log = feedwire_log::Log::open(folder, options(sizes, project));
        let log = log.map_err(|error| open_error(project, error))?;
        let waiting = Arc::clone(&calls.waiting);
        let heads = Heads::open(store, project, &log, sizes.heads_cached_max, waiting);
        let heads = Arc::new(heads.map_err(|error| heads_error(project, error))?);
        if heads.applied() < words::position(log.bounds().last) {
            // There was no room for them; nobody may append, whose call would have them written when there is.
            calls.call(&heads);
        }
        let head = Arc::new(watch::Sender::new(words::position(log.bounds().last)));
        let (moved, synced) = (Arc::clone(&head), Arc::clone(&heads));
        log.on_head(Box::new(move |last| {
            let last = words::position(last);
            synced.synced(last);
            moved.send_replace(last);
        }));
        Ok(Self(Arc::new(Shared {
            project: project.clone(),
            state: RwLock::new(State::Open(log)),
            head,
            heads,
            marks: Arc::new(Marks::new(sizes.marks_kept)),
            calls: Arc::clone(calls),
            store: Arc::clone(store),
            queue: Arc::new(Semaphore::new(sizes.queue_bytes as usize)),
            queue_bytes: sizes.queue_bytes,
        })))
    }

    pub(crate) fn project(&self) -> &ProjectName {
        &self.0.project
    }

    /// Where the log starts and ends.
    pub(crate) fn now(&self) -> Bounds {
        self.0.bounds()
    }

    /// Writes out what was submitted and lets go of the folder.
    pub(crate) fn close(&self) {
        self.0.queue.close();
        self.0.close();
    }
}

fn open_error(project: &ProjectName, error: feedwire_log::open::Error) -> OpenError {
    match error {
        feedwire_log::open::Error::Damaged(damage) => OpenError::Damaged {
            project: project.clone(),
            detail: damage.to_string(),
        },
        other => Unavailable::new(other).into(),
    }
}

fn heads_error(project: &ProjectName, error: catch_up::Error) -> OpenError {
    match error {
        catch_up::Error::Read(feedwire_log::read::Error::Damaged { damage, .. }) => {
            OpenError::Damaged {
                project: project.clone(),
                detail: damage.to_string(),
            }
        }
        other => Unavailable::new(other).into(),
    }
}

impl Shared {
    /// Has `f` use the log, which stays open meanwhile.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&feedwire_log::Log) -> T) -> Result<T, Closed> {
        match &*self.state.read() {
            State::Open(log) => Ok(f(log)),
            State::Closed(_) => Err(Closed),
        }
    }

    pub(crate) fn bounds(&self) -> Bounds {
        match &*self.state.read() {
            State::Open(log) => bounds(log),
            State::Closed(bounds) => *bounds,
        }
    }

    fn close(&self) {
        let mut state = self.state.write();
        let State::Open(log) = &*state else {
            return;
        };
        let last = State::Closed(bounds(log));
        if let State::Open(log) = std::mem::replace(&mut *state, last) {
            // An error is met again when the log is opened the next time, and mended there.
            drop(log.close());
        }
        drop(state);
        // What is not applied is read from the log when it is opened again.
        drop(self.heads.apply());
        self.heads.retire();
    }

    fn trim(
        &self,
        keep: Retention,
        now: Timestamp,
        not_past: Position,
    ) -> Result<Position, Unavailable> {
        let keep = feedwire_log::Keep {
            older_than: keep.age.map(|age| now.before(age).as_micros()),
            bytes: keep.bytes,
        };
        // A head that is not on disk in the store must be found in the log.
        let applied = match self.heads.apply() {
            // Where there is no room, trimming what can be trimmed is what makes some.
            Err(store::Error::NoSpace(_)) => self.heads.applied(),
            applied => applied?,
        };
        self.store.sync()?;
        let not_past = not_past.min(applied);
        let trimmed = self.with(|log| log.trim(keep, not_past.get()))?;
        Ok(words::position(trimmed.map_err(Unavailable::new)?))
    }

    fn erase(&self, erasure: &Erasure) -> Result<u64, Unavailable> {
        // Where a crash leaves some of the records gone, the store says what versions their subjects are at.
        self.heads.apply()?;
        self.store.sync()?;
        let erased = self.with(|log| log.erase(&words::erasure(erasure)))?;
        let erased = erased.map_err(Unavailable::new)?;
        // No batch is given a version by what is about to be removed.
        self.heads.begin_anew(erasure);
        self.heads.remove(erasure)?;
        self.store.sync()?;
        Ok(erased)
    }
}

fn bounds(log: &feedwire_log::Log) -> Bounds {
    let feedwire_log::Bounds { first, last } = log.bounds();
    Bounds {
        incarnation: Incarnation(log.incarnation()),
        first: words::position(first),
        last: words::position(last),
    }
}

#[async_trait]
impl Log for LocalLog {
    fn bounds(&self) -> Bounds {
        self.now()
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.0.head.subscribe()
    }

    fn given(&self) -> Position {
        self.0.heads.given()
    }

    async fn settle(&self, through: Position) -> Result<(), Unavailable> {
        self.0.settle_up_to(through).await
    }

    fn stats(&self) -> LogStats {
        let stats = self.0.with(feedwire_log::Log::stats);
        // One that is closed has nothing more to tell.
        stats.map_or_else(|Closed| LogStats::default(), words::stats)
    }

    async fn append(&self, batch: Batch, now: Timestamp) -> Result<Appended, AppendError> {
        self.0.append(batch, now).await
    }

    async fn read(&self, scope: &Scope, after: Position, limit: Limit) -> Result<Chunk, ReadError> {
        let log = Arc::clone(&self.0);
        let limit = words::limit(limit);
        if scope.is_all() {
            // Followers of the tail read with every commit; going to another thread for it would be most of the cost.
            let latest = log.with(|log| log.read_latest(after.get(), limit));
            if let Some(chunk) = latest.map_err(Unavailable::from)? {
                return words::chunk(&chunk);
            }
        }
        let scope = words::scope(scope);
        blocking(move || {
            let read = log.with(|log| log.read(&scope, after.get(), limit));
            let read = read.map_err(Unavailable::from)?;
            words::chunk(&read.map_err(words::read_error)?)
        })
        .await
    }

    async fn read_back(
        &self,
        scope: &Scope,
        before: Position,
        limit: Limit,
    ) -> Result<Chunk, ReadError> {
        let log = Arc::clone(&self.0);
        let (scope, limit) = (words::scope(scope), words::limit(limit));
        blocking(move || {
            let read = log.with(|log| log.read_back(&scope, before.get(), limit));
            let read = read.map_err(Unavailable::from)?;
            words::chunk(&read.map_err(words::read_error)?)
        })
        .await
    }

    async fn seek(&self, time: Timestamp) -> Result<Position, Unavailable> {
        let log = Arc::clone(&self.0);
        blocking(move || {
            let sought = log.with(|log| log.seek(time.as_micros()))?;
            Ok(words::position(sought.map_err(Unavailable::new)?))
        })
        .await
    }

    async fn subject(
        &self,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<Option<Head>, Unavailable> {
        let head = self.0.head_of(feed, subject).await?;
        // Once the log is closed there may be another project of this name in the store.
        self.0.with(|_| ())?;
        Ok(head)
    }

    async fn subjects(
        &self,
        feed: &FeedName,
        after: Option<&Subject>,
        limit: usize,
    ) -> Result<Vec<(Subject, Head)>, Unavailable> {
        let log = Arc::clone(&self.0);
        let (feed, after) = (feed.clone(), after.cloned());
        blocking(move || {
            let listed = log.heads.list(&feed, after.as_ref(), limit)?;
            log.with(|_| ())?;
            Ok(listed)
        })
        .await
    }

    async fn trims(&self) -> Result<Vec<FeedTrim>, Unavailable> {
        let trims = self.0.with(feedwire_log::Log::trims)?;
        trims.iter().map(words::feed_trim).collect()
    }

    async fn trim(
        &self,
        keep: Retention,
        now: Timestamp,
        not_past: Position,
    ) -> Result<Position, Unavailable> {
        let log = Arc::clone(&self.0);
        blocking(move || log.trim(keep, now, not_past)).await
    }

    async fn forget(&self, erasure: &Erasure) -> Result<(), Unavailable> {
        Ok(self.0.with(|_| self.0.heads.begin_anew(erasure))?)
    }

    async fn erase(&self, erasure: &Erasure) -> Result<u64, Unavailable> {
        let log = Arc::clone(&self.0);
        let erasure = Erasure {
            through: erasure.through.min(log.heads.given()),
            ..erasure.clone()
        };
        log.settle_up_to(erasure.through).await?;
        blocking(move || log.erase(&erasure)).await
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::Ordering;

    use bytes::Bytes;
    use feedwire_engine::{Batch, NewRecord};
    use feedwire_event::{TypeName, Version};

    use super::*;
    use crate::applier::WAITING_FULL;

    pub(crate) fn open_with(folder: &Path, sizes: Options) -> Arc<Shared> {
        let project = ProjectName::new("p").expect("a name");
        let store = Store::open(&folder.join("store"), &sizes).expect("it opens");
        let log = feedwire_log::Log::create(&folder.join("log"), 1, options(&sizes, &project));
        log.expect("it is made").close().expect("it is closed");
        let calls = Arc::default();
        let log = LocalLog::open(
            &folder.join("log"),
            &project,
            &Arc::new(store),
            &calls,
            &sizes,
        );
        log.expect("it opens").0
    }

    /// A reserve of so many times what is free: a quarter of it has to be left by whoever may take of it.
    const LITTLE_ROOM: u64 = 2;
    const NO_ROOM: u64 = 8;

    fn open_with_reserve(folder: &Path, times: u64) -> Arc<Shared> {
        let disk = rustix::fs::statvfs(folder).expect("it is there");
        let sizes = Options {
            store_reserve_bytes: disk.f_bavail * disk.f_frsize * times,
            ..Options::default()
        };
        open_with(folder, sizes)
    }

    /// An event about `subject`.
    fn about(subject: &Subject) -> Batch {
        let record = NewRecord {
            feed: FeedName::new("f").expect("a name"),
            ty: TypeName::new("t").expect("a name"),
            subject: Some(subject.clone()),
            time: None,
            payload: Bytes::new(),
        };
        Batch::new(vec![record], Vec::new()).expect("a batch")
    }

    #[tokio::test]
    async fn an_append_that_came_to_nothing_stops_nobody_where_the_store_has_no_room() {
        let place = tempfile::tempdir().expect("a folder");
        let log = open_with_reserve(place.path(), NO_ROOM);
        let feed = FeedName::new("f").expect("a name");
        let subject = Subject::new("s").expect("a subject");
        let now = Timestamp::from_micros(0);
        let first = log.append(about(&subject), now).await.expect("appended");
        log.heads.break_off();
        let head = log.head_of(&feed, &subject).await.expect("it is looked up");
        assert_eq!(head.map(|head| head.position), Some(first.last));
        log.heads.break_off();
        let second = log.append(about(&subject), now).await.expect("appended");
        assert_eq!(second.versions, [Version(2)]);
    }

    #[tokio::test]
    async fn heads_are_stored_out_of_the_reserve_where_too_many_wait_and_else_appends_end() {
        let place = tempfile::tempdir().expect("a folder");
        let subject = Subject::new("s").expect("a subject");
        let now = Timestamp::from_micros(0);
        for (name, times) in [("little", LITTLE_ROOM), ("none", NO_ROOM)] {
            let folder = place.path().join(name);
            std::fs::create_dir(&folder).expect("it is made");
            let log = open_with_reserve(&folder, times);
            log.append(about(&subject), now).await.expect("appended");
            // As if other projects had them.
            let waiting = &log.calls.waiting;
            waiting.fetch_add(WAITING_FULL, Ordering::Relaxed);
            let appended = log.append(about(&subject), now).await;
            if times == LITTLE_ROOM {
                assert_eq!(appended.expect("appended").versions, [Version(2)]);
            } else {
                let refused = appended.expect_err("there is no room");
                assert!(matches!(refused, AppendError::NoSpace(_)), "{refused:?}");
            }
        }
    }

    #[tokio::test]
    async fn heads_that_there_was_no_room_for_at_the_opening_are_written_when_there_is() {
        let place = tempfile::tempdir().expect("a folder");
        let log = open_with_reserve(place.path(), NO_ROOM);
        let subject = Subject::new("s").expect("a subject");
        let appended = log.append(about(&subject), Timestamp::from_micros(0)).await;
        appended.expect("the log has room");
        log.close();
        let calls = Arc::default();
        let reopen = |calls| {
            let folder = place.path().join("log");
            let sizes = Options::default();
            LocalLog::open(&folder, &log.project, &log.store, calls, &sizes).expect("it opens")
        };
        let held = reopen(&calls);
        assert_eq!(held.0.heads.applied(), Position::ZERO);
        assert!(calls.are_there(), "nobody has to append for it");
    }
}
