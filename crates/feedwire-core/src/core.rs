//! The core: open projects over an engine.

use std::sync::Arc;

use feedwire_engine::{Engine, OpenError, Unavailable};
use feedwire_event::{EventId, Labels, Position, ProjectName, Subject};
use feedwire_tally::Count;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::filter::Matcher;
use crate::project::Project;
use crate::projects::{Bounds, Projects, create};
use crate::stats::PublishFailures;
use crate::{Feeds, Filter, Grant, Right, Seams, read, store};

/// Everything that Feedwire does, over one engine.
#[derive(Debug)]
pub struct Core {
    engine: Arc<dyn Engine>,
    seams: Seams,
    projects: Arc<Projects>,
    tasks: TaskTracker,
    stop: CancellationToken,
    failures: PublishFailures<Count>,
    /// Batches that were there already.
    repeats: Count,
}

/// Opening a core.
pub mod open {
    use feedwire_engine::{MinFree, Unavailable};

    /// Why a core was not opened.
    #[derive(Debug, Clone, thiserror::Error)]
    pub enum Error {
        /// There is no room for a first project.
        #[error("no space left for a first project{0}")]
        NoSpace(MinFree),
        /// The engine could not do it.
        #[error(transparent)]
        Unavailable(#[from] Unavailable),
    }
}

impl From<create::Error> for open::Error {
    fn from(error: create::Error) -> Self {
        match error {
            create::Error::NoSpace(min_free) => Self::NoSpace(min_free),
            create::Error::Unavailable(unavailable) => Self::Unavailable(unavailable),
            create::Error::Exists(_)
            | create::Error::NoParent(_)
            | create::Error::TooMany(_)
            | create::Error::Reserved(_) => Self::Unavailable(Unavailable::new(error)),
        }
    }
}

impl Core {
    /// A core over `engine`. The first start makes the server's own project, and `default` where there is none at all.
    pub async fn open(engine: Arc<dyn Engine>, seams: Seams) -> Result<Arc<Self>, open::Error> {
        Self::open_within(engine, seams, Bounds::default()).await
    }

    /// As [`Core::open`], with other bounds on what is held open.
    pub(crate) async fn open_within(
        engine: Arc<dyn Engine>,
        seams: Seams,
        bounds: Bounds,
    ) -> Result<Arc<Self>, open::Error> {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let owned = (tasks.clone(), stop.clone());
        let projects = Projects::load(engine.clone(), seams.clock.clone(), bounds, owned).await?;
        projects.create_first().await?;
        let projects = Arc::new(projects);
        let each = Arc::downgrade(&projects);
        tasks.spawn(Projects::close_idle(each.clone(), stop.clone()));
        tasks.spawn(Projects::patrol(each, stop.clone()));
        Ok(Arc::new(Self {
            engine,
            seams,
            projects,
            tasks,
            stop,
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

    /// What is known of every project.
    pub(crate) fn projects_known(&self) -> &Arc<Projects> {
        &self.projects
    }

    /// A new id, as events get it.
    pub fn new_id(&self) -> EventId {
        self.seams.ids.next()
    }

    pub(crate) fn seams(&self) -> &Seams {
        &self.seams
    }

    /// The open project `name`.
    pub(crate) async fn project(&self, name: &ProjectName) -> Result<Arc<Project>, OpenError> {
        self.projects.get(name).await
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

    /// The last position of the project's log, for whoever may read what `filter` names.
    pub async fn head(&self, grant: &Grant, filter: Filter) -> Result<Position, read::Error> {
        grant.require(Right::Read)?;
        Matcher::new(filter, grant.allowance())?;
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
