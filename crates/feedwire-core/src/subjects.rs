//! What is true of subjects at this moment, and decides about events that were recorded long ago: labels and erasures.

use std::sync::Arc;

use crate::hidden::Hidden;
use crate::labels::LabelTable;

/// The present labels and erasures of a project. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subjects {
    pub(crate) labels: Arc<LabelTable>,
    pub(crate) hidden: Arc<Hidden>,
}
