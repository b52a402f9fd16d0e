//! Virtual environments of our own: distributions forbid installing beside their packages (PEP 668).

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::apt;
use super::command::{Line, program};
use super::workspace::Workspace;

#[derive(Debug)]
pub(super) struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// The environment of the workspace, made if need be.
    pub(super) fn ready(workspace: &Workspace) -> anyhow::Result<Self> {
        Self::named(workspace, "venv")
    }

    /// One beside it, made if need be: for what cannot be installed together with the rest.
    pub(super) fn named(workspace: &Workspace, name: &str) -> anyhow::Result<Self> {
        let venv = Self {
            folder: workspace.tools().join(name),
        };
        if !venv.is_sound() {
            make(&venv.folder, &workspace.tools()).context(
                "cannot make a Python environment; Python 3 with its venv module is needed",
            )?;
        }
        Ok(venv)
    }

    pub(super) fn install(&self, packages: &[&str]) -> anyhow::Result<()> {
        self.pip().args(packages).step()
    }

    pub(super) fn install_requirements(&self, list: &Path) -> anyhow::Result<()> {
        self.pip().args(["--requirement"]).args([list]).step()
    }

    pub(super) fn python(&self) -> Line {
        program(self.program())
    }

    /// The path of its Python.
    pub(super) fn program(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    fn pip(&self) -> Line {
        self.python().args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ])
    }

    /// A folder whose making was interrupted, or whose Python has gone since, is none.
    fn is_sound(&self) -> bool {
        self.python().args(["-m", "pip", "--version"]).succeeds()
    }
}

/// Debian's Python comes without `ensurepip`, some images without `venv`, others without `pip`: whichever is there serves.
fn make(folder: &Path, tools: &Path) -> anyhow::Result<()> {
    if !program("python3").args(["--version"]).succeeds() {
        apt::install(&["python3", "python3-venv"])?;
    }
    let by_venv = || {
        program("python3")
            .args(["-m", "venv", "--clear"])
            .args([folder])
    };
    if by_venv().succeeds() || by_virtualenv(folder, tools) {
        return Ok(());
    }
    apt::install(&["python3-venv"])?;
    by_venv().step()
}

fn by_virtualenv(folder: &Path, tools: &Path) -> bool {
    let virtualenv = tools.join("virtualenv");
    // With `--target`, pip touches nothing of the distribution's and does not refuse.
    let install = program("python3")
        .args(["-m", "pip", "install", "--quiet", "--target"])
        .args([&virtualenv])
        .args(["virtualenv"]);
    install.succeeds()
        && program("python3")
            .env("PYTHONPATH", &virtualenv)
            .args(["-m", "virtualenv", "--quiet", "--clear"])
            .args([folder])
            .succeeds()
}
