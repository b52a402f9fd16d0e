//! The benchmark of the log, which lies beside it.

use std::path::Path;
use std::process::{Command, ExitCode};

use super::finish;

pub(super) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let mut bench = Command::new(env!("CARGO"));
    bench.args(["bench", "--package", "feedwire-log", "--bench", "log"]);
    finish(bench.current_dir(root))
}
