//! What is true of subjects at this moment, and decides about events that were recorded long ago: labels and erasures.

use std::sync::Arc;

use feedwire_engine::Record;
use feedwire_event::Labels;

use crate::hidden::Hidden;
use crate::labels::{LabelTable, Standing};

/// The present labels and erasures of a project. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subjects {
    pub(crate) labels: Arc<LabelTable>,
    pub(crate) hidden: Arc<Hidden>,
}

/// The same for whoever asks about many records at once. Labels stay as they are while this is held, so it is not held for long.
#[derive(Debug)]
pub(crate) struct Now<'a> {
    labels: Standing<'a>,
    hidden: &'a Hidden,
}

impl Subjects {
    pub(crate) fn now(&self) -> Now<'_> {
        Now {
            labels: self.labels.standing(),
            hidden: &self.hidden,
        }
    }
}

impl Now<'_> {
    /// The labels of the subject of `record`, if it has any.
    pub(crate) fn labels_of(&self, record: &Record) -> Option<&Labels> {
        self.labels.get(record.subject()?)
    }

    /// Whether `record` is not to be shown.
    pub(crate) fn hides(&self, record: &Record) -> bool {
        self.hidden.hides(record)
    }
}
