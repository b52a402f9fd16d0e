//! What connectors pushed and could not push, from the command line; and what they sign by.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use feedwire_client::{Client, NewConnectorSecret, NewReplay};

use super::super::stream::Form;
use super::super::stream::letters::{self, Which, counted};
use super::{NewSecret, handed_out, words};
use crate::webhook_secret::{self, HandOut};

/// What is pushed once more.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The connector
    name: String,
    /// From where
    #[arg(long, value_name = "WHERE")]
    from: String,
    /// Before which time, or up to which position; without it, to the end as it is now
    #[arg(long, value_name = "WHERE")]
    until: Option<String>,
    /// Where to; without it, where the connector pushes to
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What the connector that is made is named by
    #[arg(long = "as", value_name = "NAME")]
    named: Option<String>,
    #[command(flatten)]
    form: Form,
}

pub(super) async fn replay(client: &Client, replay: Replay) -> anyhow::Result<()> {
    let Replay {
        name,
        from,
        until,
        url,
        named,
        form,
    } = replay;
    let new = NewReplay {
        from,
        until,
        url,
        name: named,
    };
    let made = client.replay(&name, &new).await;
    let made = made.with_context(|| format!("cannot push once more what {name} is of"))?;
    handed_out(made, HandOut::Say, form)
}

pub(super) async fn rotate(
    client: &Client,
    name: &str,
    (file, overlap): (Option<&Path>, Option<String>),
    secret: NewSecret,
    form: Form,
) -> anyhow::Result<()> {
    let hand_out = HandOut::prepare(secret.write_secret.as_deref())?;
    let new = NewConnectorSecret {
        secret: file.map(webhook_secret::text).transpose()?,
        overlap,
    };
    let rotated = client.rotate_connector_secret(name, &new).await;
    let mut rotated =
        rotated.with_context(|| format!("cannot give the connector {name} another secret"))?;
    let secret = hand_out.taken(&mut rotated.secret);
    let words = match &rotated.previous_until {
        Some(until) => format!("connector {name} signs by the secret before too until {until}"),
        None => format!("connector {name} signs by another secret"),
    };
    form.told(&rotated, words)?;
    hand_out.done(secret, form.json)
}

pub(super) async fn test(client: &Client, name: &str, form: Form) -> anyhow::Result<ExitCode> {
    let tried = client.test_connector(name).await;
    let tried = tried.with_context(|| format!("cannot try the connector {name}"))?;
    form.told(&tried, words::delivery(&tried))?;
    Ok(if tried.delivered {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

pub(super) async fn deliveries(client: &Client, name: &str, form: Form) -> anyhow::Result<()> {
    let all = client.connector_deliveries(name).await;
    let all = all.with_context(|| format!("cannot list the requests of {name}"))?;
    let words = match &all.deliveries[..] {
        [] => format!("{name} has pushed nothing since the server was started"),
        deliveries => {
            let lines = deliveries.iter().map(words::delivery).collect::<Vec<_>>();
            lines.join("\n")
        }
    };
    form.told(&all, words)
}

pub(super) async fn letters(client: &Client, name: &str, form: Form) -> anyhow::Result<()> {
    let all = letters::all(async |after| client.undelivered(name, after).await).await;
    let all = all.with_context(|| format!("cannot list the dead letters of {name}"))?;
    form.told(&all, letters::list_words(name, &all))
}

pub(super) async fn redrive(
    client: &Client,
    name: &str,
    which: &Which,
    form: Form,
) -> anyhow::Result<()> {
    let chosen = client.redrive_undelivered(name, &which.letters()).await;
    let chosen = chosen.with_context(|| format!("cannot push dead letters of {name} again"))?;
    form.told(&chosen, format!("{} pushed again", counted(chosen)))
}

pub(super) async fn forget(
    client: &Client,
    name: &str,
    which: &Which,
    form: Form,
) -> anyhow::Result<()> {
    let chosen = client.drop_undelivered(name, &which.letters()).await;
    let chosen = chosen.with_context(|| format!("cannot drop dead letters of {name}"))?;
    form.told(&chosen, format!("{} dropped", counted(chosen)))
}
