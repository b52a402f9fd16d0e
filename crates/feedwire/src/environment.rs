//! Secrets in the environment. As options, everybody on the machine could read them in the list of processes.

use std::env::VarError;

use anyhow::bail;

/// What the variable `name` holds; `None` where it is not set, or empty. What it is, is said in no error.
#[expect(
    clippy::disallowed_methods,
    reason = "configuration, which is read here and nowhere else"
)]
pub(crate) fn secret(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(secret) => Ok((!secret.is_empty()).then_some(secret)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => bail!("the environment has no text as {name}"),
    }
}
