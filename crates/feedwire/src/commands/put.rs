//! `feedwire put`: say what entities are, one or a file of them.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_client::{Client, EntitiesPut, EntityChange, OneEntity, PutEntity, PutMany};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::value::RawValue;

use crate::output::say;
use crate::remote::Remote;

const MANUAL: &str = "\
An entity is the present state of a thing, a JSON object: what is put is what it is from then on, whatever it was. Where it \
differs from what is there, an event of type create, update or delete tells the feed what changed; where it does not, \
nothing happens. To put the same again is safe.

With --merge the JSON is a merge patch (RFC 7396): a member that is null is taken away, what is not named stays.

With --file each line is an entity: {\"subject\":\"N14228\",\"data\":{…},\"ids\":{…},\"time\":…}.

Examples:
  feedwire put planes N14228 '{\"status\":\"departed\",\"airport\":\"EWR\"}' --ids '{\"tailnum\":\"N14228\"}'
  feedwire put planes N14228 '{\"airport\":null}' --merge
  feedwire put planes N14228 --delete
  feedwire put planes N14228 '{\"status\":\"arrived\"}' --if-match 4711
  feedwire put planes --file planes.ndjson
  ./states-of-all | feedwire put planes --file -

Exit codes: 0 so it is now, 1 failed (stderr says why), 2 wrong usage.";

/// How often the bar is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// Say what an entity is, or a file of them
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The feed
    feed: String,
    /// What the entity is about
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    subject: Option<String>,
    /// The state as JSON; `-` reads it from stdin
    #[arg(
        required_unless_present_any = ["file", "delete"],
        required_unless_present_all = ["merge", "ids"],
        conflicts_with_all = ["file", "delete"]
    )]
    json_state: Option<String>,
    /// Put a line each of this file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Names under which others know it: a JSON object of strings and numbers
    #[arg(long, value_name = "JSON", conflicts_with_all = ["file", "delete"])]
    ids: Option<String>,
    /// When it became so (RFC 3339); without, when the server records it
    #[arg(long, value_name = "TIME", conflicts_with_all = ["file", "delete"])]
    time: Option<String>,
    /// Change only what is named: the JSON is a merge patch
    #[arg(long, conflicts_with_all = ["file", "delete"])]
    merge: bool,
    /// Say that it is no more
    #[arg(long, conflicts_with = "file")]
    delete: bool,
    /// Only if its last change is at this position; `*` if it is there, `none` if it is not
    #[arg(long, value_name = "POSITION", conflicts_with = "file", value_parser = condition)]
    if_match: Option<Condition>,
    /// Print the server's answer as one line of JSON
    #[arg(long)]
    json: bool,
}

/// What must be true of an entity for it to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    At(u64),
    There,
    Absent,
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    let feed = &arguments.feed;
    let text = match (&arguments.file, &arguments.subject) {
        (Some(path), _) => {
            let put = put_file(&client, feed, path).await;
            let put = put.with_context(|| format!("cannot put all of it to {feed}"))?;
            if arguments.json {
                serde_json::to_string(&put)?
            } else {
                words_of_many(&put)
            }
        }
        (None, Some(subject)) => {
            let changed = change(&arguments, client.entity(feed, subject)).await;
            let changed = changed.with_context(|| format!("cannot put {subject} to {feed}"))?;
            if arguments.json {
                serde_json::to_string(&changed)?
            } else {
                words(&changed)
            }
        }
        (None, None) => bail!("an entity has a subject"),
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

async fn change(arguments: &Arguments, entity: OneEntity<'_>) -> anyhow::Result<EntityChange> {
    let entity = match arguments.if_match {
        None => entity,
        Some(Condition::At(position)) => entity.if_at(position),
        Some(Condition::There) => entity.if_there(),
        Some(Condition::Absent) => entity.if_absent(),
    };
    if arguments.delete {
        return Ok(entity.delete().await?);
    }
    let state = match arguments.json_state.as_deref() {
        Some("-") => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.context("cannot read the state from stdin")?;
            Some(text)
        }
        state => state.map(str::to_owned),
    };
    let put = PutEntity {
        subject: None,
        data: json("the state", state)?,
        ids: json("--ids", arguments.ids.clone())?,
        time: arguments.time.clone(),
        source: None,
    };
    Ok(if arguments.merge {
        entity.patch(&put).await?
    } else {
        entity.put(&put).await?
    })
}

fn json(name: &str, text: Option<String>) -> anyhow::Result<Option<Box<RawValue>>> {
    let raw = text.map(RawValue::from_string).transpose();
    raw.with_context(|| format!("{name} is not JSON"))
}

fn condition(text: &str) -> anyhow::Result<Condition> {
    Ok(match text.trim_matches('"') {
        "*" => Condition::There,
        "none" => Condition::Absent,
        position => match position.parse() {
            Ok(position) => Condition::At(position),
            Err(_) => bail!("it is a position, `*` or `none`"),
        },
    })
}

async fn put_file(client: &Client, feed: &str, path: &Path) -> anyhow::Result<EntitiesPut> {
    if path == Path::new("-") {
        let bar = bar(None)?;
        return upload(client.put_entities(feed), tokio::io::stdin(), &bar).await;
    }
    let unreadable = || format!("cannot read {}", path.display());
    let file = tokio::fs::File::open(path).await.with_context(unreadable)?;
    let bytes = file.metadata().await.with_context(unreadable)?.len();
    let bar = bar(Some(bytes))?;
    upload(client.put_entities(feed), file, &bar).await
}

async fn upload<R: tokio::io::AsyncRead + Unpin>(
    put: PutMany<'_>,
    lines: R,
    bar: &ProgressBar,
) -> anyhow::Result<EntitiesPut> {
    let retried = bar.clone();
    let put = put.on_retry(move |error, seconds| {
        let words = format!("feedwire: {error}; trying again in {seconds:.1} s");
        retried.suspend(|| eprintln!("{words}"));
    });
    let put = put.upload(lines, |bytes| bar.set_position(bytes)).await;
    bar.finish_and_clear();
    Ok(put?)
}

/// A bar on stderr, where that is a terminal.
fn bar(bytes: Option<u64>) -> anyhow::Result<ProgressBar> {
    let (bar, style) = match bytes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{bar:32} {bytes}/{total_bytes}  {elapsed}, {eta} to go",
        ),
        None => (ProgressBar::no_length(), "{bytes}  {elapsed}"),
    };
    bar.set_style(ProgressStyle::with_template(style)?);
    bar.enable_steady_tick(TICK);
    Ok(bar)
}

fn words(changed: &EntityChange) -> String {
    let change = match changed.change.as_str() {
        "create" => "created",
        "update" => "updated",
        "delete" => "deleted",
        "none" => "unchanged",
        other => other,
    };
    match (changed.position, changed.version) {
        (Some(position), Some(version)) if change == "unchanged" => {
            format!("{change}, so since position {position}, version {version}")
        }
        (Some(position), Some(version)) => {
            format!("{change} at position {position}, version {version}")
        }
        _ => format!("{change}: it is not there"),
    }
}

fn words_of_many(put: &EntitiesPut) -> String {
    let EntitiesPut {
        count,
        created,
        updated,
        unchanged,
        last,
        ..
    } = put;
    let last = last.map(|last| format!(", the last change at position {last}"));
    let last = last.unwrap_or_default();
    format!("put {count}: {created} created, {updated} updated, {unchanged} unchanged{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_a_position_that_it_is_there_or_that_it_is_not() {
        let check = |text: &str, found| assert_eq!(condition(text).ok(), found, "{text}");
        check("*", Some(Condition::There));
        check("none", Some(Condition::Absent));
        check("17", Some(Condition::At(17)));
        check("\"17\"", Some(Condition::At(17)));
        check("x", None);
        check("", None);
    }

    #[test]
    fn the_answer_says_what_became_of_it() {
        let told = |change: &str, position: Option<u64>| {
            words(&EntityChange {
                change: change.into(),
                position,
                version: position.map(|_| 2),
                recorded_at: None,
            })
        };
        let created = told("create", Some(7));
        assert_eq!(created, "created at position 7, version 2");
        let same = told("none", Some(7));
        assert_eq!(same, "unchanged, so since position 7, version 2");
        assert_eq!(told("none", None), "unchanged: it is not there");
    }
}
