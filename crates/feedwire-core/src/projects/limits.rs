//! The limits of a project: kept in the store, and in memory, where reading them costs next to nothing.

use std::sync::Arc;

use feedwire_engine::OpenError;
use feedwire_event::ProjectName;

use super::open::Projects;
use super::record::{self, Record};
use crate::Core;
use crate::store::{self, Check};

/// How much may be asked of a project; what is not set has no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProjectLimits {
    /// Requests a second.
    pub requests_per_second: Option<u64>,
    /// Bytes of what is published a second.
    pub publish_bytes_per_second: Option<u64>,
    /// Readers at once.
    pub readers_max: Option<u64>,
}

impl Core {
    /// The limits of the project `name`; of one that is not there, none. Neither waits nor opens it.
    pub fn project_limits(&self, name: &ProjectName) -> ProjectLimits {
        let found = self.projects_known().register().record(name);
        found.unwrap_or_default().limits
    }

    /// Gives the project `name` these limits from now on, if those that it has pass `check`.
    ///
    /// For whoever administers the server: it takes no grant, and who calls it has checked that it may.
    pub async fn set_project_limits(
        &self,
        name: &ProjectName,
        limits: ProjectLimits,
        check: Option<Check<ProjectLimits>>,
    ) -> Result<(), store::Error> {
        let projects = Arc::clone(self.projects_known());
        let name = name.clone();
        self.whole(async move { projects.set_limits(&name, limits, check).await })
            .await
    }
}

impl Projects {
    async fn set_limits(
        &self,
        name: &ProjectName,
        limits: ProjectLimits,
        check: Option<Check<ProjectLimits>>,
    ) -> Result<(), store::Error> {
        let unknown = || OpenError::Unknown(name.clone());
        // Before its turn too: a deletion may take long.
        self.register().record(name).ok_or_else(unknown)?;
        let _turn = self.turns().take(name).await;
        let present = self.register().record(name).ok_or_else(unknown)?;
        let key = name.as_str().as_bytes();
        let stored = |value| match value {
            Some(value) => Record::decode(key, value).map(|record| record.limits),
            None => Ok(ProjectLimits::default()),
        };
        let (primary, space) = (self.primary(), record::space());
        let precondition = store::precondition(&*primary, (&space, key), check, stored).await?;
        let record = Record { limits, ..present };
        let put = primary.put(&space, key, record.encode(), precondition);
        put.await?;
        self.register().set(name, record);
        Ok(())
    }
}
