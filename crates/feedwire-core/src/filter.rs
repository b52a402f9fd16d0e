//! Which events a reading is about.

use std::collections::HashSet;

use feedwire_engine::{Record, Scope};
use feedwire_event::{FeedName, Labels, Subject, TypeName};

use crate::subjects::Subjects;

/// An event passes if it has one of the feeds, one of the types and one of the subjects, and its subject has every label.
/// An empty list asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Filter {
    /// The feeds; empty is every feed of the project.
    pub feeds: Vec<FeedName>,
    /// The types.
    pub types: Vec<TypeName>,
    /// The subjects.
    pub subjects: Vec<Subject>,
    /// Labels of the subject as they are when the event is read.
    pub labels: Vec<LabelFilter>,
}

/// A label that a subject must have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LabelFilter {
    /// Its key.
    pub key: String,
    /// Its value; `None` is any.
    pub value: Option<String>,
}

impl Filter {
    /// The part that an engine's index can answer.
    pub(crate) fn scope(&self) -> Scope {
        Scope {
            feeds: self.feeds.clone(),
            types: self.types.clone(),
            subjects: self.subjects.clone(),
        }
    }
}

/// A filter ready to be asked about many records.
#[derive(Debug)]
pub(crate) struct Matcher {
    filter: Filter,
    /// The subjects again, for filters that name many.
    subjects: HashSet<Subject>,
}

impl Matcher {
    pub(crate) fn new(filter: Filter) -> Self {
        let subjects = filter.subjects.iter().cloned().collect();
        Self { filter, subjects }
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether `record` passes.
    pub(crate) fn passes(&self, record: &Record, subjects: &Subjects) -> bool {
        let Filter { feeds, types, .. } = &self.filter;
        (feeds.is_empty() || feeds.iter().any(|feed| feed.as_str() == record.feed()))
            && (types.is_empty() || types.iter().any(|ty| ty.as_str() == record.ty()))
            && (self.subjects.is_empty()
                || record.subject().is_some_and(|s| self.subjects.contains(s)))
            && self.shows(record, subjects)
    }

    /// Whether `record` may be shown and its subject has the labels: all that an engine's scope leaves open.
    pub(crate) fn shows(&self, record: &Record, subjects: &Subjects) -> bool {
        let wanted = &self.filter.labels;
        let labelled = || {
            let labels = record
                .subject()
                .and_then(|subject| subjects.labels.get(subject));
            labels.is_some_and(|labels| wanted.iter().all(|label| label.holds(&labels)))
        };
        !subjects.hidden.hides(record) && (wanted.is_empty() || labelled())
    }
}

impl LabelFilter {
    fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        value.is_some_and(|value| self.value.as_ref().is_none_or(|wanted| wanted == value))
    }
}
