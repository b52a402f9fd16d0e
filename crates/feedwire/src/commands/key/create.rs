//! `feedwire key create`: a credential, and its secret, once.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_client::{Client, NewCredential};

use crate::credential::HandOut;
use crate::expiry;
use crate::{grants, rate_limits};

const MANUAL: &str = "\
What is granted in the project of --project is said by --read, --publish and --admin; --subject or --label confine the first \
two to events about some. They are one grant, with the same feeds for both. --grant says the rest: PROJECT:RIGHTS or \
PROJECT:RIGHTS:FEEDS, where PROJECT is one, `acme.*` for all below acme, or `*` for all; RIGHTS are of publish, read, \
streams, connectors and admin, which brings all others. Or it is the JSON of the API, which can confine too. Of several \
grants that fit a project, the narrowest holds.

The secret and the token, which is key id and secret in one, are shown this once. With --write-token the token goes into a \
new file that only its owner may read, as --token-file takes it, and neither is shown.

A span has weeks, days, hours, minutes or seconds: 30days, 12h. A time is in RFC 3339.

Examples:
  feedwire key create --name shop --publish orders
  feedwire key create --name partner --read orders,'shipments.*' --expires-in 90days
  feedwire key create --name meter --read readings --label customer=4711 --write-token meter.token
  feedwire key create --project acme --name 'admin of acme' --admin --grant 'acme.*:admin'
  feedwire key create --project _system --name auditor --grant '_system:read:_audit'
  feedwire key create --grant '{\"project\":\"default\",\"rights\":[\"read\"],\"subjects\":[\"42\"]}' --json

Exit codes: 0 made, 1 failed (stderr says why), 2 wrong usage.";

#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(super) struct Arguments {
    /// What people call it
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    name: String,
    /// The issuer of the assertions that are signed with its secret; one is made up without
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    #[command(flatten)]
    grants: grants::Options,
    #[command(flatten)]
    expiry: expiry::Options,
    #[command(flatten)]
    limits: rate_limits::Options,
    /// Write the token into this new file, which only its owner may read, and do not show it
    #[arg(long, value_name = "FILE")]
    write_token: Option<PathBuf>,
}

pub(super) async fn run(
    arguments: Arguments,
    client: &Client,
    project: &str,
    json: bool,
) -> anyhow::Result<()> {
    let grants = arguments.grants.grants(project)?;
    if grants.is_empty() {
        bail!("a credential may do something: say what with --read, --publish, --admin or --grant");
    }
    let hand_out = HandOut::prepare(arguments.write_token.as_deref())?;
    let new = NewCredential {
        display_name: arguments.name,
        email: arguments.email,
        grants,
        expires_at: arguments.expiry.time(),
        limits: arguments.limits.given().unwrap_or_default(),
    };
    let made = client.create_credential(&new).await;
    hand_out.done(&made.context("cannot make the credential")?, json)
}
