//! How a state differs from the one before.

use std::borrow::Cow;
use std::collections::HashMap;

use super::equal::are_same;
use super::pointer;
use super::pointers::{Path, Pointers};
use super::tree::{Tree, Value};
use super::{DIFFERENCE_DEPTH, State};
use crate::limits::{DIFFERENCE_BYTES_MAX, ENTITY_HEAD_BYTES_MAX, EVENT_BYTES_MAX};

/// What is another in a state than in the one before, as JSON Pointers.
///
/// Neither list is longer than [`DIFFERENCE_BYTES_MAX`] as JSON, nor than an event with the state has room for. What would be longer names
/// fewer levels of members: the objects in which what it is about is, at last the state itself, whose pointer is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What is new or has another value, in the order of the new state; or objects in which there is such.
    pub changed: Vec<String>,
    /// What is no longer there, in the order of the old one; or objects from which something is gone, which are still there: the new
    /// ones take their place.
    pub removed: Vec<String>,
}

impl Difference {
    /// How `new` differs from `old`.
    pub fn between(old: &State, new: &State) -> Self {
        let room = EVENT_BYTES_MAX.saturating_sub(ENTITY_HEAD_BYTES_MAX + new.as_str().len());
        Self::within(DIFFERENCE_BYTES_MAX.min(room / 2), old, new)
    }

    /// The same in lists of at most so many bytes each, or of the state alone.
    pub(super) fn within(bytes_max: usize, old: &State, new: &State) -> Self {
        let mut found = Found {
            changed: Pointers::within(bytes_max),
            removed: Pointers::within(bytes_max),
        };
        let mut at = Path::default();
        match Tree::of(old.as_str()).zip(Tree::of(new.as_str())) {
            Some((old, new)) => found.look(old.root(), new.root(), &mut at),
            None if old == new => {}
            None => found.changed.push(&at),
        }
        Self {
            changed: found.changed.into_list(),
            removed: found.removed.into_list(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }

    /// How many bytes it takes in a record.
    pub fn bytes(&self) -> usize {
        self.lists().iter().map(Vec::len).sum()
    }

    /// What changed and what was removed, each a JSON array of pointers, or empty.
    pub(crate) fn lists(&self) -> [Vec<u8>; 2] {
        [&self.changed, &self.removed].map(|pointers| {
            let mut list = Vec::new();
            pointer::write_list(pointers, &mut list);
            list
        })
    }
}

/// What is found of a difference.
struct Found {
    changed: Pointers,
    removed: Pointers,
}

impl Found {
    fn look(&mut self, old: Value<'_>, new: Value<'_>, at: &mut Path) {
        // What is the same as text is passed over at once, as most is; no deeper than this are texts compared again.
        if old.text() == new.text() {
            return;
        }
        if at.depth() < DIFFERENCE_DEPTH && old.is_object() && new.is_object() {
            self.look_into(old, new, at);
        } else if !are_same(old, new) {
            self.changed.push(at);
        }
    }

    fn look_into(&mut self, old: Value<'_>, new: Value<'_>, at: &mut Path) {
        let mut olds: HashMap<Cow<'_, str>, Value<'_>> =
            old.values().map(|member| (member.name(), member)).collect();
        for member in new.values() {
            let name = member.name();
            at.enter(&name);
            match olds.remove(&*name) {
                Some(old) => self.look(old, member, at),
                None => self.changed.push(at),
            }
            at.leave();
        }
        if olds.is_empty() {
            return;
        }
        for member in old.values() {
            let name = member.name();
            if olds.contains_key(&*name) {
                at.enter(&name);
                self.removed.push(at);
                at.leave();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
        let state = |text: &str| {
            let raw = serde_json::from_str(text).expect("JSON");
            State::new(raw).expect("a state")
        };
        let Difference { changed, removed } = Difference::between(&state(old), &state(new));
        (changed, removed)
    }

    fn check(old: &str, new: &str, changed: &[&str], removed: &[&str]) {
        let owned =
            |pointers: &[&str]| pointers.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            between(old, new),
            (owned(changed), owned(removed)),
            "{old} to {new}"
        );
    }

    #[test]
    fn members_are_told_one_by_one_in_nested_objects_too() {
        check(r#"{"a":1,"b":2}"#, r#"{"b":2.0,"a":1}"#, &[], &[]);
        check(
            r#"{"a":1,"b":{"c":1,"d":2},"e":3}"#,
            r#"{"a":2,"b":{"c":1,"f":null},"g":4}"#,
            &["/a", "/b/f", "/g"],
            &["/b/d", "/e"],
        );
    }

    #[test]
    fn an_array_and_what_becomes_something_else_differ_as_a_whole() {
        check(r#"{"a":[1,2]}"#, r#"{"a":[1,3]}"#, &["/a"], &[]);
        check(r#"{"a":{"b":1}}"#, r#"{"a":null}"#, &["/a"], &[]);
        check(r#"{"a":null}"#, r#"{"a":{"b":1}}"#, &["/a"], &[]);
        check(r#"{"a":{"b":1}}"#, r#"{"a":{}}"#, &[], &["/a/b"]);
    }

    #[test]
    fn what_is_nested_too_deeply_differs_as_a_whole() {
        let nested = |depth: usize, value: u8| {
            format!("{}{value}{}", "{\"a\":".repeat(depth), "}".repeat(depth))
        };
        let whole = "/a".repeat(DIFFERENCE_DEPTH);
        for depth in [DIFFERENCE_DEPTH, DIFFERENCE_DEPTH + 3] {
            check(&nested(depth, 1), &nested(depth, 2), &[&whole], &[]);
        }
    }
}
