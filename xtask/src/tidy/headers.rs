//! Every Rust file opens with a `//!` sentence that says what lives in it.

use super::finding::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust_files()
        .filter(|(_, text)| !opens_with_sentence(text))
        .map(|(path, _)| {
            Finding::new(
                path,
                1,
                "has no header; open with `//! What lives in this file.`",
            )
        })
        .collect()
}

/// The first paragraph of the header has to be there and to end as a sentence does.
fn opens_with_sentence(text: &str) -> bool {
    let paragraph: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    paragraph
        .last()
        .is_some_and(|line| line.ends_with(['.', ':', '?', '!', ')']))
}

#[cfg(test)]
mod tests {
    use super::super::sample::findings;
    use super::*;

    #[test]
    fn a_file_that_opens_with_a_sentence_is_in_order() {
        let text = "//! The place of an event in its log,\n//! from 1.\n//!\n//! More\n\nmod a;\n";
        assert!(findings(check, &[("src/lib.rs", text)]).is_empty());
    }

    #[test]
    fn no_header_a_late_one_and_an_empty_one_are_found() {
        for text in [
            "",
            "use a;\n//! Late.\n",
            "//!\n//! After a gap.\n",
            "//! No sentence\n",
        ] {
            assert_eq!(
                findings(check, &[("src/lib.rs", text)]),
                ["src/lib.rs:1: has no header; open with `//! What lives in this file.`"],
                "{text:?}"
            );
        }
    }
}
