//! `feedwire connector`: streams that the server pushes to a URL.

mod manuals;
mod pushed;
mod settings;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use feedwire_client::{Client, Connectors, MadeConnector, NewConnector};

use super::stream::Form;
use super::stream::letters::Which;
use crate::confirm;
use crate::output::say;
use crate::remote::Remote;
use crate::webhook_secret::HandOut;

/// Have events pushed to a URL
#[derive(Debug, Args)]
#[command(after_long_help = manuals::ALL, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// Where a secret that is made goes.
#[derive(Debug, Args)]
struct NewSecret {
    /// Write the secret that is made into this new file, which only its owner may read, and do not show it
    #[arg(long, value_name = "FILE")]
    write_secret: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a connector
    #[command(after_long_help = manuals::CREATE)]
    Create {
        /// Its name
        name: String,
        /// Where to, https://
        url: String,
        #[command(flatten)]
        for_good: Box<settings::ForGood>,
        #[command(flatten)]
        settings: Box<settings::Options>,
        #[command(flatten)]
        secret: NewSecret,
        #[command(flatten)]
        form: Form,
    },
    /// List the connectors of the project
    #[command(after_long_help = manuals::LIST)]
    List {
        #[command(flatten)]
        form: Form,
    },
    /// Show a connector, how it is and how it goes
    #[command(after_long_help = manuals::SHOW)]
    Show {
        /// Its name
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Change a connector
    #[command(after_long_help = manuals::CHANGE)]
    Change {
        /// Its name
        name: String,
        /// Where to, https://
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        #[command(flatten)]
        settings: Box<settings::Options>,
        /// Its own stream is of everything
        #[arg(long, conflicts_with_all = ["feeds", "types", "subjects", "labels", "filter"])]
        everything: bool,
        /// Do not add this header any more; may be given more than once
        #[arg(long = "remove-header", value_name = "NAME")]
        removed: Vec<String>,
        #[command(flatten)]
        form: Form,
    },
    /// Have a connector wait
    #[command(after_long_help = manuals::PAUSE)]
    Pause {
        /// Its name
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Have a connector go on that is paused or disabled
    #[command(after_long_help = manuals::RESUME)]
    Resume {
        /// Its name
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Delete a connector
    #[command(after_long_help = manuals::DELETE)]
    Delete {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Have a connector sign by another secret
    #[command(after_long_help = manuals::SECRET)]
    Secret {
        /// Its name
        name: String,
        /// Sign by the secret in this file; without it, one is made
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// How long the one before signs too, at most 7d; a day where it is not said
        #[arg(long, value_name = "SPAN")]
        overlap: Option<String>,
        #[command(flatten)]
        secret: NewSecret,
        #[command(flatten)]
        form: Form,
    },
    /// Push one sample event now
    #[command(after_long_help = manuals::TEST)]
    Test {
        /// Its name
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// List the last requests of a connector
    #[command(after_long_help = manuals::DELIVERIES)]
    Deliveries {
        /// Its name
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// List the events that could not be pushed
    #[command(after_long_help = manuals::LETTERS)]
    Letters {
        /// The connector
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Have dead letters pushed again
    #[command(after_long_help = manuals::REDRIVE)]
    Redrive {
        /// The connector
        name: String,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        form: Form,
    },
    /// Forget dead letters, for good
    #[command(after_long_help = manuals::DROP)]
    Drop {
        /// The connector
        name: String,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        form: Form,
    },
    /// Push once more what a connector is of
    #[command(after_long_help = manuals::REPLAY)]
    Replay(pushed::Replay),
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    match arguments.action {
        Action::Create {
            name,
            url,
            for_good,
            settings,
            secret,
            form,
        } => {
            let new = for_good.of((name, url), settings.given()?)?;
            create(&client, &new, secret, form).await?;
        }
        Action::List { form } => {
            let all = all(&client).await.context("cannot list the connectors")?;
            form.told(&all, words::table(&all.connectors))?;
        }
        Action::Show { name, form } => {
            let shown = client.connector(&name).await;
            let shown = shown.with_context(|| format!("cannot show the connector {name}"))?;
            form.told(&shown, words::connector(&shown))?;
        }
        Action::Change {
            name,
            url,
            settings,
            everything,
            removed,
            form,
        } => {
            let mut change = settings.given()?;
            change.url = url;
            if everything {
                change.filter = Some(feedwire_client::StreamFilter::default());
            }
            if !removed.is_empty() {
                let headers = change.headers.get_or_insert_default();
                headers.extend(removed.into_iter().map(|name| (name, None)));
            }
            changed(&client, &name, &change, form).await?;
        }
        action => return moved(&client, action).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// What is done with a connector that is there, and asks for no settings.
async fn moved(client: &Client, action: Action) -> anyhow::Result<ExitCode> {
    match action {
        Action::Pause { name, form } => {
            let paused = client.pause_connector(&name).await;
            let paused = paused.with_context(|| format!("cannot pause the connector {name}"))?;
            form.told(&paused, format!("connector {name} waits"))?;
        }
        Action::Resume { name, form } => {
            let resumed = client.resume_connector(&name).await;
            let resumed = resumed.with_context(|| format!("cannot resume the connector {name}"))?;
            form.told(&resumed, format!("connector {name} goes on"))?;
        }
        Action::Delete { name, yes } => delete(client, &name, yes).await?,
        Action::Secret {
            name,
            secret_file,
            overlap,
            secret,
            form,
        } => {
            let given = (secret_file.as_deref(), overlap);
            pushed::rotate(client, &name, given, secret, form).await?;
        }
        Action::Test { name, form } => return pushed::test(client, &name, form).await,
        Action::Deliveries { name, form } => pushed::deliveries(client, &name, form).await?,
        Action::Letters { name, form } => pushed::letters(client, &name, form).await?,
        Action::Redrive { name, which, form } => {
            pushed::redrive(client, &name, &which, form).await?;
        }
        Action::Drop { name, which, form } => pushed::forget(client, &name, &which, form).await?,
        Action::Replay(replay) => pushed::replay(client, replay).await?,
        Action::Create { .. }
        | Action::List { .. }
        | Action::Show { .. }
        | Action::Change { .. } => unreachable!("it is done already"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(
    client: &Client,
    new: &NewConnector,
    secret: NewSecret,
    form: Form,
) -> anyhow::Result<()> {
    let name = new.name.as_deref().unwrap_or_default();
    let hand_out = HandOut::prepare(secret.write_secret.as_deref())?;
    let made = client.create_connector(new).await;
    let made = made.with_context(|| format!("cannot make the connector {name}"))?;
    handed_out(made, hand_out, form)
}

/// Tells a connector that was made, with its secret, or with that in a file.
fn handed_out(mut made: MadeConnector, hand_out: HandOut, form: Form) -> anyhow::Result<()> {
    let secret = hand_out.taken(&mut made.secret);
    form.told(&made, words::connector(&made.connector))?;
    hand_out.done(secret, form.json)
}

async fn changed(
    client: &Client,
    name: &str,
    change: &NewConnector,
    form: Form,
) -> anyhow::Result<()> {
    if *change == NewConnector::default() {
        bail!("nothing is to change: say what, such as --url or --concurrency");
    }
    let changed = client.change_connector(name, change).await;
    let changed = changed.with_context(|| format!("cannot change the connector {name}"))?;
    form.told(&changed, words::connector(&changed))
}

/// All of them.
async fn all(client: &Client) -> Result<Connectors, feedwire_client::Error> {
    let mut all = client.connectors(None).await?;
    while let Some(next) = all.next.take() {
        let more = client.connectors(Some(&next)).await?;
        all.connectors.extend(more.connectors);
        all.next = more.next;
    }
    Ok(all)
}

async fn delete(client: &Client, name: &str, yes: bool) -> anyhow::Result<()> {
    let cannot = || format!("cannot delete the connector {name}");
    // It is looked for before anybody is asked whether it is to go.
    let there = client.connector(name).await.with_context(cannot)?;
    let with = if there.owns_stream {
        "its stream and its dead letters"
    } else {
        "its secrets"
    };
    if !yes && !confirm::typed("connector", name, with).await? {
        bail!("connector {name} is not deleted: its name was not typed");
    }
    client.delete_connector(name).await.with_context(cannot)?;
    Ok(say(&format!("connector {name} is deleted, with {with}"))?)
}
