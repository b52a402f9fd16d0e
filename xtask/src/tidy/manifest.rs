//! A Cargo manifest, as far as the rules need it.

use anyhow::Context as _;
use toml::{Table, Value};

use super::tree::folder;

#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) table: Table,
}

/// One line of a manifest that makes a package depend on another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// Needed by tests, examples and benches only.
    pub(super) is_dev: bool,
    /// Whether version and features come from the workspace's manifest.
    pub(super) is_inherited: bool,
    pub(super) line: usize,
}

impl Manifest {
    pub(super) fn parse(path: &str, text: &str) -> anyhow::Result<Self> {
        let table = text
            .parse()
            .with_context(|| format!("{path} is not valid TOML"))?;
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            table,
        })
    }

    pub(super) fn folder(&self) -> &str {
        folder(&self.path)
    }

    pub(super) fn package_name(&self) -> Option<&str> {
        self.table.get("package")?.get("name")?.as_str()
    }

    /// Normal, build and dev dependencies, those of single targets included.
    pub(super) fn dependencies(&self) -> Vec<Dependency> {
        let targets = self.table.get("target").and_then(Value::as_table);
        let tables = targets
            .into_iter()
            .flat_map(Table::values)
            .filter_map(Value::as_table);
        std::iter::once(&self.table)
            .chain(tables)
            .flat_map(|table| self.dependencies_in(table))
            .collect()
    }

    fn dependencies_in(&self, table: &Table) -> Vec<Dependency> {
        ["dependencies", "build-dependencies", "dev-dependencies"]
            .iter()
            .filter_map(|section| Some((*section, table.get(*section)?.as_table()?)))
            .flat_map(|(section, entries)| {
                entries.iter().map(move |(name, value)| Dependency {
                    name: name.clone(),
                    is_dev: section == "dev-dependencies",
                    is_inherited: value.get("workspace").and_then(Value::as_bool) == Some(true),
                    line: self.line_of(section, name),
                })
            })
            .collect()
    }

    /// The line on which `name` stands in a section; 1 when it is written in a way that this does not recognise.
    fn line_of(&self, section: &str, name: &str) -> usize {
        let mut in_section = false;
        for (index, line) in self.text.lines().enumerate() {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                let header = header.trim_end_matches(']');
                if header.ends_with(&format!("{section}.{name}")) {
                    return index + 1;
                }
                in_section = header == section || header.ends_with(&format!(".{section}"));
            } else if in_section && key_of(line) == Some(name) {
                return index + 1;
            }
        }
        1
    }
}

/// The first part of the key that a line sets: `serde` of `serde.workspace = true`.
pub(super) fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim().trim_matches('"');
    let key = key.split('.').next().unwrap_or(key);
    (!key.is_empty() && !key.starts_with('#')).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_of_every_kind_are_seen_with_their_lines() {
        let text = "\
[package]
name = \"a\"

[dependencies]
bytes.workspace = true
serde = { workspace = true, features = [\"rc\"] }

[dev-dependencies]
bytes = \"1\"

[target.'cfg(unix)'.dependencies]
rustix.workspace = true
";
        let manifest = Manifest::parse("crates/a/Cargo.toml", text).expect("valid");
        let seen: Vec<(String, bool, bool, usize)> = manifest
            .dependencies()
            .into_iter()
            .map(|found| (found.name, found.is_dev, found.is_inherited, found.line))
            .collect();
        assert_eq!(
            seen,
            [
                ("bytes".to_owned(), false, true, 5),
                ("serde".to_owned(), false, true, 6),
                ("bytes".to_owned(), true, false, 9),
                ("rustix".to_owned(), false, true, 12),
            ]
        );
    }
}
