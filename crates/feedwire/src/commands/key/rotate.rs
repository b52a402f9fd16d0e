//! `feedwire key rotate`: a new secret, once.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use feedwire_client::{Client, Rotation};

use crate::credential::HandOut;

const MANUAL: &str = "\
The credential stays what it is, with a new secret, which is shown this once; with --write-token the new token goes into a \
new file instead. The secret that it had is taken for --overlap longer, at most 90 days, and then proves nobody: streams \
that were begun by it end. Without --overlap that is at once.

Examples:
  feedwire key rotate KEY_ID
  feedwire key rotate KEY_ID --overlap 1d --write-token new.token

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(super) struct Arguments {
    /// The key id
    #[arg(value_name = "KEY_ID")]
    key_id: String,
    /// How long the secret that it has is still taken
    #[arg(long, value_name = "SPAN")]
    overlap: Option<String>,
    /// Write the token into this new file, which only its owner may read, and do not show it
    #[arg(long, value_name = "FILE")]
    write_token: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments, client: &Client, json: bool) -> anyhow::Result<()> {
    let Arguments {
        key_id,
        overlap,
        write_token,
    } = arguments;
    let hand_out = HandOut::prepare(write_token.as_deref())?;
    let rotated = client
        .rotate_credential(&key_id, &Rotation { overlap })
        .await;
    let rotated = rotated.with_context(|| format!("cannot rotate the credential {key_id}"))?;
    hand_out.done(&rotated, json)
}
