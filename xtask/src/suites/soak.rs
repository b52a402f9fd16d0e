//! Tests that find more the longer they run: in the suites they take seconds, here as many minutes as somebody has.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::client_tests;
use super::command::Outcome;
use super::workspace::Workspace;

/// What can be run for long.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Soak {
    /// A stream whose members and server are killed at random
    Streams {
        /// For how long, in each of the two modes
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1440))]
        minutes: u32,
        /// What an earlier run said, to have the same killed again
        #[arg(long)]
        seed: Option<u32>,
    },
}

/// Runs `soak` to its end.
pub(crate) fn soak(root: &Path, soak: Soak) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find(root)?;
    let outcome = match soak {
        Soak::Streams { minutes, seed } => client_tests::kill_streams(&workspace, minutes, seed)?,
    };
    Ok(match outcome {
        Outcome::Passed => ExitCode::SUCCESS,
        Outcome::Failed => ExitCode::FAILURE,
    })
}
