//! Becoming the program under load: on its core, and gone when the benchmark is, however that ended.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, bail};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::arguments::Launch;
use crate::cores;

pub(crate) fn run(launch: &Launch) -> anyhow::Result<()> {
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::KILL)).context("cannot be tied to the parent")?;
    // The parent may have ended before the tie was made.
    if getppid() != parent {
        bail!("the benchmark has ended");
    }
    cores::pin(launch.core)?;
    let (program, arguments) = launch.command.split_first().context("no program")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}
