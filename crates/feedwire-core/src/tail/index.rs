//! Who waits for what: from a feed, a type, a subject or a label to readers.
//!
//! A reader stands under the narrowest part of its filter only, so that an event is held against few filters. Of groups of labels that is
//! one, and the reader stands under every label of it, and under every type that tells as much: an event whose subject has two of them
//! finds the reader twice.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use feedwire_engine::Record;
use feedwire_event::{FeedName, Labels, Subject, TypeName};

use crate::filter::Filter;
use crate::label_filter::{LabelGroup, Values};

type Readers = BTreeSet<usize>;

/// Readers by what they wait for.
#[derive(Debug, Default)]
pub(super) struct Index {
    all: Readers,
    feeds: HashMap<FeedName, Readers>,
    types: HashMap<TypeName, Readers>,
    subjects: HashMap<Subject, Readers>,
    /// By the key of a label.
    labels: HashMap<String, Labelled>,
}

/// Readers that wait for a label with one key.
#[derive(Debug, Default)]
struct Labelled {
    any: Readers,
    values: HashMap<String, Readers>,
}

/// The part of a filter that its reader stands under.
enum Part<'a> {
    All,
    Feeds(&'a [FeedName]),
    Types(&'a [TypeName]),
    Labels(&'a LabelGroup),
    Subjects(&'a [Subject]),
}

impl<'a> Part<'a> {
    /// The narrowest of `filter`. It depends on nothing else: a reader is taken from where it was put.
    fn of(filter: &'a Filter) -> Self {
        let narrowest = filter.labels.iter().min_by_key(|group| group.breadth());
        if !filter.subjects.is_empty() {
            Self::Subjects(&filter.subjects)
        } else if let Some(group) = narrowest {
            Self::Labels(group)
        } else if !filter.types.is_empty() {
            Self::Types(&filter.types)
        } else if !filter.feeds.is_empty() {
            Self::Feeds(&filter.feeds)
        } else {
            Self::All
        }
    }
}

impl Index {
    pub(super) fn insert(&mut self, reader: usize, filter: &Filter) {
        match Part::of(filter) {
            Part::All => {
                self.all.insert(reader);
            }
            Part::Feeds(feeds) => insert(&mut self.feeds, feeds, reader),
            Part::Types(types) => insert(&mut self.types, types, reader),
            Part::Subjects(subjects) => insert(&mut self.subjects, subjects, reader),
            Part::Labels(group) => {
                insert(&mut self.types, group.types(), reader);
                for (key, values) in group.iter() {
                    let labelled = self.labels.entry(key.clone()).or_default();
                    labelled.insert(values, reader);
                }
            }
        }
    }

    pub(super) fn remove(&mut self, reader: usize, filter: &Filter) {
        match Part::of(filter) {
            Part::All => {
                self.all.remove(&reader);
            }
            Part::Feeds(feeds) => remove(&mut self.feeds, feeds, reader),
            Part::Types(types) => remove(&mut self.types, types, reader),
            Part::Subjects(subjects) => remove(&mut self.subjects, subjects, reader),
            Part::Labels(group) => {
                remove(&mut self.types, group.types(), reader);
                for (key, values) in group.iter() {
                    if let Some(labelled) = self.labels.get_mut(key) {
                        labelled.remove(values, reader);
                        if labelled.is_empty() {
                            self.labels.remove(key);
                        }
                    }
                }
            }
        }
    }

    /// Calls `found` with every reader that may be concerned by `record`, whose subject has `labels`.
    pub(super) fn candidates(
        &self,
        record: &Record,
        labels: Option<&Labels>,
        mut found: impl FnMut(usize),
    ) {
        let mut each =
            |readers: Option<&Readers>| readers.into_iter().flatten().for_each(|key| found(*key));
        each(Some(&self.all));
        each(self.feeds.get(record.feed()));
        each(self.types.get(record.ty()));
        each(
            record
                .subject()
                .and_then(|subject| self.subjects.get(subject)),
        );
        if self.labels.is_empty() {
            return;
        }
        for (key, value) in labels.iter().flat_map(|labels| labels.iter()) {
            if let Some(labelled) = self.labels.get(key) {
                each(Some(&labelled.any));
                each(labelled.values.get(value));
            }
        }
    }
}

impl Labelled {
    fn insert(&mut self, values: &Values, reader: usize) {
        match values {
            Values::Any => {
                self.any.insert(reader);
            }
            Values::These(these) => insert(&mut self.values, these, reader),
        }
    }

    fn remove(&mut self, values: &Values, reader: usize) {
        match values {
            Values::Any => {
                self.any.remove(&reader);
            }
            Values::These(these) => remove(&mut self.values, these, reader),
        }
    }

    fn is_empty(&self) -> bool {
        self.any.is_empty() && self.values.is_empty()
    }
}

fn insert<'k, K: Clone + Eq + Hash + 'k>(
    map: &mut HashMap<K, Readers>,
    keys: impl IntoIterator<Item = &'k K>,
    reader: usize,
) {
    for key in keys {
        map.entry(key.clone()).or_default().insert(reader);
    }
}

fn remove<'k, K: Eq + Hash + 'k>(
    map: &mut HashMap<K, Readers>,
    keys: impl IntoIterator<Item = &'k K>,
    reader: usize,
) {
    for key in keys {
        if let Some(readers) = map.get_mut(key) {
            readers.remove(&reader);
            if readers.is_empty() {
                map.remove(key);
            }
        }
    }
}
