//! Asking whoever sits at the terminal, before something is gone for good.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::{Context as _, bail};

/// Whether whoever sits at the terminal types `name`, of a `kind` of thing that is to be deleted `with` what is in it.
pub(crate) async fn typed(kind: &str, name: &str, with: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nobody can be asked whether to delete {kind} {name}: say so with --yes");
    }
    let mut capital = kind.to_owned();
    capital[..1].make_ascii_uppercase();
    eprint!("{capital} {name} will be gone for good, with {with}. Its name, to delete it: ");
    let typed = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    Ok(typed.await?.context("cannot read the answer")?.trim() == name)
}
