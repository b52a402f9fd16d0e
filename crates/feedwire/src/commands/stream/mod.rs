//! `feedwire stream`: the streams of a project, and being a member of one.

mod join;
pub(super) mod letters;
mod settings;
pub(super) mod words;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use feedwire_client::{Client, NewStream, Streams};

use crate::confirm;
use crate::credential::one_line;
use crate::output::say;
use crate::remote::Remote;

const MANUAL: &str = "\
A stream is one feed shared by several connections, its members: each event goes to one of them, in order per subject, and \
when one goes away the others take over where it was. The server keeps the place. An event is acknowledged when it is dealt \
with; one that is not comes again, and after some times it is put aside as a dead letter.

All of it takes a credential (--token-file, FEEDWIRE_TOKEN) with the right `streams` for whatever the stream is of.

Examples:
  feedwire stream create billing --feed orders
  feedwire stream join billing                               run it twice, and each has half
  feedwire stream join billing -- ./handle-one-event
  feedwire stream show billing
  feedwire stream dead-letters billing

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const CREATE: &str = "\
What is not given has its default: everything, from the start, acknowledged, 64 partitions, at most 3 members. The name, \
the start, the mode and the partitions are for good.

A span has weeks, days, hours, minutes or seconds: 30s, 7days.

Examples:
  feedwire stream create billing --feed orders
  feedwire stream create alarms --type alarm.raised --start now --on-failure go-on --max-deliveries never
  feedwire stream create mirror --mode delivered --members-max 1

Exit codes: 0 made, 1 failed (stderr says why), 2 wrong usage.";

const CHANGE: &str = "\
What is not given stays as it is. Of what the stream is of, all is replaced: a list that is not given is everything. Its \
members are sent away, and come back; the place stays.

Examples:
  feedwire stream change billing --members-max 8 --ack-timeout 2min
  feedwire stream change billing --feed orders --feed refunds
  feedwire stream change billing --everything

Exit codes: 0 changed, 1 failed (stderr says why), 2 wrong usage.";

const LIST: &str = "\
Examples:
  feedwire stream list
  feedwire stream list --json | jq -r '.streams[].name'

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const SHOW: &str = "\
How the stream is, its members, and the partitions that are held or behind; with --json all of them.

Examples:
  feedwire stream show billing
  feedwire stream show billing --json | jq .lag

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const SEEK: &str = "\
The stream goes on there, whatever was acknowledged, and its members with it: `start`, `now`, a time (RFC 3339), a span ago \
such as 5hours, or a position, behind which it goes on.

Examples:
  feedwire stream seek billing --to 2hours
  feedwire stream seek billing --to start

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const DELETE: &str = "\
Deletes the stream with its checkpoints and its dead letters, for good; the events stay. Its members are sent away.

On a terminal the name has to be typed once more, unless --yes is given; elsewhere it takes --yes.

Examples:
  feedwire stream delete billing
  feedwire stream delete billing --yes

Exit codes: 0 deleted, 1 failed or not confirmed (stderr says why), 2 wrong usage.";

/// Share a feed between several readers, with the place kept by the server
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// How the answer is told.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Form {
    /// Print the server's answer as one line of JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a stream
    #[command(after_long_help = CREATE)]
    Create {
        /// Its name
        name: String,
        #[command(flatten)]
        for_good: settings::ForGood,
        #[command(flatten)]
        settings: Box<settings::Options>,
        #[command(flatten)]
        form: Form,
    },
    /// List the streams of the project
    #[command(after_long_help = LIST)]
    List {
        #[command(flatten)]
        form: Form,
    },
    /// Show a stream, its members and its partitions
    #[command(after_long_help = SHOW)]
    Show {
        /// Its name
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Change the settings of a stream
    #[command(after_long_help = CHANGE)]
    Change {
        /// Its name
        name: String,
        #[command(flatten)]
        settings: Box<settings::Options>,
        /// It is of everything
        #[arg(long, conflicts_with_all = ["feeds", "types", "subjects", "labels"])]
        everything: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Be a member of a stream: print its events, or run a command for each
    Join(join::Arguments),
    /// Have a stream go on somewhere else
    #[command(after_long_help = SEEK)]
    Seek {
        /// Its name
        name: String,
        /// Where: `start`, `now`, a time (RFC 3339), a span ago, or a position
        #[arg(long, value_name = "WHERE")]
        to: String,
        #[command(flatten)]
        form: Form,
    },
    /// Delete a stream with its checkpoints
    #[command(after_long_help = DELETE)]
    Delete {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List the events that failed too often
    #[command(after_long_help = letters::LIST)]
    DeadLetters {
        /// The stream
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Have dead letters sent again
    #[command(after_long_help = letters::REDRIVE)]
    Redrive {
        /// The stream
        name: String,
        #[command(flatten)]
        which: letters::Which,
        #[command(flatten)]
        form: Form,
    },
    /// Forget dead letters, for good
    #[command(after_long_help = letters::DROP)]
    Drop {
        /// The stream
        name: String,
        #[command(flatten)]
        which: letters::Which,
        #[command(flatten)]
        form: Form,
    },
}

impl Form {
    pub(super) fn told(self, answer: &impl serde::Serialize, words: String) -> anyhow::Result<()> {
        let text = if self.json { one_line(answer)? } else { words };
        Ok(say(&text)?)
    }
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    match arguments.action {
        Action::Create {
            name,
            for_good,
            settings,
            form,
        } => {
            let new = for_good.of(name, settings.given());
            create(&client, &new, form).await?;
        }
        Action::List { form } => {
            let all = all(&client).await.context("cannot list the streams")?;
            form.told(&all, words::table(&all.streams))?;
        }
        Action::Show { name, form } => {
            let shown = client.stream(&name).await;
            let shown = shown.with_context(|| format!("cannot show the stream {name}"))?;
            form.told(&shown, words::details(&shown))?;
        }
        Action::Change {
            name,
            settings,
            everything,
            form,
        } => {
            let mut change = settings.given();
            if everything {
                change.filter = Some(feedwire_client::StreamFilter::default());
            }
            changed(&client, &name, &change, form).await?;
        }
        Action::Join(join) => return join::run(join, &client).await,
        Action::Seek { name, to, form } => {
            let sought = client.seek(&name, &to).await;
            let sought = sought.with_context(|| format!("cannot have {name} go on at {to}"))?;
            let position = sought.position;
            form.told(
                &sought,
                format!("stream {name} goes on behind position {position}"),
            )?;
        }
        Action::Delete { name, yes } => delete(&client, &name, yes).await?,
        Action::DeadLetters { name, form } => letters::list(&client, &name, form).await?,
        Action::Redrive { name, which, form } => {
            letters::redrive(&client, &name, &which, form).await?;
        }
        Action::Drop { name, which, form } => {
            letters::forget(&client, &name, &which, form).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(client: &Client, new: &NewStream, form: Form) -> anyhow::Result<()> {
    let name = new.name.as_deref().unwrap_or_default();
    let made = client.create_stream(new).await;
    let made = made.with_context(|| format!("cannot make the stream {name}"))?;
    form.told(&made, words::stream(&made))
}

async fn changed(
    client: &Client,
    name: &str,
    change: &NewStream,
    form: Form,
) -> anyhow::Result<()> {
    if *change == NewStream::default() {
        bail!("nothing is to change: say what, such as --members-max or --ack-timeout");
    }
    let changed = client.change_stream(name, change).await;
    let changed = changed.with_context(|| format!("cannot change the stream {name}"))?;
    form.told(&changed, words::stream(&changed))
}

/// All of them.
async fn all(client: &Client) -> Result<Streams, feedwire_client::Error> {
    let mut all = client.streams(None).await?;
    while let Some(next) = all.next.take() {
        let more = client.streams(Some(&next)).await?;
        all.streams.extend(more.streams);
        all.next = more.next;
    }
    Ok(all)
}

async fn delete(client: &Client, name: &str, yes: bool) -> anyhow::Result<()> {
    let cannot = || format!("cannot delete the stream {name}");
    // It is looked for before anybody is asked whether it is to go.
    client.stream(name).await.with_context(cannot)?;
    if !yes && !confirm::typed("stream", name, "its checkpoints and its dead letters").await? {
        bail!("stream {name} is not deleted: its name was not typed");
    }
    client.delete_stream(name).await.with_context(cannot)?;
    Ok(say(&format!(
        "stream {name} is deleted, with its checkpoints and its dead letters"
    ))?)
}
