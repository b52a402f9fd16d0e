//! Deleting a project.

use std::sync::Arc;

use feedwire_engine::{DeleteError, Precondition, Unavailable};
use feedwire_event::ProjectName;

use super::open::Projects;
use super::record;
use crate::Core;

/// Why a project was not deleted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is none of that name.
    #[error("there is no project {0}")]
    Unknown(ProjectName),
    /// It has children, which would be left without a parent.
    #[error("project {0} has children: they are to be deleted first")]
    HasChildren(ProjectName),
    /// It is not to be deleted: it is the server's own, or its name ends in a dot.
    #[error("project {0} is not to be deleted: it is the server's own, or its name ends in a dot")]
    Reserved(ProjectName),
    /// The engine could not do it, and the project is still there.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Core {
    /// Deletes the project `name` with everything that it has. Nothing of it is served once this has returned, nor after a crash.
    ///
    /// Its readers are told [`crate::Step::Closing`]; what is being published to it is there before the deletion, or refused. For whoever
    /// administers the server: it takes no grant, and who calls it has checked that it may.
    pub async fn delete_project(&self, name: &ProjectName) -> Result<(), Error> {
        if name.is_system() || name.as_str().ends_with('.') {
            return Err(Error::Reserved(name.clone()));
        }
        self.projects_known().check_open()?;
        let projects = Arc::clone(self.projects_known());
        let name = name.clone();
        self.whole(async move { projects.delete(&name).await })
            .await
    }
}

impl Projects {
    async fn delete(&self, name: &ProjectName) -> Result<(), Error> {
        let _turn = self.turns().take(name).await;
        // From here on nobody opens it.
        self.register().leave(name)?;
        self.end(name).await;
        let deleted = self.remove(name).await;
        if deleted.is_ok() {
            self.connectors().forget(name).await;
        }
        self.register().settle(name, deleted.is_err());
        if deleted.is_ok() {
            self.past().bury(name);
        }
        deleted
    }

    async fn remove(&self, name: &ProjectName) -> Result<(), Error> {
        match self.engine().delete(name).await {
            Ok(()) | Err(DeleteError::Unknown(_)) => {}
            Err(DeleteError::Unavailable(unavailable)) => {
                if self.engine().projects().await?.contains(name) {
                    return Err(unavailable.into());
                }
                tracing::warn!(
                    project = name.as_str(),
                    error = &unavailable as &dyn std::error::Error,
                    "of a project that is deleted something is left on disk until the next start"
                );
            }
        }
        let (primary, space) = (self.primary(), record::space());
        let key = name.as_str().as_bytes();
        if let Err(error) = primary.delete(&space, key, Precondition::Any).await {
            // It says when a project was made that is not there: nothing that is ever shown.
            tracing::warn!(
                project = name.as_str(),
                error = &error as &dyn std::error::Error,
                "the record of a project that is deleted is not removed"
            );
        }
        Ok(())
    }
}
