//! The benchmark of the server, which is a program of its own, in `benches`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use super::{Tables, finish};
use crate::suites::Workspace;

/// Both as the server is shipped: with its allocator, which is not to be what is compared.
const BUILD: [&str; 8] = [
    "build",
    "--release",
    "--package",
    "feedwire",
    "--package",
    "feedwire-bench",
    "--features",
    "feedwire/jemalloc,feedwire-bench/jemalloc",
];

/// The tables that it may write, by the names of its parts.
const PARTS: [&str; 9] = [
    "publish",
    "poll",
    "fanout",
    "replay",
    "idle",
    "serialized",
    "streams",
    "entities",
    "push",
];

pub(super) fn run(root: &Path, options: &[OsString]) -> anyhow::Result<Tables> {
    let target = Workspace::find(root)?.target;
    finish(Command::new(env!("CARGO")).args(BUILD).current_dir(root))?;
    let (release, folder) = (target.join("release"), target.join("bench"));
    let table = |part: &str| folder.join(format!("{part}.md"));
    for part in PARTS {
        if table(part).exists() {
            fs::remove_file(table(part)).context("cannot remove the table of an earlier run")?;
        }
    }
    let mut bench = Command::new(release.join("feedwire-bench"));
    // What is given comes later, and wins.
    bench
        .arg("http")
        .arg("--server")
        .arg(release.join("feedwire"));
    bench.arg("--tables").arg(&folder);
    bench.arg("--scratch").arg(folder.join("data"));
    finish(bench.args(options))?;
    let written = PARTS.into_iter().filter(|part| table(part).exists());
    let read = |part: &str| {
        let text = fs::read_to_string(table(part)).context("cannot read a table")?;
        Ok((part.to_owned(), text))
    };
    written.map(read).collect()
}
