//! Who waits for what: from a feed, a type, a subject or a label to readers.
//!
//! A reader stands under the narrowest part of its filter only, so that an event is held against few filters.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use feedwire_engine::Record;
use feedwire_event::{FeedName, Subject, TypeName};

use crate::filter::{Filter, LabelFilter};
use crate::labels::LabelTable;

type Readers = BTreeSet<usize>;

/// Readers by what they wait for.
#[derive(Debug, Default)]
pub(super) struct Index {
    all: Readers,
    feeds: HashMap<FeedName, Readers>,
    types: HashMap<TypeName, Readers>,
    subjects: HashMap<Subject, Readers>,
    labels: HashMap<LabelFilter, Readers>,
}

impl Index {
    pub(super) fn insert(&mut self, key: usize, filter: &Filter) {
        if !filter.subjects.is_empty() {
            insert(&mut self.subjects, &filter.subjects, key);
        } else if let Some(label) = filter.labels.first() {
            insert(&mut self.labels, std::slice::from_ref(label), key);
        } else if !filter.types.is_empty() {
            insert(&mut self.types, &filter.types, key);
        } else if !filter.feeds.is_empty() {
            insert(&mut self.feeds, &filter.feeds, key);
        } else {
            self.all.insert(key);
        }
    }

    pub(super) fn remove(&mut self, key: usize, filter: &Filter) {
        remove(&mut self.subjects, &filter.subjects, key);
        remove(&mut self.labels, &filter.labels, key);
        remove(&mut self.types, &filter.types, key);
        remove(&mut self.feeds, &filter.feeds, key);
        self.all.remove(&key);
    }

    /// Calls `found` with every reader that may be concerned by `record`.
    pub(super) fn candidates(
        &self,
        record: &Record,
        labels: &LabelTable,
        mut found: impl FnMut(usize),
    ) {
        let mut each =
            |readers: Option<&Readers>| readers.into_iter().flatten().for_each(|key| found(*key));
        each(Some(&self.all));
        each(self.feeds.get(record.feed()));
        each(self.types.get(record.ty()));
        let Some(subject) = record.subject() else {
            return;
        };
        each(self.subjects.get(subject));
        if self.labels.is_empty() {
            return;
        }
        for (key, value) in labels.get(subject).iter().flat_map(|labels| labels.iter()) {
            let key = key.to_owned();
            let value = Some(value.to_owned());
            each(self.labels.get(&LabelFilter {
                key: key.clone(),
                value,
            }));
            each(self.labels.get(&LabelFilter { key, value: None }));
        }
    }
}

fn insert<K: Clone + Eq + Hash>(map: &mut HashMap<K, Readers>, keys: &[K], reader: usize) {
    for key in keys {
        map.entry(key.clone()).or_default().insert(reader);
    }
}

fn remove<K: Eq + Hash>(map: &mut HashMap<K, Readers>, keys: &[K], reader: usize) {
    for key in keys {
        if let Some(readers) = map.get_mut(key) {
            readers.remove(&reader);
            if readers.is_empty() {
                map.remove(key);
            }
        }
    }
}
