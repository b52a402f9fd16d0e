//! The project's chores, run as `cargo xtask <chore>`.
//!
//! `tidy` holds the rules of the house that neither rustc nor clippy can know. `test` runs every test suite there is, and
//! first installs what they need. `soak` runs for minutes what the tests run for seconds.

mod bench;
mod suites;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", about = "The project's chores", version)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Check the rules of the house: layers, headers, file lengths, comments, dead files, links
    Tidy,
    /// Measure, in a release build, beside the bare limits of the machine
    Bench(bench::Arguments),
    /// Run for minutes what the tests run for seconds
    #[command(subcommand)]
    Soak(suites::Soak),
    /// Install what the tests need and run all of them
    Test {
        /// Run one of the suites alone
        #[arg(long, value_enum)]
        only: Option<suites::Suite>,
    },
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the manifest of xtask lies one folder below the workspace");
    let outcome = match Arguments::parse().chore {
        Chore::Tidy => tidy::run(root),
        Chore::Bench(arguments) => bench::run(root, &arguments),
        Chore::Soak(soak) => suites::soak(root, soak),
        Chore::Test { only } => suites::run(root, only),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
