//! What is shown of a change: the part of the new state that changed.

use std::collections::{BTreeMap, BTreeSet};

use super::merge::Writer;
use super::tree::{Tree, Value};
use super::{ChangeText, pointer};

/// What is shown of a member.
#[derive(Debug)]
enum Shown {
    /// That it is there no more, or all of it where it took the place of the one before.
    Removed,
    /// All of it, or some of its members.
    Part(Part),
}

/// What is shown of a value.
#[derive(Debug, Default)]
struct Part {
    /// Everything that is not among the members.
    is_whole: bool,
    /// Of an object, by name.
    members: BTreeMap<String, Shown>,
}

impl Part {
    /// Has `pointer` shown, or what it is in at `depth` members.
    fn add(&mut self, pointer: &str, depth: usize, removed: bool) {
        let steps: Vec<String> = pointer::steps(pointer).collect();
        let is_cut = steps.len() > depth;
        let Some((last, way)) = steps[..steps.len().min(depth)].split_last() else {
            self.is_whole = true;
            return;
        };
        let mut part = self;
        for step in way {
            let inner = part.members.entry(step.clone());
            match inner.or_insert_with(|| Shown::Part(Self::default())) {
                Shown::Part(inner) => part = inner,
                Shown::Removed => return,
            }
        }
        if removed && !is_cut {
            part.members.insert(last.clone(), Shown::Removed);
            return;
        }
        let shown = part.members.entry(last.clone());
        if let Shown::Part(part) = shown.or_insert_with(|| Shown::Part(Self::default())) {
            part.is_whole = true;
        }
    }

    fn write(&self, value: Value<'_>, is_in_whole: bool, out: &mut Vec<u8>) {
        let is_whole = self.is_whole || is_in_whole;
        if is_whole && self.members.is_empty() {
            out.extend_from_slice(value.text().as_bytes());
            return;
        }
        let removed = (self.members.iter()).filter(|(_, shown)| matches!(shown, Shown::Removed));
        let mut gone: BTreeSet<&str> = removed.map(|(name, _)| &**name).collect();
        let mut object = Writer::new(out);
        for value in value.values().filter(|_| value.is_object()) {
            let name = value.name();
            match self.members.get(&*name) {
                None if !is_whole => {}
                Some(Shown::Part(part)) => part.write(value, is_whole, object.name(&name)),
                None | Some(Shown::Removed) => {
                    gone.remove(&*name);
                    let out = object.name(&name);
                    out.extend_from_slice(value.text().as_bytes());
                }
            }
        }
        for name in gone {
            object.name(name).extend_from_slice(b"null");
        }
        object.end();
    }
}

impl ChangeText<'_> {
    /// Appends what changed of `state`, the state with the change, as an object: of nested objects down to `depth` members only those
    /// that changed, deeper ones whole; what was removed is null.
    ///
    /// An object that the lists name instead of what changed in it is whole, with null for what they name as removed from it. Whoever
    /// takes away what is removed, and then merges this into what is left, has the state.
    pub fn write_changed(&self, state: &str, depth: usize, out: &mut Vec<u8>) {
        let mut part = Part::default();
        for (list, removed) in [(self.changed, false), (self.removed, true)] {
            for pointer in pointer::read_list(list) {
                part.add(&pointer, depth, removed);
            }
        }
        match Tree::of(state) {
            Some(state) => part.write(state.root(), false, out),
            None => out.extend_from_slice(b"{}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::{ChangeKind, Difference, State};
    use super::*;
    use crate::limits::{DIFFERENCE_BYTES_MAX, ENTITY_HEAD_BYTES_MAX, EVENT_BYTES_MAX};

    fn state(text: &str) -> State {
        State::parse(text).expect("a state")
    }

    fn shown(old: &str, new: &str, depth: usize) -> String {
        let difference = Difference::between(&state(old), &state(new));
        shown_of(&difference, new, depth)
    }

    fn shown_of(difference: &Difference, new: &str, depth: usize) -> String {
        let lists = difference
            .lists()
            .map(|list| String::from_utf8(list).expect("ASCII"));
        let [changed, removed] = &lists;
        let change = ChangeText {
            kind: ChangeKind::Update,
            at: None,
            ids: "",
            changed,
            removed,
        };
        let mut out = Vec::new();
        change.write_changed(new, depth, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    const OLD: &str = r#"{"a":1,"b":{"c":1,"d":{"e":1,"f":2}},"g":3,"h":4}"#;
    const NEW: &str = r#"{"a":1,"b":{"c":1,"d":{"e":2},"i":null},"h":null}"#;

    #[test]
    fn the_changed_members_alone_are_shown_and_removed_ones_are_null() {
        let whole = r#"{"b":{"d":{"e":2,"f":null},"i":null},"h":null,"g":null}"#;
        assert_eq!(shown(OLD, NEW, 8), whole);
    }

    #[test]
    fn what_is_deeper_than_is_shown_is_shown_whole() {
        let one = r#"{"b":{"c":1,"d":{"e":2},"i":null},"h":null,"g":null}"#;
        assert_eq!(shown(OLD, NEW, 1), one);
        let two = r#"{"b":{"d":{"e":2},"i":null},"h":null,"g":null}"#;
        assert_eq!(shown(OLD, NEW, 2), two);
    }

    #[test]
    fn nothing_is_shown_of_what_is_the_same() {
        assert_eq!(shown(OLD, OLD, 8), "{}");
    }

    #[test]
    fn what_has_no_room_in_the_lists_is_shown_whole_with_what_is_gone() {
        let check = |bytes_max: usize, removed: &[&str], shown: &str| {
            let difference = Difference::within(bytes_max, &state(OLD), &state(NEW));
            assert_eq!(difference.removed, removed, "{bytes_max}");
            assert_eq!(shown_of(&difference, NEW, 8), shown, "{bytes_max}");
        };
        let inner = r#"{"b":{"c":1,"d":{"e":2,"f":null},"i":null},"h":null,"g":null}"#;
        check(17, &["/b/d/f", "/g"], inner);
        let outer = r#"{"b":{"c":1,"d":{"e":2},"i":null},"h":null,"g":null}"#;
        check(14, &["/b/d", "/g"], outer);
        let whole = r#"{"a":1,"b":{"c":1,"d":{"e":2},"i":null},"h":null}"#;
        check(0, &[""], whole);
    }

    #[test]
    fn a_state_of_any_size_has_room_for_what_changed() {
        let check = |new: &dyn Fn(u8) -> String, shown: &str| {
            let (old, new) = (new(1), new(2));
            let difference = Difference::between(&state(&old), &state(&new));
            let bytes: usize = difference.lists().iter().map(Vec::len).sum();
            let most = EVENT_BYTES_MAX.saturating_sub(new.len() + ENTITY_HEAD_BYTES_MAX);
            assert!(bytes <= most.clamp(4, 2 * DIFFERENCE_BYTES_MAX), "{bytes}");
            assert_eq!(difference.changed, [shown]);
            assert_eq!(difference.removed, [""; 0]);
        };
        let many = |value: u8| (0..20_000).map(move |name| format!("\"{name}\":{value}"));
        let many = |value: u8| many(value).collect::<Vec<_>>().join(",");
        check(&|value| format!("{{\"a\":{{{}}}}}", many(value)), "/a");
        check(&|value| format!("{{{}}}", many(value)), "");
        let long = "x".repeat(DIFFERENCE_BYTES_MAX);
        check(&|value| format!("{{\"{long}\":{{{}}}}}", many(value)), "");
        let full = "x".repeat(EVENT_BYTES_MAX - 100);
        check(&|value| format!("{{\"a\":{value},\"b\":\"{full}\"}}"), "");
    }

    /// What a reader has who had `old` and is told `shown` and `removed`.
    fn told(mut old: Value, shown: &Value, removed: &[String]) -> Value {
        for pointer in removed {
            let Some((object, name)) = pointer.rsplit_once('/') else {
                old = Value::Object(serde_json::Map::new());
                continue;
            };
            let name = name.replace("~1", "/").replace("~0", "~");
            if let Some(Value::Object(object)) = old.pointer_mut(object) {
                object.remove(&name);
            }
        }
        merge(&mut old, shown, "", removed);
        old
    }

    fn merge(target: &mut Value, shown: &Value, at: &str, removed: &[String]) {
        let Value::Object(shown) = shown else {
            target.clone_from(shown);
            return;
        };
        if !target.is_object() {
            *target = Value::Object(serde_json::Map::new());
        }
        for (name, shown) in shown {
            let mut at = at.to_owned();
            pointer::push(&mut at, name);
            if !(shown.is_null() && removed.contains(&at)) {
                merge(&mut target[name], shown, &at, removed);
            }
        }
    }

    fn members(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
        let name = prop::sample::select(vec!["a", "b", "", "/~\u{e9}"]);
        prop::collection::btree_map(name, value, 0..4).prop_map(|members| {
            let members = members.into_iter();
            members
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        })
    }

    fn object() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            (0..2_u8).prop_map(Value::from),
            Just(serde_json::json!([])),
        ];
        let shallow = prop_oneof![1 => leaf.clone(), 3 => members(leaf.clone())];
        members(prop_oneof![1 => leaf, 3 => members(shallow)])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_024))]

        #[test]
        fn whoever_had_the_state_before_has_it_with_what_is_shown(
            old in object(), new in object(), bytes_max in 0..60_usize,
        ) {
            let [before, after] = [&old, &new].map(|value| state(&value.to_string()));
            let difference = Difference::within(bytes_max, &before, &after);
            prop_assert!(difference.lists().iter().all(|list| list.len() <= bytes_max.max(4)));
            prop_assert_eq!(difference.is_empty(), old == new);
            let shown = shown_of(&difference, after.as_str(), 8);
            let shown = serde_json::from_str(&shown).expect("JSON");
            prop_assert_eq!(told(old, &shown, &difference.removed), new);
        }
    }
}
