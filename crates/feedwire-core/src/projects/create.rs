//! Making a project.

use std::sync::Arc;

use feedwire_engine::{CreateError, MinFree, Precondition, PutError, Unavailable};
use feedwire_event::ProjectName;

use super::open::Projects;
use super::record::{self, Record};
use crate::Core;
use crate::limits::PROJECTS_BELOW_MAX;

/// Why a project was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is one of that name.
    #[error("project {0} is there already")]
    Exists(ProjectName),
    /// It would be a child, and its parent is not there.
    #[error("project {0} would be a child of one that is not there")]
    NoParent(ProjectName),
    /// There are as many below the project at the top as there may be.
    #[error("there are {PROJECTS_BELOW_MAX} projects below {0}, as many as there may be")]
    TooMany(ProjectName),
    /// No project is made under that name: it is the server's own, or ends in a dot.
    #[error("no project is made under the name {0}: it is the server's own, or ends in a dot")]
    Reserved(ProjectName),
    /// The disk is full.
    #[error("no space left for another project{0}")]
    NoSpace(MinFree),
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<CreateError> for Error {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Exists(name) => Self::Exists(name),
            CreateError::NoSpace(min_free) => Self::NoSpace(min_free),
            CreateError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<PutError> for Error {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Changed { .. } => Self::Unavailable(Unavailable::new(error)),
            PutError::NoSpace(min_free) => Self::NoSpace(min_free),
            PutError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl Core {
    /// Makes the project `name`, which is empty and there after a crash once this has returned.
    ///
    /// A child, whose name has a dot, needs its parent: what stands before the last dot. For whoever administers the server: it
    /// takes no grant, and who calls it has checked that it may.
    pub async fn create_project(&self, name: &ProjectName) -> Result<(), Error> {
        if name.is_system() || name.as_str().ends_with('.') {
            return Err(Error::Reserved(name.clone()));
        }
        self.projects_known().check_open()?;
        let projects = Arc::clone(self.projects_known());
        let name = name.clone();
        self.whole(async move { projects.create(&name).await })
            .await
    }
}

impl Projects {
    /// Makes what the server needs: its own project, and before that, where there is none at all, one to begin with.
    pub(crate) async fn create_first(&self) -> Result<(), Error> {
        let system = ProjectName::system();
        let names = self.register().names();
        if names.contains(&system) {
            return Ok(());
        }
        if names.is_empty() {
            let default = ProjectName::new("default").expect("it is a name");
            self.create(&default).await?;
        }
        // Last: that it is there says that the first start is done.
        self.create(&system).await
    }

    async fn create(&self, name: &ProjectName) -> Result<(), Error> {
        let _turn = self.turns().take(name).await;
        let record = Record {
            created_at: Some(self.clock().now()),
            ..Record::default()
        };
        self.register().begin(name, record)?;
        let made = self.make(name, record).await;
        self.register().settle(name, made.is_ok());
        made
    }

    async fn make(&self, name: &ProjectName, record: Record) -> Result<(), Error> {
        let (primary, space) = (self.primary(), record::space());
        let key = name.as_str().as_bytes();
        // Before the project: what a crash leaves of it then is not taken for one that an older version made.
        let put = primary.put(&space, key, record.encode(), Precondition::Any);
        put.await?;
        Ok(self.engine().create(name).await?)
    }
}
