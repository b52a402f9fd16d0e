//! The commands, a file each: its arguments, its manual, what it does.

pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod erase;
pub(crate) mod feeds;
pub(crate) mod follow;
pub(crate) mod import;
pub(crate) mod publish;
pub(crate) mod retention;
pub(crate) mod serve;

use std::process::ExitCode;

use crate::arguments::Command;

/// Does what was asked; the exit code is the command's.
pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Publish(arguments) => publish::run(arguments).await,
        Command::Follow(arguments) => follow::run(arguments).await,
        Command::Feeds(arguments) => feeds::run(arguments).await,
        Command::Import(arguments) => import::run(arguments).await,
        Command::Retention(arguments) => retention::run(arguments).await,
        Command::Erase(arguments) => erase::run(arguments).await,
        Command::Check(arguments) => check::run(arguments).await,
    }
}
