//! Which labels the subject of an event must have.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use feedwire_engine::Record;
use feedwire_event::{Labels, TypeName};

/// A label that a subject must have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LabelFilter {
    /// Its key.
    pub key: String,
    /// Its value; `None` is any.
    pub value: Option<String>,
}

/// Labels of which a subject must have one: at least one, each once. A key whose value may be any leaves nothing to be said of its values.
/// Events may stand in for a label that a subject lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelGroup {
    keys: BTreeMap<String, Values>,
    untold: Option<Untold>,
}

/// Events that tell of their subject what no label does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Untold {
    /// The key of the label that the subject lacks.
    key: String,
    types: BTreeSet<TypeName>,
}

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
        let untold = None;
        (!keys.is_empty()).then_some(Self { keys, untold })
    }

    /// The same, which also lets through events of these `types` about a subject that has no label `key`: where nothing else says what
    /// the subject is, they do.
    #[must_use]
    pub fn or_told_by(self, types: impl IntoIterator<Item = TypeName>, key: &str) -> Self {
        let untold = Some(Untold {
            key: key.to_owned(),
            types: types.into_iter().collect(),
        });
        Self { untold, ..self }
    }

    /// Whether it lets `record` through, whose subject has `labels`.
    pub(crate) fn passes(&self, record: &Record, labels: Option<&Labels>) -> bool {
        let is_told = |untold: &Untold| {
            untold.types.contains(record.ty())
                && record.subject().is_some()
                && labels.is_none_or(|labels| labels.get(&untold.key).is_none())
        };
        labels.is_some_and(|labels| self.holds(labels)) || self.untold.as_ref().is_some_and(is_told)
    }

    /// Whether one of its labels is among `labels`.
    pub(crate) fn holds(&self, labels: &Labels) -> bool {
        let has = |key: &str, value: &str| self.keys.get(key).is_some_and(|v| v.has(value));
        if self.keys.len() > labels.len() {
            return labels.iter().any(|(key, value)| has(key, value));
        }
        let mut keys = self.keys.iter();
        keys.any(|(key, values)| labels.get(key).is_some_and(|value| values.has(value)))
    }

    /// Its keys and the values of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Values)> {
        self.keys.iter()
    }

    /// The types of the events that it lets through where no label is.
    pub(crate) fn types(&self) -> impl Iterator<Item = &TypeName> {
        self.untold.iter().flat_map(|untold| &untold.types)
    }

    /// How much it may let through by its looks: less where every value is named, and then where fewer are.
    pub(crate) fn breadth(&self) -> (usize, usize) {
        let any = self
            .keys
            .values()
            .filter(|values| matches!(values, Values::Any));
        let named = self.keys.values().map(|values| match values {
            Values::Any => 0,
            Values::These(these) => these.len(),
        });
        (any.count(), named.sum::<usize>() + self.types().count())
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
        let untold = None;
        Self { keys, untold }
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
