//! JSON Pointers (RFC 6901), and lists of them as JSON arrays.

use std::borrow::Cow;

use crate::json::write_string;

/// Appends the step into the member `name`.
pub(super) fn push(pointer: &mut String, name: &str) {
    pointer.push('/');
    for c in name.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// The names of the members that `pointer` goes through.
pub(super) fn steps(pointer: &str) -> impl Iterator<Item = String> + '_ {
    let steps = pointer.split('/').skip(1);
    steps.map(|step| step.replace("~1", "/").replace("~0", "~"))
}

/// Appends `pointers` as a JSON array; nothing where there are none.
pub(super) fn write_list(pointers: &[String], out: &mut Vec<u8>) {
    for (index, pointer) in pointers.iter().enumerate() {
        out.push(if index == 0 { b'[' } else { b',' });
        write_string(pointer, out);
    }
    if !pointers.is_empty() {
        out.push(b']');
    }
}

/// How many bytes `pointer` takes in such a list, with the sign behind it.
pub(super) fn written_bytes(pointer: &str) -> usize {
    let mut out = Vec::with_capacity(pointer.len() + 2);
    write_string(pointer, &mut out);
    out.len() + 1
}

/// The pointers of what [`write_list`] wrote.
pub(super) fn read_list(text: &str) -> Vec<Cow<'_, str>> {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_signs_of_their_own_come_back() {
        let names = ["a/b", "~1", "", "é"];
        let mut pointer = String::new();
        for name in names {
            push(&mut pointer, name);
        }
        assert_eq!(pointer, "/a~1b/~01//é");
        assert!(steps(&pointer).eq(names));
        let mut list = Vec::new();
        write_list(&[pointer.clone()], &mut list);
        let list = String::from_utf8(list).expect("ASCII");
        assert_eq!(list, "[\"/a~1b/~01//\\u00e9\"]");
        assert_eq!(read_list(&list), [pointer]);
        assert!(read_list("").is_empty());
    }
}
