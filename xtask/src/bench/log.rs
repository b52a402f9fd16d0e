//! The benchmark of the log, which lies beside it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::Tables;

pub(super) fn run(root: &Path) -> anyhow::Result<Tables> {
    let mut bench = Command::new(env!("CARGO"))
        .args(["bench", "--package", "feedwire-log", "--bench", "log"])
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo cannot be started")?;
    let output = bench.stdout.take().context("it is piped")?;
    let mut tables = String::new();
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what the benchmark says")?;
        println!("{line}");
        tables = tables + &line + "\n";
    }
    let status = bench.wait().context("cannot wait for the benchmark")?;
    if !status.success() {
        bail!("the benchmark of the log failed ({status})");
    }
    Ok(vec![("log".to_owned(), tables)])
}
