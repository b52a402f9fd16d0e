//! Benchmarks, each in a release build and with the bare limits of the machine beside it.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::ValueEnum;

/// What can be measured.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Bench {
    /// The log: append, read, recover
    Log,
}

/// Builds and runs a benchmark; its tables go to standard output.
pub(crate) fn run(root: &Path, what: Bench) -> anyhow::Result<ExitCode> {
    let target = match what {
        Bench::Log => ["--package", "feedwire-log", "--bench", "log"],
    };
    let status = Command::new(env!("CARGO"))
        .arg("bench")
        .args(target)
        .current_dir(root)
        .status()
        .context("cargo bench cannot be started")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
