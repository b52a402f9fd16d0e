//! `feedwire stream join`: a member that prints its events, or runs a command for each.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_client::{Client, Delivery, Event, Notice};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::printing::{self, Output, is_closed_pipe};
use crate::signals::Signals;

const MANUAL: &str = "\
Prints an event a line, and acknowledges it once its line is written out. With a command behind `--` it runs that for each \
event instead, with the event's JSON on its standard input, and acknowledges the event when the command ends with 0; when it \
ends otherwise, the event is refused and comes again, after half a second, doubled each time up to half a minute. The command \
is run as it stands, without a shell.

When the server is away, or the stream has all members that it may have, it waits; stderr says so. It ends on Ctrl-C, when \
its output is closed, and when --limit is reached: what was begun is done and acknowledged before. A second Ctrl-C ends it at \
once, and what was not acknowledged comes again.

Examples:
  feedwire stream join billing
  feedwire stream join billing --json | ./load-into-database
  feedwire stream join billing --concurrency 4 -- ./handle-one-event --verbose

Exit codes: 0 ended as asked, 1 failed (stderr says why), 2 wrong usage.";

#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(super) struct Arguments {
    /// The stream
    name: String,
    #[command(flatten)]
    form: printing::Options,
    /// End when this many events are done
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Deal with the events of up to so many subjects at the same time
    #[arg(long, value_name = "N", default_value_t = 1)]
    concurrency: usize,
    /// Give up after so many tries to connect that failed in a row
    #[arg(long, value_name = "N", default_value_t = 24)]
    tries: u32,
    /// What to run for each event, instead of printing it
    #[arg(last = true, value_name = "COMMAND", num_args = 1..)]
    command: Vec<OsString>,
}

/// The event is not done, and is refused.
struct Undone;

/// What a member does with its events, and what keeps it from going on.
struct Work<'a> {
    kind: Kind<'a>,
    stop: CancellationToken,
    broken: RefCell<Option<anyhow::Error>>,
}

enum Kind<'a> {
    Print(RefCell<Output<'a>>),
    Run {
        program: &'a OsString,
        arguments: &'a [OsString],
    },
}

pub(super) async fn run(arguments: Arguments, client: &Client) -> anyhow::Result<ExitCode> {
    let work = Work {
        kind: match &arguments.command[..] {
            [] => Kind::Print(RefCell::new(arguments.form.on_stdout())),
            [program, arguments @ ..] => Kind::Run { program, arguments },
        },
        stop: CancellationToken::new(),
        broken: RefCell::new(None),
    };
    let mut join = client
        .join(&arguments.name)
        .concurrency(arguments.concurrency)
        .tries(arguments.tries)
        .on_notice(tell);
    if let Some(limit) = arguments.limit {
        join = join.limit(limit);
    }
    let mut signals = Signals::listen()?;
    let interrupted = async {
        signals.next().await;
        work.stop.cancel();
        signals.next().await
    };
    let joined = join.run_until(work.stop.cancelled(), async |delivery: Delivery| {
        work.deal_with(&delivery.event).await
    });
    let cannot = || format!("cannot go on as a member of {}", arguments.name);
    tokio::select! {
        joined = joined => joined.with_context(cannot)?,
        signal = interrupted => bail!("ended at once by a second {signal}: what was not acknowledged comes again"),
    }
    match work.broken.take() {
        // Whoever read the output has had enough.
        Some(error) if is_closed_pipe(&error) => Ok(ExitCode::SUCCESS),
        Some(error) => Err(error.context(cannot())),
        None => Ok(ExitCode::SUCCESS),
    }
}

impl Work<'_> {
    async fn deal_with(&self, event: &Event) -> Result<(), Undone> {
        let dealt_with = match &self.kind {
            Kind::Print(output) => print(&mut output.borrow_mut(), event).map(|()| true),
            Kind::Run { program, arguments } => command(program, arguments, event).await,
        };
        match dealt_with {
            Ok(true) => Ok(()),
            Ok(false) => Err(Undone),
            Err(error) => {
                self.broken.replace(Some(error));
                self.stop.cancel();
                Err(Undone)
            }
        }
    }
}

fn print(output: &mut Output<'_>, event: &Event) -> anyhow::Result<()> {
    output.event(event)?;
    Ok(output.flush()?)
}

/// Whether the command was content with `event`.
async fn command(
    program: &OsString,
    arguments: &[OsString],
    event: &Event,
) -> anyhow::Result<bool> {
    let shown = program.display();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {shown}"))?;
    let mut stdin = child.stdin.take().context("its input is piped")?;
    let line = format!("{}\n", event.json());
    match stdin.write_all(line.as_bytes()).await {
        // It need not read it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written.with_context(|| format!("cannot write to {shown}"))?,
    }
    drop(stdin);
    let status = child.wait().await;
    let status = status.with_context(|| format!("cannot wait for {shown}"))?;
    if !status.success() {
        let position = event.attributes().position;
        eprintln!(
            "feedwire: {shown} ended with {status}; the event at position {position} is refused"
        );
    }
    Ok(status.success())
}

fn tell(notice: &Notice<'_>) {
    match notice {
        Notice::Away { reason, wait } => {
            let wait = wait.as_secs_f32();
            eprintln!("feedwire: {reason}; trying again in {wait:.1} s");
        }
        Notice::Lost(lost) => {
            let (lost, first) = (lost.lost_at_most, lost.first);
            eprintln!(
                "feedwire: at most {lost} events before position {first} were lost to retention"
            );
        }
        Notice::Unsaid { error, wait } => {
            let then = match wait {
                Some(wait) => format!("trying again in {:.1} s", wait.as_secs_f32()),
                None => "what was done comes again".to_owned(),
            };
            eprintln!("feedwire: cannot acknowledge: {error}; {then}");
        }
        Notice::Refused(refused) => {
            let (receipt, reason) = (&refused.receipt, &refused.reason);
            eprintln!("feedwire: the receipt {receipt} is {reason}: its event may come again");
        }
        _ => {}
    }
}
