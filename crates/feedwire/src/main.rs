//! Feedwire, the program: `feedwire serve` is the server, everything else is a client of one.

mod arguments;
mod callers;
mod certificate;
mod commands;
mod confirm;
mod credential;
mod data;
mod environment;
mod expiry;
mod failure;
mod flights;
mod grants;
mod guard;
mod listen;
mod logs;
mod master_key;
mod offline;
mod output;
mod portions;
mod pretty;
mod printing;
mod process;
mod public_url;
mod pushing;
mod quote;
mod rate_limits;
mod remote;
mod retries;
mod seams;
mod secret_file;
mod selection;
mod server;
mod signals;
mod webhook_secret;
mod zone;

use std::process::ExitCode;

use crate::arguments::Arguments;

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    logs::start(arguments.log.as_deref(), arguments.command.default_log());
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&anyhow::Error::new(error).context("cannot start")),
    };
    let ended = runtime.block_on(commands::run(arguments.command, &arguments.remote));
    // A reading of stdin that nobody waits for any more would hold up the end for ever.
    runtime.shutdown_background();
    ended.unwrap_or_else(|error| failure::report(&error))
}
