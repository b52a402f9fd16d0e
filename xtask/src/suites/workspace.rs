//! Where the workspace is and where its builds go.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use super::command::cargo;

#[derive(Debug)]
pub(crate) struct Workspace {
    pub(super) root: PathBuf,
    /// Cargo's target folder, wherever the environment or a configuration puts it.
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn find(root: &Path) -> anyhow::Result<Self> {
        let metadata = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root)
            .output()?;
        let metadata: Value =
            serde_json::from_str(&metadata).context("`cargo metadata` printed no JSON")?;
        let target = metadata
            .get("target_directory")
            .and_then(Value::as_str)
            .context("`cargo metadata` names no target folder")?;
        Ok(Self {
            root: root.to_owned(),
            target: PathBuf::from(target),
        })
    }

    /// Where tools are kept that are of use to this workspace alone.
    pub(super) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// The program as a debug build leaves it.
    pub(super) fn debug_program(&self) -> PathBuf {
        self.target.join("debug").join("feedwire")
    }

    /// The program as a release build leaves it.
    pub(super) fn release_program(&self) -> PathBuf {
        self.target.join("release").join("feedwire")
    }
}
