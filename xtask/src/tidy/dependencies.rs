//! Dependencies are named once, in the workspace's manifest, each with its reason; and what is named is used.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::manifest::{Manifest, key_of};
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = not_inherited(tree);
    if let Some(root) = tree.root_manifest() {
        let used: BTreeSet<String> = tree
            .members()
            .flat_map(Manifest::dependencies)
            .map(|dependency| dependency.name)
            .collect();
        for entry in entries(&root.text) {
            findings.extend(
                fault(&entry, &used).map(|message| Finding::new(&root.path, entry.line, message)),
            );
        }
    }
    findings
}

fn not_inherited(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in tree.members() {
        for dependency in manifest
            .dependencies()
            .iter()
            .filter(|found| !found.is_inherited)
        {
            let message = format!(
                "`{0}` is not inherited; name it in the workspace's manifest and write `{0}.workspace = true`",
                dependency.name
            );
            findings.push(Finding::new(&manifest.path, dependency.line, message));
        }
    }
    findings
}

fn fault(entry: &Entry<'_>, used: &BTreeSet<String>) -> Option<String> {
    if !entry.has_reason {
        Some(format!(
            "`{}` has no reason; say in a comment why it is there",
            entry.name
        ))
    } else if !used.contains(entry.name) {
        Some(format!(
            "`{}` is used by no crate; remove the line",
            entry.name
        ))
    } else {
        None
    }
}

/// A dependency as it stands in the workspace's manifest.
#[derive(Debug)]
struct Entry<'a> {
    name: &'a str,
    line: usize,
    /// A comment on one of its lines, or on the line before it.
    has_reason: bool,
}

fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut found: Vec<Entry<'_>> = Vec::new();
    let mut in_section = false;
    let mut is_explained = false;
    let mut depth = 0_isize;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        let (code, comment) = split_comment(trimmed);
        let has_comment = !comment.trim_matches(['#', ' ']).is_empty();
        let is_outside = depth == 0;
        if is_outside && trimmed.starts_with('[') {
            in_section = code.trim() == "[workspace.dependencies]";
        } else if in_section {
            if let (true, Some(name)) = (is_outside, key_of(code)) {
                found.push(Entry {
                    name,
                    line: index + 1,
                    has_reason: has_comment || is_explained,
                });
            } else if let (false, Some(entry)) = (is_outside, found.last_mut()) {
                entry.has_reason |= has_comment;
            }
            depth += nesting(code);
        }
        is_explained = code.trim().is_empty() && has_comment;
    }
    found
}

/// Cuts a line at the `#` that opens its comment.
fn split_comment(line: &str) -> (&str, &str) {
    let mut in_string = false;
    let at = line.find(|c| {
        in_string ^= c == '"';
        c == '#' && !in_string
    });
    line.split_at(at.unwrap_or(line.len()))
}

fn nesting(code: &str) -> isize {
    code.chars()
        .map(|c| match c {
            '[' | '{' => 1,
            ']' | '}' => -1,
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::sample::findings;
    use super::*;

    const USER: &str = "[package]\nname = \"a\"\n[dependencies]\nbytes.workspace = true\n";

    fn check_root(dependencies: &str) -> Vec<String> {
        let root = format!("[workspace.dependencies]\n{dependencies}\n[profile.dev]\ndebug = 1\n");
        findings(
            check,
            &[("Cargo.toml", &root), ("crates/a/Cargo.toml", USER)],
        )
    }

    #[test]
    fn a_reason_may_stand_behind_before_or_within() {
        for text in [
            "bytes = \"1\" # shared buffers",
            "# shared buffers\nbytes = \"1\"",
            "bytes = { version = \"1\", features = [\n  \"serde\", # shared buffers\n] }",
        ] {
            assert!(
                check_root(text).is_empty(),
                "{text}: {:?}",
                check_root(text)
            );
        }
    }

    #[test]
    fn a_line_without_a_reason_is_found() {
        for text in [
            "bytes = \"1#2\"",
            "bytes = \"1\" #",
            "# of another section\n\nbytes = \"1\"",
        ] {
            assert_eq!(check_root(text).len(), 1, "{text}");
        }
        assert_eq!(
            check_root("bytes = \"1\""),
            ["Cargo.toml:2: `bytes` has no reason; say in a comment why it is there"]
        );
    }

    #[test]
    fn what_no_crate_uses_is_found() {
        assert_eq!(
            check_root("bytes = \"1\" # buffers\nhttp = \"1\" # types"),
            ["Cargo.toml:3: `http` is used by no crate; remove the line"]
        );
    }

    #[test]
    fn a_version_named_by_a_crate_is_found() {
        let member = "[package]\nname = \"a\"\n[dev-dependencies]\ninsta = \"1\"\n";
        assert_eq!(
            findings(check, &[("crates/a/Cargo.toml", member)]),
            [
                "crates/a/Cargo.toml:4: `insta` is not inherited; name it in the workspace's manifest and write `insta.workspace = true`"
            ]
        );
    }
}
