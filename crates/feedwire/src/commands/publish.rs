//! `feedwire publish`: events from the command line, a file or stdin.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_client::{
    Client, Expect, NewEvent, Publish, PublishError, Published, Uploaded, new_id,
};
use serde_json::value::RawValue;

use crate::output::say;
use crate::remote::Remote;
use crate::{quote, retries};

const MANUAL: &str = "\
EVENT is a JSON object, or an array of them, which become one batch: all or none. `@FILE` takes it from a file; a file \
whose name ends in .ndjson or .jsonl has an event a line. `-` reads an event a line from stdin, however many. \
Without EVENT, the event is made of --type and the options beside it.

Answered means on disk. Only the type is required; an event without `id` or `time` is given them.

When the server is away or busy, or the connection is lost, the command waits and sends the same events again; stderr says so. None is published twice, for the server knows them by their ids. Lines are sent up to 1,000 at a time, so a long or slow input (`tail -f`) outlives a restart of the server too.

Examples:
  feedwire publish orders --type order.placed --subject 4711 --data '{\"total\":12.5}'
  feedwire publish orders '{\"type\":\"order.placed\",\"subject\":\"4711\",\"data\":{\"total\":12.5}}'
  feedwire publish orders '[{\"type\":\"order.placed\"},{\"type\":\"order.paid\"}]'
  feedwire publish orders @events.ndjson
  tail -n 100 orders.log | ./to-events | feedwire publish orders -
  feedwire publish orders --type order.paid --subject 4711 --expect version:1
  feedwire publish screens --type refresh --live-only

Exit codes: 0 published, 1 failed (stderr says why), 2 wrong usage.";

/// Publish one event, several, or a file of them
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The feed; it comes into being with its first event
    feed: String,
    /// JSON, `@FILE`, or `-` for stdin
    #[arg(required_unless_present = "ty", conflicts_with_all = ["ty", "subject", "data", "time", "id", "source", "live_only"])]
    event: Option<String>,
    /// The event's type
    #[arg(long = "type", value_name = "TYPE")]
    ty: Option<String>,
    /// What it happened to
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// What happened, as JSON
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// When it happened, as RFC 3339
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// What tells it from the others of its source
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Where it happened
    #[arg(long, value_name = "URI")]
    source: Option<String>,
    /// Only for those who are reading the feed when it comes; no one is handed it later
    #[arg(long)]
    live_only: bool,
    /// Publish only if the subject has had nothing (`none`), or is at `version:N` or `position:N`
    #[arg(long, value_name = "WHAT", value_parser = expectation)]
    expect: Option<Expect>,
    /// Give up after so many tries that failed in a row; with 1, nothing is sent twice
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    tries: u32,
    /// Print the server's answer as one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    let answer = send(&arguments, publishing(&arguments, &client)).await;
    let answer = answer.with_context(|| format!("cannot publish to {}", arguments.feed))?;
    let text = if arguments.json {
        answer.json()?
    } else {
        answer.words()
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn publishing<'a>(arguments: &'a Arguments, client: &'a Client) -> Publish<'a> {
    let publish = client.publish(&arguments.feed).tries(arguments.tries);
    let publish = publish.on_retry(|retry| eprintln!("{}", retries::words(retry)));
    match arguments.expect {
        Some(expect) => publish.expect(expect),
        None => publish,
    }
}

async fn send(arguments: &Arguments, publish: Publish<'_>) -> anyhow::Result<Answer> {
    let Some(event) = &arguments.event else {
        let event = from_options(arguments)?;
        let published = publish.event(&event).await;
        return Ok(Answer::Batch(
            published.map_err(|error| advised(error, event.id))?,
        ));
    };
    if event == "-" {
        return Ok(Answer::Lines(
            publish.upload(tokio::io::stdin(), |_| {}).await?,
        ));
    }
    let Some(path) = event.strip_prefix('@') else {
        return Ok(Answer::Batch(publish.json(event.clone()).await?));
    };
    let unreadable = || format!("cannot read {path}");
    if has_lines(Path::new(path)) {
        let file = tokio::fs::File::open(path).await.with_context(unreadable)?;
        Ok(Answer::Lines(publish.upload(file, |_| {}).await?))
    } else {
        let text = tokio::fs::read(path).await.with_context(unreadable)?;
        Ok(Answer::Batch(publish.json(text).await?))
    }
}

fn from_options(arguments: &Arguments) -> anyhow::Result<NewEvent> {
    let ty = arguments.ty.clone().context("an event has a type")?;
    let mut event = NewEvent::new(ty);
    event.subject.clone_from(&arguments.subject);
    event.time.clone_from(&arguments.time);
    // Given here, so that it can be named where it is not known whether the event was published.
    event.id = Some(arguments.id.clone().unwrap_or_else(new_id));
    event.source.clone_from(&arguments.source);
    event.live_only = arguments.live_only;
    event.data = match &arguments.data {
        Some(text) => Some(RawValue::from_string(text.clone()).context("--data is not JSON")?),
        None => None,
    };
    Ok(event)
}

/// `error`, with how to go on where it leaves open whether the event with this `id` is published.
fn advised(error: PublishError, id: Option<String>) -> anyhow::Error {
    let in_doubt = matches!(error, PublishError::InDoubt { .. });
    let error = anyhow::Error::new(error);
    match id {
        Some(id) if in_doubt => error.context(format!(
            "sent again with `--id {}`, the event is published once",
            quote::word(&id)
        )),
        _ => error,
    }
}

fn has_lines(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("ndjson") || extension.eq_ignore_ascii_case("jsonl")
}

fn expectation(text: &str) -> anyhow::Result<Expect> {
    if text == "none" {
        return Ok(Expect::Nothing);
    }
    Ok(match text.split_once(':') {
        Some(("version", number)) => Expect::Version(number.parse()?),
        Some(("position", number)) => Expect::Position(number.parse()?),
        _ => bail!("it is `none`, `version:N` or `position:N`"),
    })
}

/// What the server answered.
enum Answer {
    Batch(Published),
    Lines(Uploaded),
}

impl Answer {
    fn json(&self) -> serde_json::Result<String> {
        match self {
            Self::Batch(published) => serde_json::to_string(published),
            Self::Lines(uploaded) => serde_json::to_string(uploaded),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Batch(Published {
                count,
                first,
                last,
                version,
                duplicate,
                ..
            }) => {
                let version = version.map(|version| format!(", version {version} of its subject"));
                format!(
                    "{}{}{}",
                    placed(*count, *first, *last),
                    version.unwrap_or_default(),
                    if *duplicate { ": there already" } else { "" },
                )
            }
            Self::Lines(Uploaded {
                count,
                first,
                last,
                duplicates,
                ..
            }) => {
                let placed = placed(*count, *first, *last);
                match duplicates {
                    0 => placed,
                    duplicates => format!("{placed}, {duplicates} of them there already"),
                }
            }
        }
    }
}

fn placed(count: u64, first: u64, last: u64) -> String {
    if count == 1 {
        format!("published 1 event at position {last}")
    } else {
        format!("published {count} events at positions {first} to {last}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_is_nothing_a_version_or_a_position() {
        let check = |text: &str, expect| assert_eq!(expectation(text).ok(), expect, "{text}");
        check("none", Some(Expect::Nothing));
        check("version:3", Some(Expect::Version(3)));
        check("position:0", Some(Expect::Position(0)));
        check("3", None);
        check("version:x", None);
        check("offset:3", None);
    }

    #[test]
    fn the_answer_says_where_the_events_are() {
        let published = |count, version| Published {
            first: 5,
            last: 4 + count,
            count,
            recorded_at: String::new(),
            version,
            duplicate: false,
        };
        let check = |published, words: &str| assert_eq!(Answer::Batch(published).words(), words);
        check(
            published(1, Some(2)),
            "published 1 event at position 5, version 2 of its subject",
        );
        check(published(3, None), "published 3 events at positions 5 to 7");
        let again = Published {
            duplicate: true,
            ..published(1, None)
        };
        check(again, "published 1 event at position 5: there already");
    }
}
