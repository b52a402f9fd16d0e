//! `docs/performance.md`: the tables of a run take the place of those that stand there.
//!
//! Each table stands between two marks, `<!-- tables of NAME -->` and `<!-- end of NAME -->`; what is written around them stays.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

const DOCUMENT: &str = "docs/performance.md";

/// Tables by the names of their marks.
pub(super) type Tables = Vec<(String, String)>;

/// Puts `tables` into the document, under the day and the machine.
pub(super) fn write(root: &Path, tables: &Tables) -> anyhow::Result<()> {
    let path = root.join(DOCUMENT);
    let document = fs::read_to_string(&path).context("cannot read docs/performance.md")?;
    let machine = machine()?;
    let written = tables
        .iter()
        .try_fold(document, |document, (name, table)| {
            replace(&document, name, &format!("{machine}\n\n{}", table.trim()))
        })?;
    fs::write(&path, written).context("cannot write docs/performance.md")
}

fn replace(document: &str, name: &str, text: &str) -> anyhow::Result<String> {
    let (start, end) = (
        format!("<!-- tables of {name} -->"),
        format!("<!-- end of {name} -->"),
    );
    let parts = document.split_once(&start).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let (before, after) = parts.with_context(|| format!("{DOCUMENT} has no place for {name}"))?;
    Ok(format!("{before}{start}\n\n{text}\n\n{end}{after}"))
}

/// The day, and what the figures depend on that can be asked of the machine.
fn machine() -> anyhow::Result<String> {
    let read = |path: &str| fs::read_to_string(path).with_context(|| format!("cannot read {path}"));
    let field = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let (_, value) = line.split_once(':')?;
        Some(value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().context("cannot count the cores")?;
    let model = field(&read("/proc/cpuinfo")?, "model name").context("no name of a processor")?;
    let memory = field(&read("/proc/meminfo")?, "MemTotal").context("no size of memory")?;
    let kib: u64 = memory.trim_end_matches(" kB").parse().context("no size")?;
    let (day, kernel) = (print("date", &["-u", "+%F"])?, print("uname", &["-r"])?);
    let gib = kib.div_ceil(1024 * 1024);
    Ok(format!(
        "{day}, {cores} cores of {model}, {gib} GiB, Linux {kernel}."
    ))
}

fn print(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("{program} cannot be started"))?;
    ensure!(output.status.success(), "{program} failed");
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_take_the_place_of_those_before_and_of_nothing_else() {
        let document =
            "a\n<!-- tables of log -->\nold\n<!-- end of log -->\nb\n<!-- tables of http -->\n";
        let written = replace(document, "log", "new").expect("it has a place");
        assert_eq!(
            written,
            "a\n<!-- tables of log -->\n\nnew\n\n<!-- end of log -->\nb\n<!-- tables of http -->\n"
        );
        assert_eq!(replace(&written, "log", "new").expect("again"), written);
    }

    #[test]
    fn tables_without_a_place_are_refused() {
        let document = "<!-- tables of log -->\n";
        for name in ["log", "idle"] {
            assert!(replace(document, name, "new").is_err(), "{name}");
        }
    }
}
