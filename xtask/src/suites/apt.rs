//! System packages: the last way to get a tool, on Debian's kin, for root.

use anyhow::bail;

use super::command::program;

/// Installs the packages, or says that somebody who may has to.
pub(super) fn install(packages: &[&str]) -> anyhow::Result<()> {
    let names = packages.join(" ");
    if !program("apt-get").args(["--version"]).succeeds() {
        bail!("needed, and there is no apt-get to install it with: {names}");
    }
    if program("id").args(["-u"]).output()?.trim() != "0" {
        bail!("needed, and only root may install it: apt-get install {names}");
    }
    let apt = || program("apt-get").env("DEBIAN_FRONTEND", "noninteractive");
    apt().args(["update", "-qq"]).step()?;
    apt()
        .args(
            ["install", "-qq", "--yes", "--no-install-recommends"]
                .iter()
                .chain(packages),
        )
        .step()
}
