//! Every package of the workspace takes the workspace's lints; without that line it would be held to none of them.

use super::finding::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.members()
        .filter(|manifest| {
            let inherited = manifest
                .table
                .get("lints")
                .and_then(|lints| lints.get("workspace"));
            inherited.and_then(toml::Value::as_bool) != Some(true)
        })
        .map(|manifest| {
            let message =
                "does not take the workspace's lints; add `[lints]` with `workspace = true`";
            Finding::new(&manifest.path, 1, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::findings;
    use super::*;

    #[test]
    fn a_member_without_the_lints_is_found() {
        let without = "[package]\nname = \"b\"\n";
        let with = format!("{without}[lints]\nworkspace = true\n");
        assert_eq!(
            findings(
                check,
                &[
                    ("crates/a/Cargo.toml", &with),
                    ("crates/b/Cargo.toml", without),
                    ("fuzz/Cargo.toml", without),
                ]
            ),
            [
                "crates/b/Cargo.toml:1: does not take the workspace's lints; add `[lints]` with `workspace = true`"
            ]
        );
    }
}
