//! The ids of an entity: names under which others know it.

use std::collections::HashSet;
use std::fmt;

use serde_json::value::RawValue;

use super::tree::Tree;
use crate::json::{self, Canonical};
use crate::limits::{ENTITY_IDS_BYTES_MAX, ENTITY_IDS_MAX};

/// Named ids: a JSON object of strings and numbers in canonical form.
#[derive(Clone, PartialEq, Eq)]
pub struct Ids(Canonical);

/// Why a JSON text is no ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdsError {
    /// It has no canonical form.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// It is something else than an object with members.
    #[error("ids are a JSON object with 1 to {ENTITY_IDS_MAX} members")]
    NotAnObject,
    /// A member is there twice.
    #[error("{0:?} is there twice")]
    Twice(String),
    /// The value of an id is something else than a string or a number.
    #[error("an id is a string or a number, {0:?} is not")]
    Value(String),
    /// It is too long.
    #[error("ids have at most {ENTITY_IDS_BYTES_MAX} bytes, these {0}")]
    TooLong(usize),
}

impl Ids {
    /// The ids that `raw` is.
    pub fn new(raw: &RawValue) -> Result<Self, IdsError> {
        Self::of(Canonical::new(raw)?)
    }

    /// The ids that `json` is.
    pub fn of(json: Canonical) -> Result<Self, IdsError> {
        let text = json.as_str();
        if text.len() > ENTITY_IDS_BYTES_MAX {
            return Err(IdsError::TooLong(text.len()));
        }
        let tree = Tree::of(text).ok_or(IdsError::NotAnObject)?;
        let ids = tree.root();
        if !ids.is_object() || !(1..=ENTITY_IDS_MAX).contains(&ids.values().count()) {
            return Err(IdsError::NotAnObject);
        }
        let mut seen = HashSet::new();
        for id in ids.values() {
            if !seen.insert(id.name()) {
                return Err(IdsError::Twice(id.name().into_owned()));
            }
            if !matches!(id.kind(), b'"' | b'-' | b'0'..=b'9') {
                return Err(IdsError::Value(id.name().into_owned()));
            }
        }
        Ok(Self(json))
    }

    /// The ids that the JSON `text` is.
    pub fn parse(text: &str) -> Result<Self, IdsError> {
        let raw = serde_json::from_str(text)
            .ok()
            .ok_or(IdsError::NotAnObject)?;
        Self::new(raw)
    }

    /// What were ids when they were written.
    pub fn written(text: &str) -> Option<Self> {
        text.starts_with('{')
            .then(|| Self(Canonical::written(text)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether they are the same as `other`, as JSON values.
    pub fn are(&self, other: &Self) -> bool {
        super::equal::are_equal(self.as_str(), other.as_str())
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Result<String, IdsError> {
        let raw = serde_json::from_str(text).expect("JSON");
        Ids::new(raw).map(|ids| ids.as_str().to_owned())
    }

    #[test]
    fn ids_are_strings_and_numbers_by_name() {
        let both = r#"{"account_no":7,"userid":"u"}"#;
        assert_eq!(ids(both).as_deref(), Ok(both));
        for other in ["{}", "[1]", "null"] {
            assert_eq!(ids(other), Err(IdsError::NotAnObject));
        }
        assert_eq!(ids(r#"{"a":1,"a":1}"#), Err(IdsError::Twice("a".into())));
        for value in ["null", "true", "{}", "[]"] {
            let text = format!("{{\"a\":{value}}}");
            assert_eq!(ids(&text), Err(IdsError::Value("a".into())));
        }
        let many = |count: usize| {
            let members = (0..count).map(|n| format!("\"{n}\":{n}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        assert!(ids(&many(ENTITY_IDS_MAX)).is_ok());
        assert_eq!(ids(&many(ENTITY_IDS_MAX + 1)), Err(IdsError::NotAnObject));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(ENTITY_IDS_BYTES_MAX));
        assert_eq!(ids(&long), Err(IdsError::TooLong(long.len())));
    }
}
