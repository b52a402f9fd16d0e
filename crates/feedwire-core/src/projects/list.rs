//! Which projects there are. All of it is in memory: nothing here waits, or opens a project.

use feedwire_event::{Position, ProjectName, Timestamp};

use crate::Core;
use crate::RateLimits;

/// A project, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: ProjectName,
    /// When it was made; `None` where a version of the server made it that did not keep that.
    pub created_at: Option<Timestamp>,
    /// Its limits.
    pub limits: RateLimits,
    /// Since when it is put away; `None` where it is not.
    pub away_since: Option<Timestamp>,
    /// The last position of its log; `None` while that is not open.
    pub head: Option<Position>,
}

/// For whoever administers the server: these take no grant, and who calls them has checked that it may.
impl Core {
    /// The projects there are, the server's own among them, in order of their names.
    pub fn projects(&self) -> Vec<ProjectName> {
        self.projects_known().register().names()
    }

    /// Whether there is a project `name`.
    pub fn project_exists(&self, name: &ProjectName) -> bool {
        self.projects_known().register().record(name).is_some()
    }

    /// The project `name` as it is now, if there is one.
    pub fn show_project(&self, name: &ProjectName) -> Option<Listed> {
        let record = self.projects_known().register().record(name)?;
        Some(Listed {
            name: name.clone(),
            created_at: record.created_at,
            limits: record.limits,
            away_since: record.away_since,
            head: self.projects_known().head(name),
        })
    }
}
