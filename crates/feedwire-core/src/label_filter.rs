//! Which labels the subject of an event must have.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use feedwire_event::Labels;

/// A label that a subject must have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LabelFilter {
    /// Its key.
    pub key: String,
    /// Its value; `None` is any.
    pub value: Option<String>,
}

/// Labels of which a subject must have one: at least one, each once. A key whose value may be any leaves nothing to be said of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelGroup(BTreeMap<String, Values>);

/// The values that a label may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    Any,
    These(BTreeSet<String>),
}

impl LabelFilter {
    /// Whether it is among `labels`.
    pub(crate) fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        value.is_some_and(|value| self.value.as_ref().is_none_or(|wanted| wanted == value))
    }
}

impl LabelGroup {
    /// The group of these labels; `None` where there are none, of which nobody could have one.
    pub fn new(labels: impl IntoIterator<Item = LabelFilter>) -> Option<Self> {
        let mut keys = BTreeMap::new();
        for LabelFilter { key, value } in labels {
            add(keys.entry(key), value);
        }
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// Whether one of them is among `labels`.
    pub(crate) fn holds(&self, labels: &Labels) -> bool {
        let has = |key: &str, value: &str| self.0.get(key).is_some_and(|v| v.has(value));
        if self.0.len() > labels.len() {
            return labels.iter().any(|(key, value)| has(key, value));
        }
        let mut keys = self.0.iter();
        keys.any(|(key, values)| labels.get(key).is_some_and(|value| values.has(value)))
    }

    /// Its keys and the values of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Values)> {
        self.0.iter()
    }

    /// How much it may let through by its looks: less where every value is named, and then where fewer are.
    pub(crate) fn breadth(&self) -> (usize, usize) {
        let any = self
            .0
            .values()
            .filter(|values| matches!(values, Values::Any));
        let named = self.0.values().map(|values| match values {
            Values::Any => 0,
            Values::These(these) => these.len(),
        });
        (any.count(), named.sum())
    }
}

fn add(place: Entry<'_, String, Values>, value: Option<String>) {
    let Some(value) = value else {
        place.insert_entry(Values::Any);
        return;
    };
    if let Values::These(these) = place.or_insert_with(|| Values::These(BTreeSet::new())) {
        these.insert(value);
    }
}

impl From<LabelFilter> for LabelGroup {
    fn from(label: LabelFilter) -> Self {
        let mut keys = BTreeMap::new();
        add(keys.entry(label.key), label.value);
        Self(keys)
    }
}

impl Values {
    fn has(&self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(these) => these.contains(value),
        }
    }
}
