//! JSON Merge Patch (RFC 7396), on texts: what a patch leaves alone keeps the text that it has.

use std::collections::HashMap;
use std::fmt;

use serde_json::value::RawValue;

use super::members;
use super::state::{StateError, twice};
use crate::json::{Canonical, write_string};

/// A patch: a JSON value in canonical form, in which no member comes twice.
#[derive(Clone, PartialEq, Eq)]
pub struct Patch(Canonical);

impl Patch {
    /// The patch that `raw` is.
    pub fn new(raw: &RawValue) -> Result<Self, StateError> {
        let json = Canonical::new(raw)?;
        match twice(json.as_str(), &mut String::new()) {
            Some(at) => Err(StateError::Twice(at)),
            None => Ok(Self(json)),
        }
    }

    /// The canonical JSON `target` patched. What is not there is `null`.
    pub fn apply(&self, target: &str) -> String {
        let patch = self.0.as_str();
        let mut out = Vec::with_capacity(target.len() + patch.len());
        write_merged(target, patch, &mut out);
        String::from_utf8(out).expect("canonical JSON is ASCII")
    }
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn write_merged(target: &str, patch: &str, out: &mut Vec<u8>) {
    let Some(patch) = members::of_object(patch) else {
        out.extend_from_slice(patch.as_bytes());
        return;
    };
    let target = members::of_object(target).map_or(Vec::new(), |members| members.0);
    let mut object = Writer::new(out);
    let mut patches: HashMap<&str, &str> = (patch.0.iter())
        .map(|(name, patch)| (&**name, *patch))
        .collect();
    for (name, value) in &target {
        match patches.remove(&**name) {
            None => object.name(name).extend_from_slice(value.as_bytes()),
            Some("null") => {}
            Some(patch) => write_merged(value, patch, object.name(name)),
        }
    }
    for (name, patch) in &patch.0 {
        if *patch != "null" && patches.contains_key(&**name) {
            write_merged("null", patch, object.name(name));
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
