//! Load jobs: what is to be loaded, and how far that is.

use serde::{Deserialize, Serialize};

/// What `POST …/feeds/{feed}/loads` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewLoad {
    /// At `_all`: the feeds of the entities; empty is every one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<String>,
    /// The subjects; empty is every one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// Labels of the subjects, `key` or `key=value`: all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What has to be true of the entities, in the Common Expression Language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// How many bytes it may write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

/// A load job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Names it.
    pub id: String,
    /// The feeds of the entities that it loads.
    pub feeds: Vec<String>,
    /// The subjects that it loads; empty is every one.
    pub subjects: Vec<String>,
    /// The labels that subjects have to have; empty is none.
    pub labels: Vec<String>,
    /// What has to be true of the entities.
    pub filter: Option<String>,
    /// `waiting`, `running`, `done`, `cancelled` or `failed`.
    pub phase: String,
    /// Why it failed.
    pub error: Option<String>,
    /// The position of the log when it was started: no state is older than that.
    pub start: u64,
    /// How many entities its feeds had then.
    pub total: u64,
    /// How many were looked at.
    pub done: u64,
    /// How many of them passed, and were written.
    pub written: u64,
    /// How many bytes that were.
    pub bytes: u64,
    /// How many bytes it may write.
    pub max_bytes: u64,
    /// How many entities are looked at a second.
    pub rate: f64,
    /// When it was started, RFC 3339.
    pub started_at: String,
    /// When it ended, RFC 3339.
    pub ended_at: Option<String>,
}

impl Load {
    /// Whether nothing more comes.
    pub fn is_over(&self) -> bool {
        !matches!(self.phase.as_str(), "waiting" | "running")
    }
}

/// What `GET …/loads` answers: in the order in which they were started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loads {
    /// The load jobs.
    pub loads: Vec<Load>,
}
