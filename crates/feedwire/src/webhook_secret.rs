//! Secrets that requests of connectors are signed by: in a file or in the environment, and handed out once.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::secret_file::{self, NewFile};
use crate::{environment, output};

/// Where one may stand itself. As an option, everybody on this machine could read it in the list of processes.
const VARIABLE: &str = "FEEDWIRE_WEBHOOK_SECRET";

/// What `file` holds, or else the environment.
pub(crate) fn find(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    match file {
        Some(path) => text(path).map(Some),
        None => environment::secret(VARIABLE),
    }
}

/// The text in the file at `path`, without what is around it.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let secret = secret_file::read(path).with_context(|| format!("cannot read {shown}"))?;
    if secret.is_open {
        eprintln!("feedwire: everybody on this machine may read the secret: chmod o-r {shown}");
    }
    match String::from_utf8(secret.bytes) {
        Ok(text) => Ok(text.trim().to_owned()),
        // What it is, is not said.
        Err(_) => bail!("{shown} holds no text"),
    }
}

/// How a secret that the server made is handed out.
#[derive(Debug)]
pub(crate) enum HandOut {
    /// On stdout.
    Say,
    /// In a file, and nothing of it on stdout.
    Write(NewFile),
}

impl HandOut {
    /// In `file`, where one is given: made sure of before there is something to hand out.
    pub(crate) fn prepare(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else {
            return Ok(Self::Say);
        };
        let reserved = NewFile::reserve(path);
        let words = || format!("cannot write the secret to {}", path.display());
        reserved.map(Self::Write).with_context(words)
    }

    /// Takes the secret out of an answer where a file is for it: it is not to be on stdout then, in any form.
    pub(crate) fn taken(&self, secret: &mut Option<String>) -> Option<String> {
        match self {
            Self::Say => secret.clone(),
            Self::Write(_) => secret.take(),
        }
    }

    /// Hands out `secret`. This is the only time, so that a failure says what to do instead.
    pub(crate) fn done(self, secret: Option<String>, is_told: bool) -> anyhow::Result<()> {
        let Some(secret) = secret else {
            return Ok(());
        };
        match self {
            // In the answer as it is.
            Self::Say if is_told => Ok(()),
            Self::Say => {
                let words = format!("secret        {secret}\nThe secret is shown this once.");
                Ok(output::say(&words)?)
            }
            Self::Write(file) => {
                let path = file.path().display().to_string();
                file.write(&secret).with_context(|| {
                    format!(
                        "cannot write the secret to {path}, and nobody knows it: have another made"
                    )
                })?;
                if is_told {
                    return Ok(());
                }
                Ok(output::say(&format!("secret        in {path}"))?)
            }
        }
    }
}
