//! `feedwire load`: load jobs, which write the states of entities as events.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use feedwire_client::{Client, Load, NewLoad};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::output::say;
use crate::remote::Remote;

const MANUAL: &str = "\
A load job writes the state of each entity of a feed as an event of type load to the feed _load.FEED, for consumers that \
take what there is before what changes. It goes on when the server is started again, and lets publishing go first.

Whoever reads by Feedwire's own API needs none: `feedwire follow FEED --from state` has the same without a job.

Examples:
  feedwire load start planes                                 with a bar, until it is done
  feedwire load start _all --filter 'data.delay > 60' --no-wait
  feedwire load list
  feedwire load show 019aa5c2-7d10-7c33-9a52-0f6f3f3d2b11 --wait
  feedwire load cancel 019aa5c2-7d10-7c33-9a52-0f6f3f3d2b11

Exit codes: 0 done, 1 failed or cancelled before it was done (stderr says why), 2 wrong usage.";

const START: &str = "\
Tells the job's id on stderr and waits until the job has ended, with a bar where stderr is a terminal. It waits for a server \
that is started again, too; Ctrl-C ends the waiting, not the job. --no-wait tells the job at once.

Examples:
  feedwire load start planes
  feedwire load start _all --feeds planes,gates --label base=EWR
  feedwire load start planes --filter 'data.delay > 60' --max-bytes 100000000 --no-wait --json

Exit codes: 0 done, 1 failed or cancelled before it was done (stderr says why), 2 wrong usage.";

const SHOW: &str = "\
Examples:
  feedwire load show 019aa5c2-7d10-7c33-9a52-0f6f3f3d2b11
  feedwire load show 019aa5c2-7d10-7c33-9a52-0f6f3f3d2b11 --wait

Exit codes: 0 shown, 1 failed or cancelled before it was done (stderr says why), 2 wrong usage.";

const LIST: &str = "\
Examples:
  feedwire load list
  feedwire load list --json | jq -r '.loads[].id'

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const CANCEL: &str = "\
A job that has ended stays as it ended.

Examples:
  feedwire load cancel 019aa5c2-7d10-7c33-9a52-0f6f3f3d2b11

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

/// How often a job that is waited for is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// The words of the start, on a bar that knows how many there are.
const STYLE: &str = "{bar:32} {human_pos}/{human_len} entities  {msg}  {elapsed}, {eta} to go";

/// Write the states of entities as events, and watch how far that is
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start a load job
    #[command(after_long_help = START)]
    Start(Start),
    /// Show how far a load job is
    #[command(after_long_help = SHOW)]
    Show {
        /// Its id
        id: String,
        /// Wait until it has ended, with a bar where stderr is a terminal
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        form: Form,
    },
    /// List the load jobs
    #[command(after_long_help = LIST)]
    List {
        #[command(flatten)]
        form: Form,
    },
    /// Have a load job end; what it has written stays
    #[command(after_long_help = CANCEL)]
    Cancel {
        /// Its id
        id: String,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
struct Start {
    /// The feed; `_all` is every feed with entities
    feed: String,
    /// Of `_all`, only these feeds, parted by commas
    #[arg(long, value_name = "FEED,…", value_delimiter = ',')]
    feeds: Vec<String>,
    /// Only this subject; may be given more than once
    #[arg(long, value_name = "SUBJECT", alias = "subject")]
    subjects: Vec<String>,
    /// Only subjects with this label, a key or `key=value`; all that are given must hold
    #[arg(long, value_name = "LABEL", alias = "label")]
    labels: Vec<String>,
    /// Only those of which this is true, in the Common Expression Language: `data.delay > 60`
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
    /// How many bytes it may write
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,
    /// Do not wait until it has ended
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    form: Form,
}

/// How the answer is told.
#[derive(Clone, Copy, Debug, Args)]
struct Form {
    /// Print the server's answer as one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    match arguments.action {
        Action::Start(asked) => start(&client, asked).await,
        Action::Show { id, wait, form } => {
            let load = client.load(&id).await;
            let mut load = load.with_context(|| format!("cannot show the load job {id}"))?;
            if wait {
                load = ended(&client, load).await?;
            }
            tell(&load, form)
        }
        Action::List { form } => {
            let loads = client.loads().await.context("cannot list the load jobs")?;
            if form.json {
                say(&serde_json::to_string(&loads)?)?;
            } else {
                let lines: Vec<String> = loads.loads.iter().map(line).collect();
                if !lines.is_empty() {
                    say(&lines.join("\n"))?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Action::Cancel { id, form } => {
            let load = client.cancel_load(&id).await;
            let load = load.with_context(|| format!("cannot cancel the load job {id}"))?;
            print(&load, form)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn start(client: &Client, asked: Start) -> anyhow::Result<ExitCode> {
    let new = NewLoad {
        feeds: asked.feeds,
        subjects: asked.subjects,
        labels: asked.labels,
        filter: asked.filter,
        max_bytes: asked.max_bytes,
    };
    let load = client.start_load(&asked.feed, &new).await;
    let mut load = load.with_context(|| format!("cannot load {}", asked.feed))?;
    if !asked.no_wait {
        let id = load.id.clone();
        // Whoever has had enough of waiting has its name.
        eprintln!("feedwire: the load job is {id}");
        let waited = ended(client, load).await;
        load = waited.with_context(|| {
            format!("the load job goes on, but how far it is is not known; `load show {id}` tells")
        })?;
    }
    tell(&load, asked.form)
}

/// The load job once it has ended; on a terminal, with a bar.
async fn ended(client: &Client, mut load: Load) -> anyhow::Result<Load> {
    let bar = ProgressBar::new(load.total);
    bar.set_style(ProgressStyle::with_template(STYLE)?);
    while !load.is_over() {
        bar.set_length(load.total.max(load.done));
        bar.set_position(load.done);
        bar.set_message(match load.phase.as_str() {
            "waiting" => "waits for others".to_owned(),
            _ => format!("{:.0} a second", load.rate),
        });
        tokio::time::sleep(LOOK_AGAIN).await;
        let looked = client.load_patiently(&load.id, |error, wait| {
            let wait = wait.as_secs_f32();
            bar.suspend(|| eprintln!("feedwire: {error}; trying again in {wait:.1} s"));
        });
        load = looked.await?;
    }
    bar.finish_and_clear();
    Ok(load)
}

/// Tells how far it is; one that ended before all was written fails the command.
fn tell(load: &Load, form: Form) -> anyhow::Result<ExitCode> {
    print(load, form)?;
    Ok(match load.phase.as_str() {
        "failed" | "cancelled" => {
            let reason = load.error.as_deref().unwrap_or("somebody had it end");
            eprintln!("feedwire: the load job is not done: {reason}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    })
}

fn print(load: &Load, form: Form) -> anyhow::Result<()> {
    Ok(say(&if form.json {
        serde_json::to_string(load)?
    } else {
        words(load)
    })?)
}

fn words(load: &Load) -> String {
    let done = format!(
        "{} of {} looked at, {} written, {} of {}",
        HumanCount(load.done),
        HumanCount(load.total),
        HumanCount(load.written),
        HumanBytes(load.bytes),
        HumanBytes(load.max_bytes),
    );
    let feeds = load.feeds.join(", ");
    let lines = [
        ("load job", load.id.as_str()),
        ("feeds", &feeds),
        ("phase", &load.phase),
        ("entities", &done),
        ("rate", &format!("{:.0} a second", load.rate)),
        ("states", &format!("as of position {} or later", load.start)),
        ("started", &load.started_at),
        ("ended", load.ended_at.as_deref().unwrap_or("not yet")),
    ];
    let lines = lines.map(|(name, value)| format!("{name:9} {value}"));
    lines.join("\n")
}

fn line(load: &Load) -> String {
    let done = format!("{}/{}", load.done, load.total);
    let feeds = load.feeds.join(",");
    format!("{}  {:9}  {done:>15}  {feeds}", load.id, load.phase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_job_is_a_line_for_each_thing_that_it_says() {
        let load = Load {
            id: "l1".into(),
            feeds: vec!["gates".into(), "planes".into()],
            subjects: Vec::new(),
            labels: Vec::new(),
            filter: None,
            phase: "running".into(),
            error: None,
            start: 17,
            total: 2_000,
            done: 1_500,
            written: 1_000,
            bytes: 2_048,
            max_bytes: 1 << 30,
            rate: 123.4,
            started_at: "2026-11-21T08:00:00Z".into(),
            ended_at: None,
        };
        let text = "\
load job  l1
feeds     gates, planes
phase     running
entities  1,500 of 2,000 looked at, 1,000 written, 2.00 KiB of 1.00 GiB
rate      123 a second
states    as of position 17 or later
started   2026-11-21T08:00:00Z
ended     not yet";
        assert_eq!(words(&load), text);
        let short = "l1  running          1500/2000  gates,planes";
        assert_eq!(line(&load), short);
    }
}
