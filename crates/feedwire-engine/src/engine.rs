//! The engine: a log for each project, and the store.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use feedwire_event::ProjectName;

use crate::{Disk, Log, MinFree, Primary, View};

/// Where logs and store live. One process opens one engine; the engine refuses a second on the same place.
#[async_trait]
pub trait Engine: Debug + Send + Sync {
    /// The projects that have a log, in order of their names.
    async fn projects(&self) -> Result<Vec<ProjectName>, Unavailable>;

    /// Makes an empty log for `project`. It is there after a crash once this has returned.
    async fn create(&self, project: &ProjectName) -> Result<(), CreateError>;

    /// Removes `project`: its log, its views, and every space of the primary store that is its own.
    ///
    /// It is gone at one moment, which a crash does not take back; what is left of it then is removed when the engine is opened
    /// the next time, or when the name is created again. Nothing of it shows up under that name. Who still holds its log is
    /// refused: appends end with [`AppendError::Closed`](crate::AppendError::Closed), readings with [`Unavailable`].
    ///
    /// Whoever changes its spaces of the primary store must have been answered, or have gone away, before this is called; whoever
    /// watches one is not told.
    async fn delete(&self, project: &ProjectName) -> Result<(), DeleteError>;

    /// Closes the log of `project` and gives back what it takes, where nobody outside holds it or a view of it. It is opened again
    /// when it is next asked for. Returns whether it is closed.
    async fn release(&self, project: &ProjectName) -> bool;

    /// The log of `project`, opened when first asked for and then shared.
    async fn log(&self, project: &ProjectName) -> Result<Arc<dyn Log>, OpenError>;

    /// The store that is truth of its own.
    fn primary(&self) -> Arc<dyn Primary>;

    /// The view `name` of `project`. It is never ahead of the log: one that was is handed out empty.
    async fn view(
        &self,
        project: &ProjectName,
        name: &'static str,
    ) -> Result<Arc<dyn View>, OpenError>;

    /// What there is room for; `None` where the engine has no disk of its own.
    async fn disk(&self) -> Result<Option<Disk>, Unavailable>;

    /// Writes out what is still buffered and lets go of the place. Appends that come later are refused.
    async fn close(&self);
}

/// The engine could not do it, for a reason outside the request. The source of the error says which.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the engine is not available")]
pub struct Unavailable(#[source] pub Arc<dyn std::error::Error + Send + Sync>);

impl Unavailable {
    /// Unavailable because of `cause`.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Arc::from(cause.into()))
    }
}

/// Why a log was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CreateError {
    /// The project has a log.
    #[error("project {0} is there already")]
    Exists(ProjectName),
    /// There is no room.
    #[error("no space left for another project{0}")]
    NoSpace(MinFree),
    /// See [`Unavailable`].
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a project was not deleted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeleteError {
    /// There is none of that name.
    #[error("there is no project {0}")]
    Unknown(ProjectName),
    /// See [`Unavailable`]. The project may be gone all the same: what is then left of it is removed later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a log or view was not opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// The project has no log.
    #[error("there is no project {0}")]
    Unknown(ProjectName),
    /// Acknowledged events are damaged: the log is not served until somebody has looked at it.
    #[error("the log of project {project} is damaged: {detail}")]
    Damaged {
        /// Whose log.
        project: ProjectName,
        /// What is damaged, where, and what to do.
        detail: String,
    },
    /// See [`Unavailable`].
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
