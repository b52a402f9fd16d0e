//! A Rust file that is too long holds two concepts.

use super::finding::Finding;
use super::tree::Tree;

/// About 150 lines are wanted and under 500 are usual; beyond this no reason is good enough.
const FILE_LINES_MAX: usize = 600;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust_files()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(path, lines)| {
            let message = format!(
                "is {lines} lines long; {FILE_LINES_MAX} is the most, give each concept a file"
            );
            Finding::new(path, FILE_LINES_MAX + 1, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::findings;
    use super::*;

    #[test]
    fn the_longest_file_allowed_is_in_order_and_one_more_line_is_not() {
        let longest = "\n".repeat(FILE_LINES_MAX);
        let longer = "\n".repeat(FILE_LINES_MAX + 1);
        assert_eq!(
            findings(check, &[("a.rs", &longest), ("b.rs", &longer)]),
            ["b.rs:601: is 601 lines long; 600 is the most, give each concept a file"]
        );
    }
}
