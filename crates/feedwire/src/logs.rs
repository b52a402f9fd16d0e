//! Where logs go: to stderr, so that stdout is the command's own.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging what `filter` asks for, or else what is the command's default.
pub(crate) fn start(filter: Option<&str>, default: &str) {
    let filter = EnvFilter::builder().parse_lossy(filter.unwrap_or(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
