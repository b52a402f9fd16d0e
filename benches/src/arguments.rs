//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const GIVEN: &str = "`cargo xtask bench http` builds, and gives --server, --scratch and --tables, below the target folder; \
what is given to it comes later and wins.";

#[derive(Debug, Parser)]
#[command(name = "feedwire-bench", about = "Feedwire's HTTP benchmark", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) role: Role,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Measure a server over HTTP, each figure beside that of a bare peer of the same run
    Http(Options),
    /// Run a program on one core; it ends when the process that launched it does
    #[command(hide = true)]
    Launch(Launch),
    /// Serve as a bare peer: the same work on the wire with nothing behind it
    #[command(hide = true)]
    Bare,
    /// Be a member of a stream, until it is killed
    #[command(hide = true)]
    Member(Member),
    /// Send bytes to one socket
    #[command(hide = true)]
    Pour(Pour),
    /// Send requests to a receiver
    #[command(hide = true)]
    Push(Push),
    /// Send the same bytes to many sockets
    #[command(hide = true)]
    Send(Send),
}

#[derive(Debug, Args)]
#[command(args_override_self = true, after_help = GIVEN)]
pub(crate) struct Options {
    /// Measure one part alone
    #[arg(long, value_enum)]
    pub(crate) part: Option<Part>,
    /// Seconds rather than minutes: to try that it works, not for figures
    #[arg(long)]
    pub(crate) quick: bool,
    /// How often each figure is taken; the median is told
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=25))]
    pub(crate) runs: u8,
    /// The program whose `serve` is measured
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) server: PathBuf,
    /// The folder below which servers keep their data while they are measured; it decides about the disk
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: PathBuf,
    /// The folder that the tables are written to as well
    #[arg(long, value_name = "DIR")]
    pub(crate) tables: PathBuf,
}

/// What is measured, a table or several each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Events in: one a request, and batches
    Publish,
    /// Polls that return nothing, by nobody and by somebody
    Poll,
    /// Events out to many readers, as they come
    Fanout,
    /// A log that is there already, read as a stream and as pages
    Replay,
    /// Readers that wait
    Idle,
    /// The dialect `serialized`: polls, and long polls that wait
    Serialized,
    /// Streams: shared by their members, and taken over from one that dies
    Streams,
    /// Entities: put one by one and in lines, loaded by jobs, and read before the events that follow them
    Entities,
    /// Connectors: what one pushes, what those that fail take from others, and idle ones
    Push,
}

impl Part {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Poll => "poll",
            Self::Fanout => "fanout",
            Self::Replay => "replay",
            Self::Idle => "idle",
            Self::Serialized => "serialized",
            Self::Streams => "streams",
            Self::Entities => "entities",
            Self::Push => "push",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Launch {
    /// The core it runs on
    #[arg(long)]
    pub(crate) core: usize,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Member {
    /// Where the server is
    #[arg(long)]
    pub(crate) address: SocketAddr,
    /// Where on it the stream is
    #[arg(long)]
    pub(crate) path: String,
}

#[derive(Debug, Args)]
pub(crate) struct Pour {
    /// How many bytes
    #[arg(long)]
    pub(crate) bytes: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// Where the receiver is
    #[arg(long)]
    pub(crate) address: SocketAddr,
    /// How many requests
    #[arg(long)]
    pub(crate) requests: u64,
    /// How large each is, its head included
    #[arg(long)]
    pub(crate) bytes: usize,
    /// How many are on their way at once
    #[arg(long)]
    pub(crate) in_flight: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// How many readers are waited for
    #[arg(long)]
    pub(crate) readers: usize,
    /// How many events each is sent
    #[arg(long)]
    pub(crate) events: usize,
    /// How large each is
    #[arg(long)]
    pub(crate) bytes: usize,
}
