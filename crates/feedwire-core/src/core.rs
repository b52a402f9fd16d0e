//! The core: open projects over an engine.

use std::collections::HashMap;
use std::sync::Arc;

use feedwire_engine::{CreateError, Engine, OpenError, Unavailable};
use feedwire_event::{Labels, Position, ProjectName, Subject};
use feedwire_tally::Count;
use parking_lot::RwLock;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::TAIL_BYTES_MAX;
use crate::project::Project;
use crate::stats::PublishFailures;
use crate::{Feeds, Grant, Right, Seams, read, store};

/// Everything that Feedwire does, over one engine.
#[derive(Debug)]
pub struct Core {
    engine: Arc<dyn Engine>,
    seams: Seams,
    tail_bytes_max: usize,
    projects: RwLock<HashMap<ProjectName, Arc<Project>>>,
    /// Held while a project is opened, so that it is opened once.
    opening: tokio::sync::Mutex<()>,
    tasks: TaskTracker,
    stop: CancellationToken,
    failures: PublishFailures<Count>,
    /// Batches that were there already.
    repeats: Count,
}

/// Opening a core.
pub mod open {
    use feedwire_engine::Unavailable;

    /// Why a core was not opened.
    #[derive(Debug, Clone, thiserror::Error)]
    pub enum Error {
        /// There is no room for a first project.
        #[error("no space left for a first project")]
        NoSpace,
        /// The engine could not do it.
        #[error(transparent)]
        Unavailable(#[from] Unavailable),
    }
}

impl Core {
    /// A core over `engine`. Where there is no project yet, `default` is made.
    pub async fn open(engine: Arc<dyn Engine>, seams: Seams) -> Result<Arc<Self>, open::Error> {
        Self::open_with_tail(engine, seams, TAIL_BYTES_MAX).await
    }

    /// As [`Core::open`], with another bound on what is kept in memory of each project's last events.
    pub(crate) async fn open_with_tail(
        engine: Arc<dyn Engine>,
        seams: Seams,
        tail_bytes_max: usize,
    ) -> Result<Arc<Self>, open::Error> {
        if engine.projects().await?.is_empty() {
            let default = ProjectName::new("default").expect("it is a name");
            match engine.create(&default).await {
                Ok(()) | Err(CreateError::Exists(_)) => {}
                Err(CreateError::NoSpace) => return Err(open::Error::NoSpace),
                Err(CreateError::Unavailable(unavailable)) => return Err(unavailable.into()),
            }
        }
        Ok(Arc::new(Self {
            engine,
            seams,
            tail_bytes_max,
            projects: RwLock::default(),
            opening: tokio::sync::Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            failures: PublishFailures::default(),
            repeats: Count::default(),
        }))
    }

    /// Whether readings are begun and events taken: until the core is drained or closed.
    pub fn is_open(&self) -> bool {
        !self.stop.is_cancelled()
    }

    /// Carries `change` through to its end even if whoever asked for it goes away: the store and what is in memory of it change
    /// together.
    pub(crate) async fn whole<T: Send + 'static>(
        &self,
        change: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.tasks.spawn(change).await {
            Ok(done) => done,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Where batches that are not published are counted.
    pub(crate) fn failures(&self) -> &PublishFailures<Count> {
        &self.failures
    }

    /// Where batches that were there already are counted.
    pub(crate) fn repeats(&self) -> &Count {
        &self.repeats
    }

    /// The projects that are open, in no order.
    pub(crate) fn open_projects(&self) -> Vec<(ProjectName, Arc<Project>)> {
        let projects = self.projects.read();
        let open = projects.iter();
        open.map(|(name, project)| (name.clone(), project.clone()))
            .collect()
    }

    pub(crate) fn seams(&self) -> &Seams {
        &self.seams
    }

    /// The open project `name`.
    pub(crate) async fn project(&self, name: &ProjectName) -> Result<Arc<Project>, OpenError> {
        let open = || self.projects.read().get(name).cloned();
        if let Some(project) = open() {
            return Ok(project);
        }
        let _opening = self.opening.lock().await;
        if let Some(project) = open() {
            return Ok(project);
        }
        if self.stop.is_cancelled() {
            return Err(Unavailable::new("the server is stopping").into());
        }
        let project = Arc::new(Project::open(&*self.engine, name, self.tail_bytes_max).await?);
        self.start(&project);
        self.projects.write().insert(name.clone(), project.clone());
        Ok(project)
    }

    fn start(&self, project: &Arc<Project>) {
        let (follower, keeper) = (project.clone(), project.clone());
        let (clock, stop) = (self.seams.clock.clone(), self.stop.clone());
        let follow_until = stop.clone();
        self.tasks
            .spawn(async move { follower.follow_log(follow_until).await });
        self.tasks
            .spawn(async move { keeper.keep(&*clock, stop).await });
    }

    /// The feeds of the project with what they have had.
    ///
    /// Whoever is confined to some subjects is told of what it could read of them now: what is retained and shown. That is counted
    /// event by event, for one at a time.
    pub async fn feeds(&self, grant: &Grant) -> Result<Feeds, read::Error> {
        grant.require(Right::Read)?;
        let project = self.project(grant.project()).await?;
        project.feeds(grant.allowance()).await
    }

    /// The last position of the project's log.
    pub async fn head(&self, grant: &Grant) -> Result<Position, read::Error> {
        grant.require(Right::Read)?;
        Ok(self.project(grant.project()).await?.log().bounds().last)
    }

    /// The labels of `subject`; none of one that is not granted.
    pub async fn labels(&self, grant: &Grant, subject: &Subject) -> Result<Labels, read::Error> {
        grant.require(Right::Read)?;
        let project = self.project(grant.project()).await?;
        let labels = |subject: &str| project.labels().table().get(subject);
        let is_shown = grant.allowance().shows(subject, labels);
        let labels = labels(subject.as_str()).filter(|_| is_shown);
        Ok(labels.map_or_else(Labels::default, |labels| Labels::clone(&labels)))
    }

    /// Gives `subject` these labels and no others, if those that it has pass `check`. They decide what others may read: this takes a
    /// grant to publish about everybody.
    pub async fn set_labels(
        &self,
        grant: &Grant,
        subject: Subject,
        labels: Labels,
        check: Option<store::Check<Labels>>,
    ) -> Result<(), store::Error> {
        grant.require_whole(Right::Publish)?;
        let project = self.project(grant.project()).await?;
        self.whole(async move { project.labels().set(subject, labels, check).await })
            .await
    }

    /// Sends every reader away: their next step is [`crate::Step::Closing`]. Publishing goes on until [`Core::close`].
    pub async fn drain(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Sends every reader away, writes out what is buffered and closes the engine.
    pub async fn close(&self) {
        self.drain().await;
        self.engine.close().await;
    }
}
