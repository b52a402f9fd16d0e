//! Telling why a command failed.

use std::error::Error;
use std::process::ExitCode;

use feedwire_client::{FollowError, JoinError, KeptError, Problem, PublishError, Stop};

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
    if let Some(hint) = error.chain().find_map(problem).and_then(hint) {
        eprintln!("  hint: {hint}");
    }
    ExitCode::from(FAILED)
}

/// What the server said, where `cause` is that it refused.
fn problem<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a Problem> {
    // Errors that are another's by their words are not in the chain as the other.
    let request = if let Some(PublishError::Refused(error)) = cause.downcast_ref() {
        Some(error)
    } else if let Some(Stop::Publish(PublishError::Refused(error))) = cause.downcast_ref() {
        Some(error)
    } else if let Some(FollowError::Refused(error)) = cause.downcast_ref() {
        Some(error)
    } else if let Some(KeptError::Follow(FollowError::Refused(error))) = cause.downcast_ref() {
        Some(error)
    } else if let Some(JoinError::Refused(error)) = cause.downcast_ref() {
        Some(error)
    } else {
        cause.downcast_ref()
    };
    request.and_then(feedwire_client::Error::problem)
}

/// What helps where it is not known who asks, or they may not.
fn hint(problem: &Problem) -> Option<&'static str> {
    match problem.kind() {
        "unauthorized" => Some(
            "say who asks with --token-file FILE, or with a token in the environment as FEEDWIRE_TOKEN",
        ),
        "invalid-credential" | "token-expired" => Some(
            "the token is the one in the file of --token-file, or else that in the environment as FEEDWIRE_TOKEN",
        ),
        "forbidden" => Some(
            "whoever administers the project sees what a credential may do with `feedwire key show`, and changes it with \
             `feedwire key change`",
        ),
        _ => None,
    }
}
