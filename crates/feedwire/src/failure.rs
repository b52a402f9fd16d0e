//! Telling why a command failed.

use std::process::ExitCode;

/// The exit code of a command that failed; clap's own for wrong usage is 2.
const FAILED: u8 = 1;

/// Writes what failed and, below it, what caused it to stderr.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("feedwire: {error}");
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let words = cause.to_string();
        // Some errors of libraries repeat their cause in their own words.
        if !said.ends_with(&words) {
            eprintln!("  because: {words}");
        }
        said = words;
    }
    ExitCode::from(FAILED)
}
