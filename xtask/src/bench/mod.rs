//! Benchmarks, each in a release build and with the bare limits of the machine beside it.

mod document;
mod http;
mod log;

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use document::Tables;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Put the tables into docs/performance.md, with the day and the machine
    #[arg(long)]
    document: bool,
    #[command(subcommand)]
    what: Option<Bench>,
}

/// What can be measured; all of it, unless it is named.
#[derive(Debug, Subcommand)]
enum Bench {
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

/// Builds and runs benchmarks; their tables go to standard output.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let tables = match &arguments.what {
        Some(Bench::Log) => log::run(root)?,
        Some(Bench::Http { options }) if arguments.document && is_trial(options) => {
            bail!("a quick trial is no measurement, and has no place in docs/performance.md")
        }
        Some(Bench::Http { options }) => http::run(root, options)?,
        None => [log::run(root)?, http::run(root, &[])?].concat(),
    };
    if arguments.document {
        document::write(root, &tables)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn is_trial(options: &[OsString]) -> bool {
    options.iter().any(|option| option == "--quick")
}

/// Runs `command` to its end, which has to be a good one.
fn finish(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().display().to_string();
    let status = command
        .status()
        .with_context(|| format!("{name} cannot be started"))?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}
