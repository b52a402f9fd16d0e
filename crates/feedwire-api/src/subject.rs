//! What is kept of a subject.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What `GET` and `PUT …/subjects/{subject}/labels` take and answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectLabels {
    /// Keys with values.
    pub labels: BTreeMap<String, String>,
}
