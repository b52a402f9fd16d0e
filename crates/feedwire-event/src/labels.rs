//! Marks of a subject as they are now.

use std::collections::BTreeMap;

use crate::limits::{LABEL_BYTES_MAX, LABELS_MAX};

/// The labels of a subject: keys with values, kept in order of the keys.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Labels(BTreeMap<String, String>);

/// Why a label is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelsError {
    /// There are more than [`LABELS_MAX`].
    #[error("a subject has at most {LABELS_MAX} labels, here are {0}")]
    TooMany(usize),
    /// The key has no characters.
    #[error("a label's key has 1 to {LABEL_BYTES_MAX} bytes, here is one with none")]
    EmptyKey,
    /// A key or a value is longer than [`LABEL_BYTES_MAX`].
    #[error(
        "the key and the value of a label have at most {LABEL_BYTES_MAX} bytes each, those of {0:?} more"
    )]
    TooLong(String),
    /// A key or a value has a control character.
    #[error("labels have no control characters, {0:?} does")]
    Control(String),
    /// The key contains `=`, which parts a key from its value in a filter.
    #[error("a label's key has no '=', {0:?} does")]
    Equals(String),
}

impl Labels {
    /// Checks every key and value and takes them as labels.
    pub fn new(labels: BTreeMap<String, String>) -> Result<Self, LabelsError> {
        if labels.len() > LABELS_MAX {
            return Err(LabelsError::TooMany(labels.len()));
        }
        for (key, value) in &labels {
            check(key, value)?;
        }
        Ok(Self(labels))
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Keys and values in order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn check(key: &str, value: &str) -> Result<(), LabelsError> {
    if key.is_empty() {
        Err(LabelsError::EmptyKey)
    } else if key.len().max(value.len()) > LABEL_BYTES_MAX {
        Err(LabelsError::TooLong(key.chars().take(40).collect()))
    } else if key.chars().chain(value.chars()).any(char::is_control) {
        Err(LabelsError::Control(key.to_owned()))
    } else if key.contains('=') {
        Err(LabelsError::Equals(key.to_owned()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(key: &str, value: &str) -> Result<Labels, LabelsError> {
        Labels::new(BTreeMap::from([(key.to_owned(), value.to_owned())]))
    }

    #[test]
    fn a_label_is_found_by_its_key() {
        let labels = labels("room", "lobby").expect("a label");
        assert_eq!(labels.get("room"), Some("lobby"));
        assert_eq!(labels.get("floor"), None);
    }

    #[test]
    fn what_a_filter_could_not_name_is_refused() {
        assert_eq!(labels("", "x"), Err(LabelsError::EmptyKey));
        assert_eq!(labels("a=b", "x"), Err(LabelsError::Equals("a=b".into())));
        assert_eq!(labels("a", "x\n"), Err(LabelsError::Control("a".into())));
        assert_eq!(
            labels("a", &"x".repeat(257)),
            Err(LabelsError::TooLong("a".into()))
        );
    }
}
