//! `feedwire key change`: what of a credential is to be another. `enable` and `disable` are changes too.

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_client::{Client, CredentialChange, Expiry, RateLimits};

use crate::credential::{one_line, words};
use crate::output::say;
use crate::{expiry, grants, rate_limits};

const MANUAL: &str = "\
What is not named stays as it is. Grants replace all that were there, and are written as for `feedwire key create`; limits \
replace all that were there too. Streams that were begun by it end within seconds if it may no longer do what it might.

Examples:
  feedwire key change KEY_ID --name 'shop, new'
  feedwire key change KEY_ID --read orders --read 'shipments.*'
  feedwire key change KEY_ID --expires-at 2027-01-01T00:00:00Z
  feedwire key change KEY_ID --never-expires --requests 100 --publish-bytes 1MiB
  feedwire key change KEY_ID --no-limits

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(super) struct Arguments {
    /// The key id
    #[arg(value_name = "KEY_ID")]
    key_id: String,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The issuer of the assertions that are signed with its secret
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    #[command(flatten)]
    grants: grants::Options,
    #[command(flatten)]
    expiry: expiry::Options,
    /// It ends when it is revoked
    #[arg(long, conflicts_with_all = ["expires_in", "expires_at"])]
    never_expires: bool,
    #[command(flatten)]
    limits: rate_limits::Options,
    /// It has no limits
    #[arg(long, conflicts_with_all = ["requests", "publish_bytes", "readers"])]
    no_limits: bool,
}

impl Arguments {
    fn change(&self, project: &str) -> anyhow::Result<CredentialChange> {
        let grants = self.grants.grants(project)?;
        let never = || self.never_expires.then_some(Expiry::Never);
        let limits = self.limits.given();
        Ok(CredentialChange {
            display_name: self.name.clone(),
            email: self.email.clone(),
            grants: (!grants.is_empty()).then_some(grants),
            expires_at: self.expiry.time().map(Expiry::At).or_else(never),
            enabled: None,
            limits: limits.or_else(|| self.no_limits.then(RateLimits::default)),
        })
    }
}

pub(super) async fn run(
    arguments: Arguments,
    client: &Client,
    project: &str,
    json: bool,
) -> anyhow::Result<()> {
    let change = arguments.change(project)?;
    if change == CredentialChange::default() {
        bail!("nothing is to change: say what, such as --name or --expires-in");
    }
    changed(client, &arguments.key_id, &change, json).await
}

/// Lets the credential prove somebody, or nobody.
pub(super) async fn enable(
    client: &Client,
    key_id: &str,
    is_enabled: bool,
    json: bool,
) -> anyhow::Result<()> {
    let change = CredentialChange {
        enabled: Some(is_enabled),
        ..CredentialChange::default()
    };
    changed(client, key_id, &change, json).await
}

async fn changed(
    client: &Client,
    key_id: &str,
    change: &CredentialChange,
    json: bool,
) -> anyhow::Result<()> {
    let changed = client.change_credential(key_id, change).await;
    let changed = changed.with_context(|| format!("cannot change the credential {key_id}"))?;
    say(&if json {
        one_line(&changed)?
    } else {
        words(&changed)
    })?;
    Ok(())
}
