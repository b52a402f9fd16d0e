//! Projects, their limits, and deleting them.

use serde::{Deserialize, Serialize};

/// What `POST /v1/projects` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewProject {
    /// Its name. What stands before the last dot is the project that it is a child of, which has to be there.
    pub name: String,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// The project that it is a child of, if any.
    pub parent: Option<String>,
    /// When it was made, RFC 3339; `None` of one that an earlier version made.
    pub created_at: Option<String>,
}

/// What `GET /v1/projects` answers: those that something is granted in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Projects {
    /// In order of their names.
    pub projects: Vec<Project>,
    /// What to ask for as `after` for more; `None` when there are none.
    pub next: Option<String>,
}

/// What `DELETE` of a project answers at first: nothing is deleted before it is called again with the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// To be given back as `delete_token`.
    pub delete_token: String,
    /// Until when it is taken, RFC 3339.
    pub expires_at: String,
}

/// What a project, or a credential, may take of the server. What is `None` has no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimits {
    /// Requests a second.
    pub requests_per_second: Option<u64>,
    /// Bytes of bodies to publish, a second.
    pub publish_bytes_per_second: Option<u64>,
    /// Streams and waiting polls at the same time.
    pub readers: Option<u64>,
}
