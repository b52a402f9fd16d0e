//! Small trees in temporary folders for the tests of the rules.

use std::fs;

use tempfile::TempDir;

use super::finding::Finding;
use super::tree::Tree;

/// Writes the files (path, text) into a temporary folder and reads it; the folder goes when it is dropped.
pub(super) fn tree_of(files: &[(&str, &str)]) -> (TempDir, Tree) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let full = folder.path().join(path);
        fs::create_dir_all(full.parent().expect("a file lies in a folder")).expect("created");
        fs::write(full, text).expect("written");
    }
    let tree = Tree::read(folder.path()).expect("a readable tree");
    (folder, tree)
}

/// What a rule finds in these files, as it would be printed.
pub(super) fn findings(rule: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
    let (_folder, tree) = tree_of(files);
    rule(&tree).iter().map(Finding::to_string).collect()
}
