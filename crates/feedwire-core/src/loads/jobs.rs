//! The load jobs of a project: starting, showing and cancelling them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use feedwire_engine::{Precondition, Primary, Space, Unavailable};
use feedwire_event::{Attribute as _, EventId, Position, ProjectName};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::stored::Job;
use super::{Error, Load, Phase, Settings};
use crate::limits::{LOAD_BYTES, LOADS_MAX, LOADS_WAITING_MAX};
use crate::{Clock, Core, Grant, Right, read, store};

/// The load jobs of a project.
#[derive(Debug)]
pub(crate) struct Loads {
    primary: Arc<dyn Primary>,
    space: Space,
    state: Mutex<State>,
    /// Held over a write to the store and to memory, so that both end with the same.
    writing: tokio::sync::Mutex<()>,
    /// There may be something to do.
    pub(super) started: Notify,
    /// Held while a batch is written and noted: a job ends before or behind it.
    pub(super) batch: tokio::sync::Mutex<()>,
    /// Whether it is known what the job has written that was under way when the project was opened.
    is_caught_up: AtomicBool,
}

#[derive(Debug)]
struct State {
    /// In the order in which they were started.
    jobs: Vec<Job>,
    /// The job that is run: which, since when, and what was done of it before.
    running: Option<(EventId, Instant, u64)>,
}

impl Loads {
    /// Loads the jobs of `project`.
    pub(crate) async fn open(
        primary: Arc<dyn Primary>,
        project: ProjectName,
    ) -> Result<Self, Unavailable> {
        let space = Space {
            project,
            name: "loads",
        };
        let mut jobs = Vec::new();
        store::each(&*primary, &space, |key, value| {
            let unreadable = || Unavailable::new(format!("load job {key:?} cannot be read"));
            jobs.push(Job::decode(&key, value).ok_or_else(unreadable)?);
            Ok(())
        })
        .await?;
        jobs.sort_by_key(|job: &Job| job.number);
        let is_idle = jobs.iter().all(|job| job.phase.is_over());
        Ok(Self {
            primary,
            space,
            state: Mutex::new(State {
                jobs,
                running: None,
            }),
            writing: tokio::sync::Mutex::default(),
            started: Notify::new(),
            batch: tokio::sync::Mutex::default(),
            is_caught_up: AtomicBool::new(is_idle),
        })
    }

    /// How many jobs are run or wait to be.
    pub(crate) fn open_count(&self) -> u64 {
        let state = self.state.lock();
        state.jobs.iter().filter(|job| !job.phase.is_over()).count() as u64
    }

    /// The job whose turn it is.
    pub(super) fn next(&self) -> Option<Job> {
        let state = self.state.lock();
        state.jobs.iter().find(|job| !job.phase.is_over()).cloned()
    }

    /// Whether `id` is to be gone on with.
    pub(super) fn goes_on(&self, id: &EventId) -> bool {
        let state = self.state.lock();
        let job = state.jobs.iter().find(|job| job.id == *id);
        job.is_some_and(|job| !job.phase.is_over())
    }

    /// `id` is run from now on, of which `done` entities were looked at; `None` is that nothing is.
    pub(super) fn note_running(&self, running: Option<(EventId, u64)>) {
        let running = running.map(|(id, done)| (id, Instant::now(), done));
        self.state.lock().running = running;
    }

    /// Notes in memory how far a job is.
    pub(super) fn note(&self, job: &Job) {
        let mut state = self.state.lock();
        let noted = state.jobs.iter_mut().find(|noted| noted.id == job.id);
        // One that was cancelled stays so.
        if let Some(noted) = noted.filter(|noted| !noted.phase.is_over()) {
            noted.clone_from(job);
        }
    }

    /// Keeps `job` as it is, in the store and in memory, unless somebody had it end.
    pub(super) async fn keep(&self, job: &Job) -> Result<(), store::Error> {
        let _writing = self.writing.lock().await;
        if self.goes_on(&job.id) {
            self.put(job).await?;
            self.note(job);
        }
        Ok(())
    }

    async fn put(&self, job: &Job) -> Result<(), store::Error> {
        let key = job.id.as_str().as_bytes();
        let put = self
            .primary
            .put(&self.space, key, job.encode(), Precondition::Any);
        put.await?;
        Ok(())
    }

    /// It was looked what the job under way has written.
    pub(super) fn note_caught_up(&self) {
        self.is_caught_up.store(true, Ordering::Release);
    }

    /// How many bytes the jobs have written of which something is retained in a log that begins at `first`: they may be fewer by now.
    ///
    /// `None` while that is not known.
    pub(crate) fn retained_bytes(&self, first: Position) -> Option<u64> {
        let is_known = self.is_caught_up.load(Ordering::Acquire);
        let state = self.state.lock();
        let retained = state.jobs.iter().filter(|job| job.last >= first);
        is_known.then(|| retained.map(|job| job.bytes).sum())
    }

    async fn start(
        &self,
        mut job: Job,
        is_kept: impl Fn(&Job) -> bool + Send,
    ) -> Result<Load, Error> {
        let _writing = self.writing.lock().await;
        let (waiting, oldest) = {
            let state = self.state.lock();
            let waiting = state.jobs.iter().filter(|job| !job.phase.is_over()).count();
            let is_spent = |job: &&Job| job.phase.is_over() && !is_kept(job);
            let is_full = state.jobs.len() >= LOADS_MAX;
            let oldest =
                is_full.then(|| state.jobs.iter().find(is_spent).map(|job| job.id.clone()));
            (waiting, oldest)
        };
        if waiting >= LOADS_WAITING_MAX {
            return Err(Error::TooManyWait(LOADS_WAITING_MAX));
        }
        if let Some(oldest) = oldest {
            let id = oldest.ok_or(Error::TooMany(LOADS_MAX))?;
            let key = id.as_str().as_bytes();
            let deleted = self
                .primary
                .delete(&self.space, key, Precondition::Any)
                .await;
            deleted.map_err(store::Error::from)?;
            self.state.lock().jobs.retain(|job| job.id != id);
        }
        job.number = {
            let state = self.state.lock();
            state.jobs.last().map_or(0, |last| last.number) + 1
        };
        self.put(&job).await?;
        let load = {
            let mut state = self.state.lock();
            state.jobs.push(job.clone());
            state.told(&job)
        };
        self.started.notify_one();
        Ok(load)
    }

    async fn cancel(&self, id: &EventId, clock: &dyn Clock) -> Result<Option<Load>, Error> {
        let is_running = self.state.lock().is_running(id);
        // What is being written is counted before it ends.
        let _batch = if is_running {
            Some(self.batch.lock().await)
        } else {
            None
        };
        self.end(id, Phase::Cancelled, clock).await
    }

    /// Has the job `id` end with `phase`, unless it has ended.
    pub(super) async fn end(
        &self,
        id: &EventId,
        phase: Phase,
        clock: &dyn Clock,
    ) -> Result<Option<Load>, Error> {
        let _writing = self.writing.lock().await;
        let Some(mut job) = self.find(id) else {
            return Ok(None);
        };
        if !job.phase.is_over() {
            job.phase = phase;
            job.ended_at = Some(clock.now());
            self.put(&job).await?;
            self.note(&job);
        }
        Ok(Some(self.state.lock().told(&job)))
    }

    fn find(&self, id: &EventId) -> Option<Job> {
        let state = self.state.lock();
        state.jobs.iter().find(|job| job.id == *id).cloned()
    }
}

impl State {
    fn is_running(&self, id: &EventId) -> bool {
        self.running
            .as_ref()
            .is_some_and(|(running, ..)| running == id)
    }

    /// `job` as it is told.
    fn told(&self, job: &Job) -> Load {
        let running = self.running.as_ref().filter(|(id, ..)| *id == job.id);
        let is_running = running.is_some() && !job.phase.is_over();
        let (done, seconds) = match (running, job.ended_at) {
            (_, Some(ended_at)) => (job.done, job.started_at.until(ended_at).as_secs_f64()),
            (Some((_, since, before)), None) => (
                job.done.saturating_sub(*before),
                since.elapsed().as_secs_f64(),
            ),
            (None, None) => (0, 0.0),
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
        let rate = if seconds > 0.0 {
            done as f64 / seconds
        } else {
            0.0
        };
        let phase = if is_running {
            Phase::Running
        } else {
            job.phase.clone()
        };
        Load {
            id: job.id.clone(),
            settings: job.settings.clone(),
            phase,
            start: job.start,
            total: job.total.max(job.done),
            done: job.done,
            written: job.written,
            bytes: job.bytes,
            rate,
            started_at: job.started_at,
            ended_at: job.ended_at,
        }
    }
}

impl Core {
    /// Starts a load job, which is run when those before it are done. What it writes counts to nobody's limits, and how much it finds tells of
    /// what is there: so it is for who administers the project.
    pub async fn start_load(&self, grant: &Grant, settings: Settings) -> Result<Load, Error> {
        grant.require(Right::Admin)?;
        let project = self
            .project(grant.project())
            .await
            .map_err(read::Error::from)?;
        let head = project.log().bounds().last;
        let entities = project.entities();
        entities.come_to(head).await.map_err(read::Error::from)?;
        let counts = entities.counts();
        let mut feeds = settings.feeds;
        if feeds.is_empty() {
            feeds = counts.keys().cloned().collect();
        }
        feeds.sort_unstable();
        feeds.dedup();
        let bytes_max = settings.bytes_max.unwrap_or(LOAD_BYTES);
        let job = Job {
            id: self.new_id(),
            total: feeds.iter().filter_map(|feed| counts.get(feed)).sum(),
            number: 0,
            settings: Arc::new(Settings {
                feeds,
                bytes_max: Some(bytes_max),
                ..settings
            }),
            phase: Phase::Waiting,
            start: head,
            done: 0,
            written: 0,
            bytes: 0,
            bytes_max,
            last: Position::ZERO,
            after: None,
            started_at: self.seams().clock.now(),
            ended_at: None,
        };
        self.whole(async move {
            let is_bounded = project.retention().present().bytes.is_some();
            let first = project.log().bounds().first;
            let is_kept = move |job: &Job| is_bounded && job.last >= first;
            project.loads().start(job, is_kept).await
        })
        .await
    }

    /// The load job `id`, if there is one.
    pub async fn load(&self, grant: &Grant, id: &EventId) -> Result<Option<Load>, read::Error> {
        grant.require(Right::Admin)?;
        let project = self.project(grant.project()).await?;
        let state = project.loads().state.lock();
        let job = state.jobs.iter().find(|job| job.id == *id);
        Ok(job.map(|job| state.told(job)))
    }

    /// The load jobs, in the order in which they were started.
    pub async fn loads(&self, grant: &Grant) -> Result<Vec<Load>, read::Error> {
        grant.require(Right::Admin)?;
        let project = self.project(grant.project()).await?;
        let state = project.loads().state.lock();
        Ok(state.jobs.iter().map(|job| state.told(job)).collect())
    }

    /// Has the load job `id` end, unless it has; `None` where there is none. What it has written stays.
    pub async fn cancel_load(&self, grant: &Grant, id: &EventId) -> Result<Option<Load>, Error> {
        grant.require(Right::Admin)?;
        let project = self
            .project(grant.project())
            .await
            .map_err(read::Error::from)?;
        let (id, clock) = (id.clone(), Arc::clone(&self.seams().clock));
        self.whole(async move { project.loads().cancel(&id, &*clock).await })
            .await
    }
}
