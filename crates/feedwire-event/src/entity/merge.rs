//! JSON Merge Patch (RFC 7396), on texts: what a patch leaves alone keeps the text that it has.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde_json::value::RawValue;

use super::state::{StateError, twice};
use super::tree::{Tree, Value};
use crate::json::{Canonical, write_string};

/// A patch: a JSON value in canonical form, in which no member comes twice.
#[derive(Clone, PartialEq, Eq)]
pub struct Patch(Canonical);

impl Patch {
    /// The patch that `raw` is.
    pub fn new(raw: &RawValue) -> Result<Self, StateError> {
        let json = Canonical::new(raw)?;
        match twice(json.as_str()) {
            Some(at) => Err(StateError::Twice(at)),
            None => Ok(Self(json)),
        }
    }

    /// The canonical JSON `target` patched. What is not there is `null`.
    pub fn apply(&self, target: &str) -> String {
        let patch = self.0.as_str();
        let mut out = Vec::with_capacity(target.len() + patch.len());
        let patch = Tree::of(patch).expect("a patch is canonical JSON");
        let target = Tree::of(target);
        write_merged(target.as_ref().map(Tree::root), patch.root(), &mut out);
        String::from_utf8(out).expect("canonical JSON is ASCII")
    }
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Writes `target`, where there is any, patched with `patch`.
fn write_merged(target: Option<Value<'_>>, patch: Value<'_>, out: &mut Vec<u8>) {
    if !patch.is_object() {
        out.extend_from_slice(patch.text().as_bytes());
        return;
    }
    let mut object = Writer::new(out);
    let mut patches: HashMap<Cow<'_, str>, Value<'_>> = patch
        .values()
        .map(|member| (member.name(), member))
        .collect();
    let target = target.filter(|target| target.is_object());
    for member in target.iter().flat_map(|target| target.values()) {
        let name = member.name();
        match patches.remove(&*name) {
            None => {
                let out = object.name(&name);
                out.extend_from_slice(member.text().as_bytes());
            }
            Some(patch) if patch.text() == "null" => {}
            Some(patch) => write_merged(Some(member), patch, object.name(&name)),
        }
    }
    for member in patch.values() {
        let name = member.name();
        if member.text() != "null" && patches.contains_key(&*name) {
            write_merged(None, member, object.name(&name));
        }
    }
    object.end();
}

/// Writes the members of an object.
pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    is_first: bool,
}

impl<'o> Writer<'o> {
    /// Begins an object.
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self {
            out,
            is_first: true,
        }
    }

    /// Begins the member `name`; its value is to be appended to what is returned.
    pub(super) fn name(&mut self, name: &str) -> &mut Vec<u8> {
        self.out.push(if self.is_first { b'{' } else { b',' });
        self.is_first = false;
        write_string(name, self.out);
        self.out.push(b':');
        self.out
    }

    /// Ends the object.
    pub(super) fn end(self) {
        self.out
            .extend_from_slice(if self.is_first { b"{}" } else { b"}" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch_of(text: &str) -> Patch {
        Patch::new(serde_json::from_str(text).expect("JSON")).expect("a patch")
    }

    #[test]
    fn a_patch_has_each_member_once() {
        let raw = serde_json::from_str(r#"{"a":{"b":1,"b":null}}"#).expect("JSON");
        assert_eq!(Patch::new(raw), Err(StateError::Twice("/a/b".to_owned())));
    }

    #[test]
    fn the_examples_of_the_standard_come_out() {
        // RFC 7396, appendix A.
        let check = |target: &str, patch: &str, result: &str| {
            assert_eq!(
                patch_of(patch).apply(target),
                result,
                "{target} with {patch}"
            );
        };
        check(r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"a":null}"#, "{}");
        check(r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#);
        check(r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#);
        check(
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":"d","c":null}}"#,
            r#"{"a":{"b":"d"}}"#,
        );
        check(r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#);
        check(r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#);
        check(r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#);
        check(r#"{"a":"foo"}"#, "null", "null");
        check(r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#);
        check(r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#);
        check("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#);
        check("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#);
    }

    #[test]
    fn what_is_left_alone_keeps_its_text() {
        let target = r#"{"n":12345678901234567890.10,"s":"\u00e9\/"}"#;
        let merged = patch_of(r#"{"m":1.0}"#).apply(target);
        assert_eq!(
            merged,
            r#"{"n":12345678901234567890.10,"s":"\u00e9\/","m":1.0}"#
        );
    }
}
