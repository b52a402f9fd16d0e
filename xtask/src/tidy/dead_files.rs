//! A Rust file that no `mod` reaches is not compiled; it only looks as if it were.
//!
//! From the roots that Cargo knows (libraries, binaries, tests, examples, benches, build scripts) every `mod name;` and
//! `include!("…")` is followed the way rustc does it; what is left over is dead.

use std::collections::BTreeSet;

use toml::Value;

use super::finding::Finding;
use super::manifest::Manifest;
use super::source::{Kind, Token, tokens};
use super::tree::{Tree, file_name, folder, join};

/// Folders of a package in which each file, or each folder with a `main.rs`, is compiled by itself.
const FOLDERS_OF_ROOTS: &[&str] = &["src/bin", "tests", "examples", "benches"];

/// Sections of a manifest that may name a root by its path.
const SECTIONS_OF_ROOTS: &[&str] = &["lib", "bin", "test", "example", "bench"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let reached = reachable(tree);
    tree.rust_files()
        .filter(|(path, _)| !reached.contains(*path))
        .map(|(path, _)| {
            Finding::new(
                path,
                1,
                "no `mod` reaches this file; declare it or delete it",
            )
        })
        .collect()
}

fn reachable(tree: &Tree) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let roots: BTreeSet<String> = tree
        .packages()
        .flat_map(|package| roots(tree, package))
        .collect();
    let mut open: Vec<String> = roots.iter().cloned().collect();
    while let Some(path) = open.pop() {
        let Some(text) = tree.text(&path) else {
            continue;
        };
        if reached.insert(path.clone()) {
            open.extend(files_named_in(&path, text, roots.contains(&path)));
        }
    }
    reached
}

fn roots(tree: &Tree, package: &Manifest) -> Vec<String> {
    let inside = |path: &str| {
        let relative = if package.folder().is_empty() {
            path
        } else {
            path.strip_prefix(package.folder())?.strip_prefix('/')?
        };
        is_conventional_root(relative).then(|| path.to_owned())
    };
    let conventional = tree.rust_files().filter_map(|(path, _)| inside(path));
    conventional.chain(named_roots(package)).collect()
}

fn is_conventional_root(relative: &str) -> bool {
    let by_itself = |roots: &str| {
        let rest = relative
            .strip_prefix(roots)
            .and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|rest| match rest.split_once('/') {
            None => true,
            Some((_, inner)) => inner == "main.rs",
        })
    };
    matches!(relative, "src/lib.rs" | "src/main.rs" | "build.rs")
        || FOLDERS_OF_ROOTS.iter().any(|roots| by_itself(roots))
}

fn named_roots(package: &Manifest) -> Vec<String> {
    let sections = SECTIONS_OF_ROOTS
        .iter()
        .filter_map(|name| package.table.get(*name));
    let targets = sections.flat_map(|section| match section {
        Value::Array(targets) => targets.iter().collect(),
        single => vec![single],
    });
    let build = package
        .table
        .get("package")
        .and_then(|table| table.get("build"));
    targets
        .filter_map(|target| target.get("path"))
        .chain(build)
        .filter_map(Value::as_str)
        .filter_map(|path| join(package.folder(), path))
        .collect()
}

/// Every path that a file's declarations may mean; those that do not exist do no harm.
fn files_named_in(path: &str, text: &str, is_root: bool) -> Vec<String> {
    let beside = folder(path);
    let owns_folder = is_root || file_name(path) == "mod.rs";
    let below = if owns_folder {
        beside
    } else {
        path.trim_end_matches(".rs")
    };
    let mut found = Vec::new();
    for named in names_in(text) {
        let nest = named.nest.join("/");
        match named.what {
            What::Module(name) => {
                let within = join(below, &nest).unwrap_or_default();
                found.extend(join(&within, &format!("{name}.rs")));
                found.extend(join(&within, &format!("{name}/mod.rs")));
            }
            What::Path(file) if nest.is_empty() => found.extend(join(beside, file)),
            What::Path(file) => found.extend(join(&join(below, &nest).unwrap_or_default(), file)),
            What::Include(file) => found.extend(join(beside, file)),
        }
    }
    found
}

/// A declaration that makes another file part of this one, and the inline modules it stands in.
#[derive(Debug)]
struct Named<'a> {
    nest: Vec<&'a str>,
    what: What<'a>,
}

#[derive(Debug)]
enum What<'a> {
    /// `mod name;`
    Module(&'a str),
    /// `#[path = "file.rs"] mod name;`
    Path(&'a str),
    /// `include!("file.rs")`
    Include(&'a str),
}

fn names_in(text: &str) -> Vec<Named<'_>> {
    let code: Vec<Token<'_>> = tokens(text)
        .into_iter()
        .filter(|token| token.kind != Kind::Comment)
        .collect();
    let mut found = Vec::new();
    let mut inline: Vec<(&str, usize)> = Vec::new();
    let mut depth = 0_usize;
    let mut path = None;
    for (index, token) in code.iter().enumerate() {
        let ahead = |steps: usize| code.get(index + steps).map_or("", |next| next.text);
        let mut push = |what| {
            let nest = inline.iter().map(|(name, _)| *name).collect();
            found.push(Named { nest, what });
        };
        match (token.kind, token.text) {
            (Kind::Word, "path") if ahead(1) == "=" => path = Some(ahead(2)),
            (Kind::Word, "include") if ahead(1) == "!" => push(What::Include(ahead(3))),
            (Kind::Word, "mod") if ahead(2) == ";" => {
                push(
                    path.take()
                        .map_or_else(|| What::Module(ahead(1)), What::Path),
                );
            }
            (Kind::Word, "mod") if ahead(2) == "{" => inline.push((ahead(1), depth)),
            (Kind::Mark, "{") => depth += 1,
            (Kind::Mark, "}") => {
                depth = depth.saturating_sub(1);
                inline.pop_if(|(_, opened)| *opened == depth);
            }
            (Kind::Mark, ";") => path = None,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::sample::findings;
    use super::*;

    const PACKAGE: (&str, &str) = ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n");

    fn check_files(files: &[(&str, &str)]) -> Vec<String> {
        findings(check, &[&[PACKAGE], files].concat())
    }

    #[test]
    fn a_file_that_no_mod_reaches_is_found() {
        assert_eq!(
            check_files(&[
                ("crates/a/src/lib.rs", "mod read; // mod dead;\n"),
                ("crates/a/src/read.rs", ""),
                ("crates/a/src/dead.rs", ""),
            ]),
            ["crates/a/src/dead.rs:1: no `mod` reaches this file; declare it or delete it"]
        );
    }

    #[test]
    fn modules_are_followed_as_rustc_follows_them() {
        let files = [
            (
                "crates/a/src/lib.rs",
                "mod file; mod folder; mod inline { pub mod deep; }\n",
            ),
            ("crates/a/src/file.rs", "mod child;\n"),
            ("crates/a/src/file/child.rs", ""),
            (
                "crates/a/src/folder/mod.rs",
                "#[cfg(test)]\n#[path = \"odd_name.rs\"]\nmod tests;\n",
            ),
            (
                "crates/a/src/folder/odd_name.rs",
                "include!(\"table.rs\");\n",
            ),
            ("crates/a/src/folder/table.rs", ""),
            ("crates/a/src/inline/deep.rs", ""),
        ];
        assert!(check_files(&files).is_empty(), "{:?}", check_files(&files));
    }

    #[test]
    fn a_mod_after_an_inline_module_is_not_inside_it() {
        assert_eq!(
            check_files(&[
                (
                    "crates/a/src/lib.rs",
                    "mod inline { fn a() { } }\nmod after;\n"
                ),
                ("crates/a/src/after.rs", ""),
                ("crates/a/src/inline/after.rs", ""),
            ]),
            ["crates/a/src/inline/after.rs:1: no `mod` reaches this file; declare it or delete it"]
        );
    }

    #[test]
    fn what_cargo_compiles_by_itself_is_reached() {
        let manifest = "[package]\nname = \"f\"\n[[bin]]\nname = \"x\"\npath = \"targets/x.rs\"\n";
        let files = [
            ("fuzz/Cargo.toml", manifest),
            ("fuzz/targets/x.rs", ""),
            ("crates/a/build.rs", ""),
            ("crates/a/src/bin/tool.rs", ""),
            ("crates/a/tests/model/main.rs", "mod history;\n"),
            ("crates/a/tests/model/history.rs", ""),
            ("crates/a/examples/tour.rs", ""),
        ];
        assert!(check_files(&files).is_empty(), "{:?}", check_files(&files));
    }
}
