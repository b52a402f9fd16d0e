//! `feedwire follow`: print events as they come.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use feedwire_client::{CursorFile, Follow, FollowError, Read, Step};
use futures_util::FutureExt as _;
use tokio::time::Instant;

use crate::printing::{self, Output, is_closed_pipe};
use crate::remote::Remote;
use crate::signals::Signals;

const MANUAL: &str = "\
Prints an event a line. When the server is away the command waits and goes on behind the last event that it was given; \
stderr says so. It ends on Ctrl-C, when its output is closed, and when --limit or --until is reached.

With --cursor-file it goes on where it was when it is started again. The file is replaced after the lines have been \
written out: an event may be printed twice after a crash, none is left out.

Examples:
  feedwire follow flights                                    what comes from now on
  feedwire follow planes --from state                        how every plane is, then how they change
  feedwire follow flights --from 5hours --types flight.departed,flight.arrived
  feedwire follow _all --from start --until now --json       everything there is, as JSON
  feedwire follow flights --subjects N14228 --from start | head
  feedwire follow flights --from start --json --cursor-file flights.cursor | ./load-into-database

Exit codes: 0 ended as asked, 1 failed (stderr says why), 2 wrong usage.";

/// How often the cursor file is replaced while events come without a pause.
const SAVE_INTERVAL: Duration = Duration::from_millis(500);

/// Follow a feed: what is there already, then what comes
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The feed; `_all` is every feed of the project
    feed: String,
    /// Where to start: `start`, `now`, a time (RFC 3339), a span ago such as `5hours`, or `state`: the state of every entity,
    /// and then what comes
    #[arg(long, value_name = "WHEN", default_value = "now")]
    from: String,
    /// Start behind this position instead
    #[arg(long, value_name = "CURSOR", conflicts_with = "from")]
    after: Option<String>,
    /// End before what was recorded at or after `now`, a time or a span ago
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// End with the batch that reaches this many events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Only these types, parted by commas
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',', alias = "type")]
    types: Vec<String>,
    /// Only this subject; may be given more than once
    #[arg(long, value_name = "SUBJECT", alias = "subject")]
    subjects: Vec<String>,
    /// Only subjects with this label, a key or `key=value`; all that are given must hold
    #[arg(long, value_name = "LABEL", alias = "label")]
    labels: Vec<String>,
    /// Only events of which this is true, in the Common Expression Language, such as `data.delay > 60`
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
    /// Of `_all`, only these feeds, parted by commas
    #[arg(long, value_name = "FEED,…", value_delimiter = ',')]
    feeds: Vec<String>,
    /// Keep the place in this file; what it holds wins over --from and --after
    #[arg(long, value_name = "FILE")]
    cursor_file: Option<PathBuf>,
    /// Give up after so many tries to connect that failed in a row
    #[arg(long, value_name = "N", default_value_t = 24)]
    tries: u32,
    #[command(flatten)]
    form: printing::Options,
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let place = Place::open(arguments.cursor_file.clone())?;
    let read = reading(&arguments, remote, place.saved.clone())?;
    let follow = read.follow().tries(arguments.tries);
    let output = arguments.form.on_stdout();
    let went_on = place.saved.is_some();
    match print(follow, output, place).await {
        // Whoever read the output has had enough.
        Err(error) if is_closed_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(error) if went_on && is_refused_cursor(&error) => {
            let file = arguments.cursor_file.unwrap_or_default();
            Err(error.context(format!("{} holds no cursor of this server", file.display())))
        }
        Err(error) => Err(error.context(format!("cannot follow {}", arguments.feed))),
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

fn reading(arguments: &Arguments, remote: &Remote, saved: Option<String>) -> anyhow::Result<Read> {
    let mut read = remote.client()?.read(&arguments.feed);
    read = match saved.or_else(|| arguments.after.clone()) {
        Some(cursor) => read.after(cursor),
        None => read.from(&arguments.from),
    };
    if let Some(until) = &arguments.until {
        read = read.until(until);
    }
    if let Some(limit) = arguments.limit {
        read = read.limit(limit);
    }
    if let Some(filter) = &arguments.filter {
        read = read.filter(filter);
    }
    Ok(read
        .types(&arguments.types)
        .subjects(&arguments.subjects)
        .labels(&arguments.labels)
        .feeds(&arguments.feeds))
}

/// Prints what comes until there is no more, or until it is interrupted.
async fn print(mut follow: Follow, mut output: Output<'_>, mut place: Place) -> anyhow::Result<()> {
    let ended = print_until_end(&mut follow, &mut output, &mut place).await;
    // Also when it failed: what was given out is not to come again.
    output.flush()?;
    place.save(follow.cursor())?;
    ended
}

async fn print_until_end(
    follow: &mut Follow,
    output: &mut Output<'_>,
    place: &mut Place,
) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    // Asked here too: a long backlog comes without a pause.
    while signals.next().now_or_never().is_none() {
        // Lines are written out when nothing more is there at once, not one by one.
        let step = if let Some(step) = follow.step().now_or_never() {
            Some(step?)
        } else {
            output.flush()?;
            let due = place.due(follow.cursor());
            tokio::select! {
                step = follow.step() => Some(step?),
                () = tokio::time::sleep_until(due) => None,
                _ = signals.next() => break,
            }
        };
        match step {
            Some(Step::Event(event)) => output.event(&event)?,
            Some(Step::Mark { .. } | Step::Idle) | None => {}
            Some(Step::Lost { reason, wait }) => {
                let wait = wait.as_secs_f32();
                eprintln!("feedwire: {reason}; trying again in {wait:.1} s");
            }
            Some(Step::End) => break,
        }
        if place.due(follow.cursor()) <= Instant::now() {
            output.flush()?;
            place.save(follow.cursor())?;
        }
    }
    Ok(())
}

fn is_refused_cursor(error: &anyhow::Error) -> bool {
    let Some(FollowError::Refused(error)) = error.downcast_ref::<FollowError>() else {
        return false;
    };
    let parameter = error.problem().and_then(|p| p.members.get("parameter"));
    parameter.is_some_and(|parameter| parameter == "after")
}

/// The place that is kept in the cursor file, if there is one.
struct Place {
    file: Option<CursorFile>,
    saved: Option<String>,
    saved_at: Instant,
}

impl Place {
    fn open(path: Option<PathBuf>) -> anyhow::Result<Self> {
        let file = path.map(CursorFile::new);
        let saved = match &file {
            Some(file) => {
                let path = file.path().display();
                // Before the first event: after it, the place of what was printed would be lost.
                file.check()
                    .with_context(|| format!("cannot keep the cursor file {path}"))?;
                file.load()
                    .with_context(|| format!("cannot read the cursor file {path}"))?
            }
            None => None,
        };
        Ok(Self {
            file,
            saved,
            saved_at: Instant::now(),
        })
    }

    /// When `cursor` is to be saved: in the far future if it is or nobody wants it.
    fn due(&self, cursor: Option<&str>) -> Instant {
        const NEVER: Duration = Duration::from_hours(24);
        let unsaved = self.file.is_some() && cursor != self.saved.as_deref();
        self.saved_at + if unsaved { SAVE_INTERVAL } else { NEVER }
    }

    fn save(&mut self, cursor: Option<&str>) -> anyhow::Result<()> {
        self.saved_at = Instant::now();
        if let (Some(file), Some(cursor)) = (&self.file, cursor)
            && self.saved.as_deref() != Some(cursor)
        {
            let saved = file.save(cursor);
            saved.with_context(|| {
                format!("cannot save the cursor file {}", file.path().display())
            })?;
            self.saved = Some(cursor.to_owned());
        }
        Ok(())
    }
}
