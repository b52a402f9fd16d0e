//! Redis, with every write synced before it is answered, where it is installed.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Peer, free_port, words};
use crate::child::{Child, Says};
use crate::load::Protocol;

const PROGRAM: &str = "redis-server";

/// Starts it over `folder`; none where it is not installed.
pub(crate) fn start(core: usize, folder: &Path) -> anyhow::Result<Option<Peer>> {
    let version = Command::new(PROGRAM)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !version.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let address = free_port()?;
    let mut command = words([PROGRAM, "--bind", "127.0.0.1", "--port"]);
    command.push(address.port().to_string().into());
    command.extend(words(["--appendonly", "yes", "--appendfsync", "always"]));
    command.extend(words(["--save", "", "--dir"]));
    command.push(folder.as_os_str().to_owned());
    let child = Child::start(core, command, Says::Out)?;
    child.until("Ready to accept connections")?;
    Ok(Some(Peer {
        child,
        address,
        protocol: Protocol::Redis,
    }))
}
