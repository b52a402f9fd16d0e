//! Running the suites, one after the other, each with its output untouched.

use std::path::Path;
use std::process::ExitCode;

use clap::ValueEnum;

use super::client_tests;
use super::command::{Outcome, cargo};
use super::nextest;
use super::workspace::Workspace;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Unit, integration and documentation tests of the workspace
    Rust,
    /// Clients written by others, in other languages, against the built program
    Clients,
}

/// Runs one suite or all of them, up to the first that fails.
///
/// Nothing is printed after a suite's own last line, so that its summary is what stays on the screen.
pub(crate) fn run(root: &Path, only: Option<Suite>) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find(root)?;
    let wanted = |suite| only.is_none_or(|only| only == suite);
    if wanted(Suite::Rust) && rust_tests(&workspace)? == Outcome::Failed {
        return Ok(ExitCode::FAILURE);
    }
    if wanted(Suite::Clients) && client_tests::run(&workspace)? == Outcome::Failed {
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn rust_tests(workspace: &Workspace) -> anyhow::Result<Outcome> {
    // Random schedules need the lock of the tail to be the scheduler's, which no other test can live with.
    let schedules = [
        "run",
        "--package",
        "feedwire-core",
        "--features",
        "shuttle",
        "schedules",
    ];
    for arguments in [&["run", "--workspace"][..], &schedules] {
        let runner = nextest::find(workspace)?;
        let tests = runner
            .args(arguments)
            .current_dir(&workspace.root)
            .suite()?;
        if tests == Outcome::Failed {
            return Ok(tests);
        }
    }
    cargo()
        .args(["test", "--quiet", "--doc", "--workspace"])
        .current_dir(&workspace.root)
        .suite()
}
