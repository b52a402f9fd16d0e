//! Authorisation as a value.

use feedwire_event::ProjectName;

/// What somebody may do: every call of the core takes one. It is made where credentials are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    project: ProjectName,
}

impl Grant {
    /// Everything in `project`.
    pub fn whole(project: ProjectName) -> Self {
        Self { project }
    }

    /// The project it is for.
    pub fn project(&self) -> &ProjectName {
        &self.project
    }
}
