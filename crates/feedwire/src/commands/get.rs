//! `feedwire get`: how entities are.

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use feedwire_client::{Client, EntityList};

use crate::output::say;
use crate::printing::is_closed_pipe;
use crate::remote::Remote;

const MANUAL: &str = "\
Prints the state of an entity as JSON, or, without a subject, every entity of the feed, one a line with its position and ids. \
Nothing is printed of an entity that is not there, and the command fails.

Examples:
  feedwire get planes N14228
  feedwire get planes N14228 --whole | jq .position
  feedwire get planes --label base=EWR
  feedwire get planes --filter 'data.delay > 60' --limit 10
  feedwire get _all --feeds planes,gates > states.ndjson

Exit codes: 0 done, 1 not there or failed (stderr says why), 2 wrong usage.";

/// Show how an entity is, or list all of a feed
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The feed; without a subject, `_all` is every feed of the project
    feed: String,
    /// What the entity is about; without it, all are listed
    subject: Option<String>,
    /// Print all that the server says of the entity, not only its state
    #[arg(long, requires = "subject")]
    whole: bool,
    /// Only subjects with this label, a key or `key=value`; all that are given must hold
    #[arg(
        long,
        value_name = "LABEL",
        alias = "label",
        conflicts_with = "subject"
    )]
    labels: Vec<String>,
    /// Only this subject; may be given more than once
    #[arg(long, value_name = "SUBJECT", conflicts_with = "subject")]
    subjects: Vec<String>,
    /// Of `_all`, only these feeds, parted by commas
    #[arg(
        long,
        value_name = "FEED,…",
        value_delimiter = ',',
        conflicts_with = "subject"
    )]
    feeds: Vec<String>,
    /// Only those of which this is true, in the Common Expression Language: `data.delay > 60`
    #[arg(long, value_name = "EXPRESSION", conflicts_with = "subject")]
    filter: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", conflicts_with = "subject", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    if let Some(subject) = &arguments.subject {
        return one(&client, &arguments, subject).await;
    }
    match list(&client, &arguments).await {
        // Whoever read the output has had enough.
        Err(error) if is_closed_pipe(&error) => Ok(ExitCode::SUCCESS),
        listed => {
            listed.with_context(|| format!("cannot list the entities of {}", arguments.feed))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn one(client: &Client, arguments: &Arguments, subject: &str) -> anyhow::Result<ExitCode> {
    let feed = &arguments.feed;
    let found = client.entity(feed, subject).get().await;
    let found = found.with_context(|| format!("cannot show {subject} of {feed}"))?;
    if let Some(entity) = found {
        if arguments.whole {
            say(&serde_json::to_string(&entity)?)?;
        } else {
            say(entity.data.get())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("feedwire: {subject} is not there in {feed}");
    Ok(ExitCode::FAILURE)
}

/// Prints entities until there are no more, or as many as were asked for.
async fn list(client: &Client, arguments: &Arguments) -> anyhow::Result<()> {
    /// The most that a part may have.
    const PART: u64 = 1_000;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    let mut asked = EntityList {
        after: None,
        limit: None,
        feeds: arguments.feeds.clone(),
        subjects: arguments.subjects.clone(),
        labels: arguments.labels.clone(),
        filter: arguments.filter.clone(),
    };
    while left > 0 {
        asked.limit = Some(left.min(PART));
        let found = client.entities(&arguments.feed, &asked).await?;
        for entity in &found.entities {
            writeln!(out, "{}", entity.get())?;
        }
        out.flush()?;
        left = left.saturating_sub(found.entities.len() as u64);
        asked.after = found.next;
        if asked.after.is_none() {
            break;
        }
    }
    Ok(())
}
