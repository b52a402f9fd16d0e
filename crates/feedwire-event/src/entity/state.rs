//! The state of an entity: a JSON object in canonical form.

use std::collections::HashSet;
use std::fmt;

use serde_json::value::RawValue;

use super::pointer;
use super::tree::{Tree, Value};
use crate::json::{self, Canonical};

/// A JSON object in canonical form, in which no member comes twice.
#[derive(Clone, PartialEq, Eq)]
pub struct State(Canonical);

/// Why a JSON text is no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It has no canonical form.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// It is something else than an object.
    #[error("a state is a JSON object")]
    NotAnObject,
    /// An object has a member twice: which of them is meant cannot be known.
    #[error("{0:?} is there twice")]
    Twice(String),
}

impl State {
    /// The state that `raw` is.
    pub fn new(raw: &RawValue) -> Result<Self, StateError> {
        Self::of(Canonical::new(raw)?)
    }

    /// The state that `json` is.
    pub fn of(json: Canonical) -> Result<Self, StateError> {
        if !json.as_str().starts_with('{') {
            return Err(StateError::NotAnObject);
        }
        match twice(json.as_str()) {
            Some(at) => Err(StateError::Twice(at)),
            None => Ok(Self(json)),
        }
    }

    /// The state that the JSON `text` is.
    pub fn parse(text: &str) -> Result<Self, StateError> {
        let raw = serde_json::from_str(text)
            .ok()
            .ok_or(StateError::NotAnObject)?;
        Self::new(raw)
    }

    /// What was a state when it was written: canonical JSON that is not looked at again.
    pub fn written(text: &str) -> Option<Self> {
        let json = Canonical::written(text);
        text.starts_with('{').then(|| Self(json))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The same as any JSON value.
    pub fn into_json(self) -> Canonical {
        self.0
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The pointer to a member of the canonical JSON `text`, or of what is in it, that is there twice.
pub(super) fn twice(text: &str) -> Option<String> {
    let tree = Tree::of(text)?;
    let mut objects = tree.values().filter(|value| value.is_object());
    let member = objects.find_map(|object| {
        let mut seen = HashSet::new();
        object.values().find(|member| !seen.insert(member.name()))
    })?;
    Some(pointer_to(&tree, member))
}

fn pointer_to(tree: &Tree<'_>, value: Value<'_>) -> String {
    let (mut at, mut pointer) = (tree.root(), String::new());
    while !at.is(value) {
        let inner = at
            .values()
            .enumerate()
            .find(|(_, inner)| inner.holds(value));
        let Some((index, inner)) = inner else { break };
        if at.is_object() {
            pointer::push(&mut pointer, &inner.name());
        } else {
            pointer::push(&mut pointer, &index.to_string());
        }
        at = inner;
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(text: &str) -> Result<String, StateError> {
        let raw = serde_json::from_str(text).expect("JSON");
        State::new(raw).map(|state| state.as_str().to_owned())
    }

    #[test]
    fn a_state_is_an_object_with_each_member_once() {
        assert_eq!(
            state("{ \"a\" : [ 1.0 ] }").as_deref(),
            Ok(r#"{"a":[1.0]}"#)
        );
        for other in ["[]", "null", "1", "\"{}\""] {
            assert_eq!(state(other), Err(StateError::NotAnObject));
        }
        let twice = |text: &str, at: &str| {
            assert_eq!(state(text), Err(StateError::Twice(at.to_owned())));
        };
        twice(r#"{"a":1,"b":2,"a":1}"#, "/a");
        twice(r#"{"a":1,"\u0061":1}"#, "/a");
        twice(r#"{"a":[0,{"b/c":1,"b/c":2}]}"#, "/a/1/b~1c");
    }

    #[test]
    fn what_has_no_canonical_form_is_no_state() {
        let half = json::Error::LoneSurrogate { at: 6 };
        assert_eq!(state(r#"{"a":"\ud800"}"#), Err(half.into()));
    }
}
