//! The commands, a file each: its arguments, its manual, what it does.

pub(crate) mod check;
pub(crate) mod connector;
pub(crate) mod demo;
pub(crate) mod erase;
pub(crate) mod feeds;
pub(crate) mod follow;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod listen;
pub(crate) mod load;
pub(crate) mod project;
pub(crate) mod publish;
pub(crate) mod put;
pub(crate) mod retention;
pub(crate) mod serve;
pub(crate) mod stream;

use std::process::ExitCode;

use crate::arguments::Command;
use crate::remote::Remote;

/// Does what was asked, of `remote` where it needs a server; the exit code is the command's.
pub(crate) async fn run(command: Command, remote: &Remote) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init(arguments) => init::run(arguments).await,
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Publish(arguments) => publish::run(arguments, remote).await,
        Command::Follow(arguments) => follow::run(arguments, remote).await,
        Command::Feeds(arguments) => feeds::run(arguments, remote).await,
        Command::Import(arguments) => import::run(arguments, remote).await,
        Command::Put(arguments) => put::run(arguments, remote).await,
        Command::Get(arguments) => get::run(arguments, remote).await,
        Command::Load(arguments) => load::run(arguments, remote).await,
        Command::Retention(arguments) => retention::run(arguments, remote).await,
        Command::Erase(arguments) => erase::run(arguments, remote).await,
        Command::Project(arguments) => project::run(arguments, remote).await,
        Command::Stream(arguments) => stream::run(arguments, remote).await,
        Command::Connector(arguments) => connector::run(arguments, remote).await,
        Command::Listen(arguments) => listen::run(arguments).await,
        Command::Key(arguments) => key::run(arguments, remote).await,
        Command::Check(arguments) => check::run(arguments).await,
    }
}
