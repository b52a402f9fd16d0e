//! The benchmark of the server, which is a program of its own, in `benches`.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use super::finish;
use crate::suites::Workspace;

/// Both as they are shipped.
const BUILD: [&str; 6] = [
    "build",
    "--release",
    "--package",
    "feedwire",
    "--package",
    "feedwire-bench",
];

pub(super) fn run(root: &Path, options: &[OsString]) -> anyhow::Result<ExitCode> {
    let target = Workspace::find(root)?.target;
    let built = finish(Command::new(env!("CARGO")).args(BUILD).current_dir(root))?;
    if built != ExitCode::SUCCESS {
        return Ok(built);
    }
    let release = target.join("release");
    let mut bench = Command::new(release.join("feedwire-bench"));
    // What is given comes later, and wins.
    bench
        .arg("http")
        .arg("--server")
        .arg(release.join("feedwire"));
    bench.arg("--tables").arg(target.join("bench"));
    bench
        .arg("--scratch")
        .arg(target.join("bench").join("data"));
    finish(bench.args(options))
}
