//! Benchmarks, each in a release build and with the bare limits of the machine beside it.

mod http;
mod log;

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use clap::Subcommand;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// The log: append, read, recover
    Log,
    /// The server over HTTP, with a load generator beside it; `http --help` says how
    #[command(disable_help_flag = true)]
    Http {
        /// Options of the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
}

/// Builds and runs a benchmark, or all of them; its tables go to standard output.
pub(crate) fn run(root: &Path, what: Option<Bench>) -> anyhow::Result<ExitCode> {
    match what {
        Some(Bench::Log) => log::run(root),
        Some(Bench::Http { options }) => http::run(root, &options),
        None => {
            let log = log::run(root)?;
            if log == ExitCode::SUCCESS {
                http::run(root, &[])
            } else {
                Ok(log)
            }
        }
    }
}

/// Runs `command` to its end.
fn finish(command: &mut Command) -> anyhow::Result<ExitCode> {
    let name = command.get_program().display().to_string();
    let status = command
        .status()
        .with_context(|| format!("{name} cannot be started"))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
