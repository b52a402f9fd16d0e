//! The files of the workspace that the rules look at, read once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::manifest::Manifest;

/// Folders that hold what was built or downloaded.
const SKIPPED_FOLDERS: &[&str] = &["target", "node_modules", "dist", "__pycache__"];

#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    texts: BTreeMap<String, String>,
    manifests: Vec<Manifest>,
}

impl Tree {
    /// Reads every Rust file, Markdown file and Cargo manifest below `root`; hidden folders are not looked into.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut texts = BTreeMap::new();
        read_folder(root, "", &mut texts)?;
        let manifests = texts
            .iter()
            .filter(|(path, _)| file_name(path) == "Cargo.toml")
            .map(|(path, text)| Manifest::parse(path, text))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            root: root.to_owned(),
            texts,
            manifests,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Path and text of every Rust file, sorted by path.
    pub(super) fn rust_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files_with("rs")
    }

    /// Path and text of every Markdown file, sorted by path.
    pub(super) fn markdown_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files_with("md")
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Whether anything, of any kind, is at this path.
    pub(super) fn holds(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// The manifest that opens the workspace.
    pub(super) fn root_manifest(&self) -> Option<&Manifest> {
        self.manifests
            .iter()
            .find(|manifest| manifest.path == "Cargo.toml")
    }

    /// The manifests of the workspace's own packages.
    pub(super) fn members(&self) -> impl Iterator<Item = &Manifest> {
        self.packages().filter(|manifest| {
            let folder = manifest.folder();
            matches!(folder, "benches" | "xtask") || folder.starts_with("crates/")
        })
    }

    /// Every manifest that describes a package, members or not.
    pub(super) fn packages(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests
            .iter()
            .filter(|manifest| manifest.package_name().is_some())
    }

    fn files_with(&self, extension: &'static str) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .filter(move |(path, _)| has_extension(path, extension))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// The last part of a path of the tree.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

pub(super) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|found| found == extension)
}

/// What precedes the last part of a path of the tree; empty at the root.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `folder/rest` with `.` and `..` resolved; `None` when it leaves the tree.
pub(super) fn join(folder: &str, rest: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(rest.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn read_folder(
    root: &Path,
    folder: &str,
    texts: &mut BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let full = root.join(folder);
    let entries = fs::read_dir(&full).with_context(|| format!("cannot list {}", full.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", full.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = join(folder, &name).expect("a file's name is not `..`");
        let kind = entry
            .file_type()
            .with_context(|| format!("cannot look at {path}"))?;
        if kind.is_dir() {
            if !name.starts_with('.') && !SKIPPED_FOLDERS.contains(&name.as_str()) {
                read_folder(root, &path, texts)?;
            }
        } else if name == "Cargo.toml" || has_extension(&name, "rs") || has_extension(&name, "md") {
            let text =
                fs::read_to_string(entry.path()).with_context(|| format!("cannot read {path}"))?;
            texts.insert(path, text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sample::tree_of;
    use super::*;

    #[test]
    fn built_and_hidden_folders_are_not_read() {
        let (_folder, tree) = tree_of(&[
            ("src/lib.rs", ""),
            ("target/debug/build.rs", ""),
            ("console/node_modules/a/README.md", ""),
            (".hidden/notes.md", ""),
        ]);
        let paths: Vec<&str> = tree.texts.keys().map(String::as_str).collect();
        assert_eq!(paths, ["src/lib.rs"]);
    }

    #[test]
    fn a_broken_manifest_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("Cargo.toml"), "[package\n").expect("written");
        let error = Tree::read(folder.path()).expect_err("not TOML");
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
    }

    #[test]
    fn joining_resolves_dots_and_refuses_to_leave() {
        assert_eq!(
            join("docs/internals", "../guide.md").as_deref(),
            Some("docs/guide.md")
        );
        assert_eq!(join("", "./a//b").as_deref(), Some("a/b"));
        assert_eq!(join("docs", "../../etc"), None);
    }
}
