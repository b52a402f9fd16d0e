//! The folders of the dialects have one shape: what one keeps in `error.rs`, all do.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::tree::Tree;

const DIALECTS: &str = "crates/feedwire-dialects/src/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let folders = files_by_folder(tree);
    let names: BTreeSet<&str> = folders.values().flatten().copied().collect();
    names
        .into_iter()
        .flat_map(|name| check_name(&folders, name))
        .collect()
}

/// Folder of a dialect to the Rust files below it, named relative to it. Files beside the folders are of no dialect.
fn files_by_folder(tree: &Tree) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, _) in tree.rust_files() {
        let inside = path
            .strip_prefix(DIALECTS)
            .and_then(|rest| rest.split_once('/'));
        if let Some((folder, name)) = inside {
            folders.entry(folder).or_default().insert(name);
        }
    }
    folders
}

/// A file that most dialects have is missing from the rest; one that few have is theirs alone. Each is said once.
fn check_name(folders: &BTreeMap<&str, BTreeSet<&str>>, name: &str) -> Vec<Finding> {
    let (with, without): (Vec<&str>, Vec<&str>) = folders
        .keys()
        .partition(|folder| folders[*folder].contains(name));
    if with.len() >= without.len() {
        let missing = |folder| {
            let message = format!(
                "is missing, which {} has; dialects have the same files",
                with.join(", ")
            );
            Finding::new(&format!("{DIALECTS}{folder}/{name}"), 1, message)
        };
        without.into_iter().map(missing).collect()
    } else {
        let alone = |folder| {
            let message = format!(
                "is not in {}; dialects have the same files",
                without.join(", ")
            );
            Finding::new(&format!("{DIALECTS}{folder}/{name}"), 1, message)
        };
        with.into_iter().map(alone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::findings;
    use super::*;

    const A: &str = "crates/feedwire-dialects/src/a/error.rs";
    const B: &str = "crates/feedwire-dialects/src/b/error.rs";
    const C: &str = "crates/feedwire-dialects/src/c/error.rs";

    #[test]
    fn folders_of_one_shape_are_in_order_and_files_beside_them_do_not_count() {
        let beside = "crates/feedwire-dialects/src/lib.rs";
        assert!(findings(check, &[(A, ""), (B, ""), (beside, "")]).is_empty());
    }

    #[test]
    fn a_file_that_most_have_is_missed_in_the_others() {
        let request = "crates/feedwire-dialects/src/c/request.rs";
        assert_eq!(
            findings(check, &[(A, ""), (B, ""), (request, "")]),
            [
                "crates/feedwire-dialects/src/c/error.rs:1: is missing, which a, b has; dialects have the same files",
                "crates/feedwire-dialects/src/c/request.rs:1: is not in a, b; dialects have the same files",
            ]
        );
    }

    #[test]
    fn a_file_in_a_folder_of_a_dialect_counts_with_its_folder() {
        let nested = "crates/feedwire-dialects/src/a/frame/sse.rs";
        assert_eq!(
            findings(check, &[(A, ""), (B, ""), (C, ""), (nested, "")]),
            [
                "crates/feedwire-dialects/src/a/frame/sse.rs:1: is not in b, c; dialects have the same files"
            ]
        );
    }
}
