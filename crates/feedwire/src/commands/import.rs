//! `feedwire import`: a large file of events, with progress.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_client::{Client, PublishError, Uploaded};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::output::say;
use crate::portions::{Portion, Portions};
use crate::remote::Remote;
use crate::signals::Signals;
use crate::{quote, retries};

const MANUAL: &str = "\
The file has an event a line (NDJSON) and may be compressed with zstd. Lines are published in their order, in batches of \
up to 1,000. When the server is away or busy, or the connection is lost, the command waits and sends the same batch again; \
stderr says so, and none is published twice. When a line is refused, or the server stays away, the command says up to which \
line everything is in; mend the line, or wait for the server, and go on with --skip. So it does on Ctrl-C, which waits for \
the answer to what was sent, but not through waits; a second one waits for nothing. With --skip-bad, lines that are refused are named on stderr and \
left out; there are as many requests more as there are such lines.

Examples:
  feedwire import flights.ndjson.zst                    to the feed `flights`, after the file's name
  feedwire import --feed flights 2013-01.ndjson
  feedwire import flights.ndjson.zst --skip 120000      go on behind line 120,000

Exit codes: 0 everything is in, 1 failed (stderr says how far it got) or lines were left out, 2 wrong usage.";

/// How often the bar is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// Publish a large file of events, with progress
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The file: .ndjson, .jsonl, or either compressed with zstd
    file: PathBuf,
    /// The feed; without it, the name of the file up to its first dot
    #[arg(long, value_name = "FEED")]
    feed: Option<String>,
    /// Leave out so many lines at the start
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip: u64,
    /// Leave out lines that the server refuses, and say which
    #[arg(long)]
    skip_bad: bool,
    /// Give up after so many tries of a batch that failed in a row; with 1, nothing is sent twice
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..))]
    tries: u32,
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let file = &arguments.file;
    let feed = match &arguments.feed {
        Some(feed) => feed.clone(),
        None => feed_of(file).context("the file's name says no feed: name one with --feed")?,
    };
    let client = remote.client()?;
    let bar = bar(file)?;
    let portions = Portions::open(file, arguments.skip, &bar)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let mut import = Import {
        remote,
        client,
        feed,
        bar,
        done: Done::behind(arguments.skip),
        skip_bad: arguments.skip_bad,
        tries: arguments.tries,
    };
    let ended = import.publish(portions, Signals::listen()?).await;
    import.bar.finish_and_clear();
    ended.with_context(|| import.advice(file))?;
    say(&import.done.words(&import.feed, import.bar.elapsed()))?;
    match import.done.bad {
        0 => Ok(ExitCode::SUCCESS),
        bad => bail!("{} refused lines were left out", HumanCount(bad)),
    }
}

/// The name of `file` up to its first dot.
fn feed_of(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let feed = name.split('.').next().unwrap_or_default();
    (!feed.is_empty()).then(|| feed.to_owned())
}

fn bar(file: &Path) -> anyhow::Result<ProgressBar> {
    let metadata =
        std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    if metadata.is_dir() {
        bail!("{} is a folder", file.display());
    }
    let style = "{bar:32} {bytes}/{total_bytes}  {msg}  {elapsed}, {eta} to go";
    let bar = ProgressBar::new(metadata.len());
    bar.set_style(ProgressStyle::with_template(style)?);
    bar.enable_steady_tick(TICK);
    Ok(bar)
}

struct Import<'a> {
    remote: &'a Remote,
    client: Client,
    feed: String,
    bar: ProgressBar,
    done: Done,
    skip_bad: bool,
    tries: u32,
}

impl Import<'_> {
    async fn publish(
        &mut self,
        mut portions: Portions,
        mut signals: Signals,
    ) -> anyhow::Result<()> {
        loop {
            let next = tokio::select! {
                next = portions.next() => next?,
                signal = signals.next() => bail!("ended by {signal}"),
            };
            let Some(portion) = next else {
                return Ok(());
            };
            self.publish_portion(portion, &mut signals).await?;
            let rate = per_second(self.done.events, self.bar.elapsed());
            let events = HumanCount(self.done.events);
            self.bar
                .set_message(format!("{events} events, {}/s", HumanCount(rate)));
        }
    }

    async fn publish_portion(
        &mut self,
        mut portion: Portion,
        signals: &mut Signals,
    ) -> anyhow::Result<()> {
        while !portion.is_empty() {
            let (waits, waiting) = watch::channel(None);
            let publish = self.client.publish(&self.feed).tries(self.tries);
            let lines = publish
                .on_retry(|retry| {
                    self.bar.suspend(|| eprintln!("{}", retries::words(retry)));
                    waits.send_replace(Some(Wait {
                        until: Instant::now() + retry.wait,
                        in_doubt: retry.in_doubt,
                    }));
                })
                .lines(portion.text.clone());
            let (answer, signal) = answered(lines, waiting, signals).await;
            portion = match answer {
                Ok(Ok(uploaded)) => {
                    self.done.take(&portion, &uploaded);
                    Portion::default()
                }
                Ok(Err(error)) => self.refused(&portion, error)?,
                Err(Unanswered { in_doubt: true }) => return Err(in_doubt(&portion)),
                Err(Unanswered { in_doubt: false }) => portion,
            };
            if let Some(signal) = signal {
                bail!("ended by {signal}");
            }
        }
        Ok(())
    }

    /// Takes in what was appended before `error`. Returns what is left to publish if the line that it is about is to be left
    /// out, or else says which one that is.
    fn refused(&mut self, portion: &Portion, error: PublishError) -> anyhow::Result<Portion> {
        let error = match error {
            PublishError::Refused(error) => error,
            PublishError::GaveUp { .. } => return Err(error.into()),
            PublishError::InDoubt { .. } => {
                let doubt = in_doubt(portion).to_string();
                return Err(anyhow::Error::new(error).context(doubt));
            }
        };
        let number = |name| error.problem().and_then(|problem| problem.number(name));
        let sent = number("line").unwrap_or_default();
        let appended = number("appended").unwrap_or_default();
        self.done.take_part(portion, appended, number("last"));
        let Some(line) = portion.line(sent) else {
            return Err(error.into());
        };
        let words = renumbered(&error.to_string(), sent, line);
        if !self.skip_bad {
            return Err(anyhow::Error::msg(words));
        }
        self.bar.suspend(|| eprintln!("feedwire: {words}"));
        self.done.bad += 1;
        // A server may close a connection after it refused what it had not read to the end: the next request needs another.
        self.client = self.remote.client()?;
        Ok(portion.rest(appended, sent))
    }

    fn advice(&self, file: &Path) -> String {
        let Done {
            line, events, last, ..
        } = self.done;
        let place = last.map(|last| format!(", up to position {last}"));
        let (events, place) = (HumanCount(events), place.unwrap_or_default());
        let (path, options) = (file.display(), self.remote.options());
        let (file, feed) = (path.to_string(), quote::word(&self.feed));
        let file = quote::word(&file);
        let skip_bad = if self.skip_bad { " --skip-bad" } else { "" };
        format!(
            "the import of {path} stopped: {events} events are in{place}; \
             go on with `feedwire import {file} --feed {feed}{options}{skip_bad} --skip {line}`"
        )
    }
}

/// What the server said of line `sent` of a portion, as of line `line` of the file.
fn renumbered(words: &str, sent: u64, line: u64) -> String {
    let rest = words.strip_prefix(&format!("line {sent}"));
    rest.map_or_else(
        || format!("line {line}: {words}"),
        |rest| format!("line {line}{rest}"),
    )
}

/// A wait before another try.
#[derive(Clone, Copy, Debug)]
struct Wait {
    until: Instant,
    /// Whether a try before it may have published the lines.
    in_doubt: bool,
}

/// An answer that was not waited for.
#[derive(Debug)]
struct Unanswered {
    /// Whether the lines may be in all the same.
    in_doubt: bool,
}

/// Waits for the answer, also after a first signal, so that it is known what is in; unless it is not under way and there is a
/// wait before another try. A second signal ends the waiting.
async fn answered<T>(
    answer: impl Future<Output = T>,
    mut waiting: watch::Receiver<Option<Wait>>,
    signals: &mut Signals,
) -> (Result<T, Unanswered>, Option<&'static str>) {
    let mut answer = std::pin::pin!(answer);
    let signal = tokio::select! {
        answer = &mut answer => return (Ok(answer), None),
        signal = signals.next() => signal,
    };
    let is_waiting = |wait: &Option<Wait>| wait.is_some_and(|wait| wait.until > Instant::now());
    tokio::select! {
        answer = answer => (Ok(answer), Some(signal)),
        second = signals.next() => (Err(Unanswered { in_doubt: true }), Some(second)),
        Ok(wait) = waiting.wait_for(is_waiting) => {
            let in_doubt = wait.is_none_or(|wait| wait.in_doubt);
            (Err(Unanswered { in_doubt }), Some(signal))
        }
    }
}

fn in_doubt(portion: &Portion) -> anyhow::Error {
    let (first, last) = (portion.first_line(), portion.last_line());
    anyhow::anyhow!("whether lines {first} to {last} are in is not known")
}

/// How far it got.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    /// Every line up to this one is in, or was skipped.
    line: u64,
    events: u64,
    /// How many of the events were in already.
    duplicates: u64,
    batches: u64,
    last: Option<u64>,
    /// How many lines were refused and left out.
    bad: u64,
}

impl Done {
    fn behind(line: u64) -> Self {
        Self {
            line,
            events: 0,
            duplicates: 0,
            batches: 0,
            last: None,
            bad: 0,
        }
    }

    fn take(&mut self, portion: &Portion, uploaded: &Uploaded) {
        self.line = portion.last_line();
        self.events += uploaded.count;
        self.duplicates += uploaded.duplicates;
        self.batches += uploaded.batches;
        self.last = Some(uploaded.last);
    }

    fn take_part(&mut self, portion: &Portion, appended: u64, last: Option<u64>) {
        if let Some(line) = portion.line(appended) {
            self.line = line;
            self.events += appended;
            self.last = last.or(self.last);
        }
    }

    fn words(&self, feed: &str, elapsed: Duration) -> String {
        let rate = HumanCount(per_second(self.events, elapsed));
        let place = self.last.map(|last| format!(", up to position {last}"));
        let known = match self.duplicates {
            0 => String::new(),
            known => format!(", {} of them there already", HumanCount(known)),
        };
        format!(
            "imported {} events to {feed} in {} batches{}{known}: {:.1} s, {rate} events/s",
            HumanCount(self.events),
            HumanCount(self.batches),
            place.unwrap_or_default(),
            elapsed.as_secs_f64(),
        )
    }
}

fn per_second(events: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    events.saturating_mul(1_000) / millis.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_line_of_the_file_alone() {
        let check = |words: &str, said: &str| assert_eq!(renumbered(words, 2, 1_002), said);
        check("line 2 column 7: no value", "line 1002 column 7: no value");
        check(
            "line 2: type: it is missing",
            "line 1002: type: it is missing",
        );
        check("type: it is missing", "line 1002: type: it is missing");
    }

    #[test]
    fn a_feed_is_named_by_its_file() {
        let check = |file: &str, feed: Option<&str>| {
            assert_eq!(feed_of(Path::new(file)).as_deref(), feed, "{file}");
        };
        check("/data/flights.ndjson.zst", Some("flights"));
        check("flights", Some("flights"));
        check(".ndjson", None);
    }
}
