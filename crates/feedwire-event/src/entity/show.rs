//! What is shown of a change: the part of the new state that changed.

use std::collections::BTreeMap;

use super::members;
use super::merge::Writer;
use super::{ChangeText, pointer};

/// What is shown of a member, and of the members in it.
#[derive(Debug)]
enum Shown {
    /// It is shown as it is now.
    Whole,
    /// It is not there any more.
    Removed,
    /// Some of its members are.
    Part(Part),
}

/// Of an object, by the names of its members.
#[derive(Debug, Default)]
struct Part(BTreeMap<String, Shown>);

impl Part {
    /// Has `pointer` shown, or what it is in at `depth` members.
    fn add(&mut self, pointer: &str, depth: usize, removed: bool) {
        let steps: Vec<String> = pointer::steps(pointer).collect();
        let is_cut = steps.len() > depth;
        let Some((last, way)) = steps[..steps.len().min(depth)].split_last() else {
            return;
        };
        let mut part = self;
        for step in way {
            let inner = part.0.entry(step.clone());
            match inner.or_insert_with(|| Shown::Part(Self::default())) {
                Shown::Part(inner) => part = inner,
                Shown::Whole | Shown::Removed => return,
            }
        }
        let shown = if removed && !is_cut {
            Shown::Removed
        } else {
            Shown::Whole
        };
        part.0.insert(last.clone(), shown);
    }

    fn write(&self, state: &str, out: &mut Vec<u8>) {
        let mut object = Writer::new(out);
        let members = members::of_object(state).map_or(Vec::new(), |members| members.0);
        for (name, value) in members {
            match self.0.get(&*name) {
                None | Some(Shown::Removed) => {}
                Some(Shown::Whole) => object.name(&name).extend_from_slice(value.as_bytes()),
                Some(Shown::Part(part)) => part.write(value, object.name(&name)),
            }
        }
        for (name, shown) in &self.0 {
            if let Shown::Removed = shown {
                object.name(name).extend_from_slice(b"null");
            }
        }
        object.end();
    }
}

impl ChangeText<'_> {
    /// Appends what changed of `state`, the state with the change, as an object: of nested objects down to `depth` members only those
    /// that changed, deeper ones whole; what was removed is null.
    pub fn write_changed(&self, state: &str, depth: usize, out: &mut Vec<u8>) {
        let mut part = Part::default();
        for (list, removed) in [(self.changed, false), (self.removed, true)] {
            for pointer in pointer::read_list(list) {
                part.add(&pointer, depth, removed);
            }
        }
        part.write(state, out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ChangeKind, Difference, State};
    use super::*;

    fn shown(old: &str, new: &str, depth: usize) -> String {
        let state = |text: &str| {
            let raw = serde_json::from_str(text).expect("JSON");
            State::new(raw).expect("a state")
        };
        let difference = Difference::between(&state(old), &state(new));
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
}
