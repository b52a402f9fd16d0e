//! Feedwire's HTTP benchmark: a load generator, bare peers to measure beside, and the tables.
//!
//! Run by `cargo xtask bench http`. The server under load is pinned to one core and the generator, which is this process, to
//! another. Every load is bounded in count and time and goes to this machine alone. A ratio within one run can be compared with that
//! of another; an absolute figure cannot.

mod arguments;
mod bare;
mod child;
mod clock;
mod cores;
mod event;
mod figures;
mod histogram;
mod interrupt;
mod launch;
mod load;
mod parts;
mod peers;
mod report;
mod usage;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Role};

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let done = match Arguments::parse().role {
        Role::Http(options) => parts::run(&options),
        Role::Launch(launch) => launch::run(&launch),
        Role::Bare => bare::run(),
        Role::Member(member) => load::member(&member),
        Role::Pour(pour) => bare::pour(&pour),
        Role::Push(push) => bare::push(&push),
        Role::Send(send) => bare::send(&send),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
