//! The suite in `tests/clients`: clients that others wrote, against the built program.

use std::path::Path;

use super::apt;
use super::command::{Outcome, cargo, program};
use super::python::Venv;
use super::workspace::Workspace;

const FOLDER: &str = "tests/clients";

/// Builds the program, installs the clients and runs the suite.
///
/// The suite finds the program's path in `FEEDWIRE_BIN`, and in `FEEDWIRE_EXAMPLES_PYTHON` that of a Python with the packages that
/// vendors' examples are written for.
pub(super) fn run(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let folder = workspace.root.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Outcome::Passed);
    }
    cargo()
        .args(["build", "--bin", "feedwire"])
        .current_dir(&workspace.root)
        .step()?;
    let venv = Venv::ready(workspace)?;
    let examples = Venv::named(workspace, "venv-examples")?;
    for (venv, list) in [
        (&venv, "requirements.txt"),
        (&examples, "requirements-examples.txt"),
    ] {
        let requirements = folder.join(list);
        if requirements.is_file() {
            venv.install_requirements(&requirements)?;
        }
    }
    if folder.join("package-lock.json").is_file() {
        install_node_packages(&folder)?;
    }
    if !program("curl").args(["--version"]).succeeds() {
        apt::install(&["curl"])?;
    }
    venv.python()
        .args(["-m", "pytest", FOLDER, "-q"])
        .env("FEEDWIRE_BIN", workspace.debug_program())
        .env("FEEDWIRE_EXAMPLES_PYTHON", examples.program())
        .current_dir(&workspace.root)
        .suite()
}

/// Kills members and server of a stream for so many minutes in each mode, in a release build.
pub(super) fn kill_streams(
    workspace: &Workspace,
    minutes: u32,
    seed: Option<u32>,
) -> anyhow::Result<Outcome> {
    cargo()
        .args(["build", "--release", "--bin", "feedwire"])
        .current_dir(&workspace.root)
        .step()?;
    let venv = Venv::ready(workspace)?;
    let folder = workspace.root.join(FOLDER);
    venv.install_requirements(&folder.join("requirements.txt"))?;
    let tests = folder.join("test_stream_kills.py");
    let mut run = venv
        .python()
        .args(["-m", "pytest", "-q", "--capture=no"])
        .args([tests])
        .env("FEEDWIRE_BIN", workspace.release_program())
        .env("FEEDWIRE_KILL_SECONDS", (minutes * 60).to_string())
        .current_dir(&workspace.root);
    if let Some(seed) = seed {
        run = run.env("FEEDWIRE_KILL_SEED", seed.to_string());
    }
    run.suite()
}

fn install_node_packages(folder: &Path) -> anyhow::Result<()> {
    let has = |name| program(name).args(["--version"]).succeeds();
    if !has("node") || !has("npm") {
        apt::install(&["nodejs", "npm"])?;
    }
    program("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .step()
}
