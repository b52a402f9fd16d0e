//! Labels of subjects as they are now: truth in the primary store, and a table of them in memory for filters.
//!
//! Each entry is kept under the subject's bytes; its value is the labels, one after the other, each as the length of the key and of the
//! value (two bytes each, little-endian), the key and the value.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{Primary, Space, Unavailable};
use feedwire_event::{Labels, ProjectName, Subject};
use parking_lot::{RwLock, RwLockReadGuard};

use crate::LabelGroup;
use crate::store::{self, Check};

type Table = HashMap<Subject, Arc<Labels>>;

/// The labels of every subject of a project that has any.
#[derive(Debug, Default)]
pub(crate) struct LabelTable(RwLock<Table>);

/// The labels of every subject; none are set while this is held.
#[derive(Debug)]
pub(crate) struct Standing<'a>(RwLockReadGuard<'a, Table>);

impl Standing<'_> {
    /// The labels of `subject`, if it has any.
    pub(crate) fn get(&self, subject: &str) -> Option<&Labels> {
        self.0.get(subject).map(|labels| &**labels)
    }
}

impl LabelTable {
    /// The labels of `subject`, if it has any.
    pub(crate) fn get(&self, subject: &str) -> Option<Arc<Labels>> {
        self.0.read().get(subject).cloned()
    }

    pub(crate) fn standing(&self) -> Standing<'_> {
        Standing(self.0.read())
    }

    /// Up to `most` subjects of which every one of `groups` holds by its labels; what events tell beside them is not looked at.
    pub(crate) fn having(&self, groups: &[LabelGroup], most: usize) -> Vec<Subject> {
        let table = self.0.read();
        let having = table
            .iter()
            .filter(|(_, labels)| groups.iter().all(|group| group.holds(labels)));
        let mut subjects: Vec<Subject> = having.take(most).map(|(s, _)| s.clone()).collect();
        subjects.sort();
        subjects
    }

    /// The first `most` subjects behind `after` that have a label `key`, in no order, and whether these are all.
    pub(crate) fn with(
        &self,
        key: &str,
        after: Option<&Subject>,
        most: usize,
    ) -> (Vec<Subject>, bool) {
        let table = self.0.read();
        let is_behind = |name: &Subject| after.is_none_or(|after| name > after);
        let having = table
            .iter()
            .filter(|(name, labels)| is_behind(name) && labels.get(key).is_some());
        let mut names: Vec<&Subject> = having.map(|(name, _)| name).collect();
        let is_all = names.len() <= most;
        if !is_all {
            names.select_nth_unstable(most);
            names.truncate(most);
        }
        (names.into_iter().cloned().collect(), is_all)
    }

    fn set(&self, subject: Subject, labels: Labels) {
        let mut table = self.0.write();
        if labels.is_empty() {
            table.remove(&subject);
        } else {
            table.insert(subject, Arc::new(labels));
        }
    }
}

/// The stored labels of a project.
#[derive(Debug)]
pub(crate) struct StoredLabels {
    primary: Arc<dyn Primary>,
    space: Space,
    table: Arc<LabelTable>,
    /// Held over a write to the store and to the table, so that both see the same last one.
    writing: tokio::sync::Mutex<()>,
}

impl StoredLabels {
    /// Loads the labels of `project`.
    pub(crate) async fn open(
        primary: Arc<dyn Primary>,
        project: ProjectName,
    ) -> Result<Self, Unavailable> {
        let space = Space {
            project,
            name: "labels",
        };
        let table = LabelTable::default();
        store::each(&*primary, &space, |key, value| {
            let (subject, labels) = decode(&key, value)?;
            table.set(subject, labels);
            Ok(())
        })
        .await?;
        let writing = tokio::sync::Mutex::new(());
        Ok(Self {
            primary,
            space,
            table: Arc::new(table),
            writing,
        })
    }

    pub(crate) fn table(&self) -> &Arc<LabelTable> {
        &self.table
    }

    /// Gives `subject` these labels and no others, if those that it has pass `check`.
    pub(crate) async fn set(
        &self,
        subject: Subject,
        labels: Labels,
        check: Option<Check<Labels>>,
    ) -> Result<(), store::Error> {
        let _writing = self.writing.lock().await;
        let key = subject.as_str().as_bytes();
        let present = |value: Option<Bytes>| match value {
            Some(value) => decode(key, value).map(|(_, labels)| labels),
            None => Ok(Labels::default()),
        };
        let place = (&self.space, key);
        let precondition = store::precondition(&*self.primary, place, check, present).await?;
        let written = if labels.is_empty() {
            self.primary.delete(&self.space, key, precondition).await
        } else {
            let value = encode(&labels);
            self.primary
                .put(&self.space, key, value, precondition)
                .await
                .map(drop)
        };
        written?;
        self.table.set(subject, labels);
        Ok(())
    }
}

fn encode(labels: &Labels) -> Bytes {
    let mut out = BytesMut::new();
    for (key, value) in labels.iter() {
        for text in [key, value] {
            out.put_u16_le(
                u16::try_from(text.len()).expect("a label's texts have at most 256 bytes"),
            );
        }
        out.put_slice(key.as_bytes());
        out.put_slice(value.as_bytes());
    }
    out.freeze()
}

fn decode(key: &[u8], value: Bytes) -> Result<(Subject, Labels), Unavailable> {
    let unreadable = || Unavailable::new(format!("labels stored under {key:?} cannot be read"));
    labels_of(key, value).ok_or_else(unreadable)
}

fn labels_of(key: &[u8], mut value: Bytes) -> Option<(Subject, Labels)> {
    let subject = Subject::new(std::str::from_utf8(key).ok()?).ok()?;
    let mut labels = BTreeMap::new();
    while value.has_remaining() {
        let key_len = usize::from(value.try_get_u16_le().ok()?);
        let value_len = usize::from(value.try_get_u16_le().ok()?);
        if value.remaining() < key_len + value_len {
            return None;
        }
        let mut text = |len| String::from_utf8(value.split_to(len).to_vec()).ok();
        labels.insert(text(key_len)?, text(value_len)?);
    }
    Some((subject, Labels::new(labels).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_stored_and_read_back_and_any_cut_of_them_is_refused() {
        let pairs = [("floor", ""), ("room", "lobby é")];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let labels = Labels::new(BTreeMap::from(pairs)).expect("labels");
        let bytes = encode(&labels);
        let subject = Subject::new("b").expect("a subject");
        assert_eq!(labels_of(b"b", bytes.clone()), Some((subject, labels)));
        let first = 4 + "floor".len();
        for len in (1..bytes.len()).filter(|len| *len != first) {
            assert_eq!(labels_of(b"b", bytes.slice(..len)), None, "cut at {len}");
        }
    }
}
