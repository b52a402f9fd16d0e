//! `feedwire key`: the credentials of a project.

mod change;
mod create;
mod rotate;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use feedwire_client::{Client, Credentials};

use crate::credential::{one_line, table, words};
use crate::output::say;
use crate::remote::Remote;

const MANUAL: &str = "\
A credential is who may do what: a key id, which is no secret, a secret, and grants. It is managed in the project that it is \
made in (--project), and can be granted something in that and in those below it; one of `_system`, in every project. Its \
token, which is key id and secret in one, is sent as `Authorization: Bearer`; or key id and secret are exchanged at \
/oauth2/token for access tokens of an hour.

All of it takes a credential (--token-file, FEEDWIRE_TOKEN) that administers the project, and each that is granted.

Examples:
  feedwire key create --name shop --publish orders
  feedwire key create --project acme --name 'acme, read only' --read '*' --write-token acme.token
  feedwire key list --project acme
  feedwire key rotate --overlap 1d KEY_ID
  feedwire key revoke KEY_ID

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const LIST: &str = "\
Examples:
  feedwire key list
  feedwire key list --project _system
  feedwire key list --json | jq -r '.credentials[].key_id'

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const SHOW: &str = "\
Everything but the secret, which nobody can show again.

Examples:
  feedwire key show KEY_ID
  feedwire key show KEY_ID --json

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const ENABLE: &str = "\
Examples:
  feedwire key enable KEY_ID

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const DISABLE: &str = "\
It proves nobody until it is enabled again. Streams that were begun by it end within seconds.

Examples:
  feedwire key disable KEY_ID

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const REVOKE: &str = "\
It is gone for good. Streams that were begun by it end within seconds.

Examples:
  feedwire key revoke KEY_ID

Exit codes: 0 revoked, 1 failed (stderr says why), 2 wrong usage.";

/// Make, list, change, rotate and revoke credentials
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Print the server's answer as one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

/// Which credential.
#[derive(Debug, Args)]
struct Named {
    /// The key id
    #[arg(value_name = "KEY_ID")]
    key_id: String,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a credential; its secret is shown once
    Create(create::Arguments),
    /// List the credentials of the project
    #[command(after_long_help = LIST)]
    List,
    /// Show a credential, without its secret
    #[command(after_long_help = SHOW)]
    Show(Named),
    /// Change what a credential may do, until when, or what it is called
    Change(change::Arguments),
    /// Let a credential prove somebody again
    #[command(after_long_help = ENABLE)]
    Enable(Named),
    /// Let a credential prove nobody, until it is enabled again
    #[command(after_long_help = DISABLE)]
    Disable(Named),
    /// Give a credential a new secret, which is shown once
    Rotate(rotate::Arguments),
    /// Revoke a credential for good
    #[command(after_long_help = REVOKE)]
    Revoke(Named),
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    let json = arguments.json;
    match arguments.action {
        Action::Create(create) => create::run(create, &client, remote.project(), json).await?,
        Action::List => list(&client, json).await?,
        Action::Show(Named { key_id }) => {
            let shown = client.credential(&key_id).await;
            let shown = shown.with_context(|| format!("cannot show the credential {key_id}"))?;
            say(&if json {
                one_line(&shown)?
            } else {
                words(&shown)
            })?;
        }
        Action::Change(change) => change::run(change, &client, remote.project(), json).await?,
        Action::Enable(Named { key_id }) => change::enable(&client, &key_id, true, json).await?,
        Action::Disable(Named { key_id }) => change::enable(&client, &key_id, false, json).await?,
        Action::Rotate(rotate) => rotate::run(rotate, &client, json).await?,
        Action::Revoke(Named { key_id }) => revoke(&client, &key_id, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let all = all(client).await.context("cannot list the credentials")?;
    say(&if json {
        one_line(&all)?
    } else {
        table(&all.credentials)
    })?;
    Ok(())
}

/// All of them.
async fn all(client: &Client) -> Result<Credentials, feedwire_client::Error> {
    let mut all = client.credentials(None).await?;
    while let Some(next) = all.next.take() {
        let more = client.credentials(Some(&next)).await?;
        all.credentials.extend(more.credentials);
        all.next = more.next;
    }
    Ok(all)
}

async fn revoke(client: &Client, key_id: &str, json: bool) -> anyhow::Result<()> {
    let cannot = || format!("cannot revoke the credential {key_id}");
    let shown = client.credential(key_id).await.with_context(cannot)?;
    client
        .revoke_credential(key_id)
        .await
        .with_context(cannot)?;
    say(&if json {
        one_line(&shown)?
    } else {
        format!("credential {key_id} is revoked: {}", shown.display_name)
    })?;
    Ok(())
}
