//! A folder that is initialised, with its master key beside it.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::process::{Process, Server, command, run};

/// A folder for the data folder `data` and what stands beside it.
pub(crate) struct Home {
    folder: TempDir,
    /// What proves its first administrator.
    pub(crate) token: String,
}

impl Home {
    /// One that is initialised.
    pub(crate) fn new() -> Self {
        let mut home = Self::bare();
        home.token = token(&home.init(&["--json"]));
        home
    }

    /// One where nothing is.
    pub(crate) fn bare() -> Self {
        Self {
            folder: tempdir().expect("a folder"),
            token: String::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.path("data.key")
    }

    /// What `init` prints.
    pub(crate) fn init(&self, options: &[&str]) -> String {
        let mut init = command(["init", "--data"]);
        run(init.arg(self.data()).args(options)).printed()
    }

    /// What `init` complains of.
    pub(crate) fn init_complains(&self, options: &[&str]) -> String {
        let mut init = command(["init", "--data"]);
        run(init.arg(self.data()).args(options)).complained(1)
    }

    /// A server on it, for its first administrator.
    pub(crate) fn serve(&self, options: &[&str]) -> Server {
        let mut serve = command(["serve", "--data"]);
        serve.arg(self.data()).args(options);
        if !options.contains(&"--listen") {
            serve.args(["--listen", "127.0.0.1:0"]);
        }
        Server::of(Process::start(&mut serve)).for_token(&self.token)
    }

    /// What `serve` complains of.
    pub(crate) fn serve_complains(&self, options: &[&str]) -> String {
        let mut serve = command(["serve", "--listen", "127.0.0.1:0", "--data"]);
        run(serve.arg(self.data()).args(options)).complained(1)
    }
}

/// The token in what a command printed as JSON.
pub(crate) fn token(printed: &str) -> String {
    member(printed, "token")
}

/// A member of what a command printed as JSON, a text.
pub(crate) fn member(printed: &str, name: &str) -> String {
    let printed: Value = serde_json::from_str(printed).expect("JSON");
    printed[name].as_str().expect("a text").to_owned()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
