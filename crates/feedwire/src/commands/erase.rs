//! `feedwire erase`: a subject or a feed goes, with a receipt.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use feedwire_client::{Client, Error, NewErasure, Receipt};
use indicatif::HumanCount;

use crate::output::say;
use crate::remote::Remote;

const MANUAL: &str = "\
Erases every event that there is now of a subject, of a feed, or of the subject in the feed. When the command ends, no \
reading that starts shows them any more; the server then takes them from its disk, which --wait waits for. This cannot \
be undone. A subject that is erased from every feed loses its labels too; what is published about it later is kept.

The receipt says what was erased, up to which position, when that was asked for and when it was done. It stays on the \
server: --receipt shows it again. Backups of the server's folder are not covered: what is erased stays in those that were \
made before. Counts and versions stay as they are.

Examples:
  feedwire erase --subject N14228
  feedwire erase --subject N14228 --feed flights --wait
  feedwire erase --feed trials --json
  feedwire erase --receipt 019aa5c2-7d10-7c33-9a52-0f6f3f3d2b11

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

/// How long after a first look at a receipt the second one comes; each wait after it is twice as long.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// The longest wait between two looks at a receipt.
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(5);

/// Erase a subject or a feed, with a receipt
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The subject to erase; without --feed in every feed
    #[arg(long, value_name = "SUBJECT", required_unless_present_any = ["feed", "receipt"])]
    subject: Option<String>,
    /// The feed to erase, or to erase the subject from
    #[arg(long, value_name = "FEED")]
    feed: Option<String>,
    /// Erase nothing: show this receipt
    #[arg(long, value_name = "ID", conflicts_with_all = ["subject", "feed"])]
    receipt: Option<String>,
    /// Wait until the events are gone from the server's disk
    #[arg(long)]
    wait: bool,
    /// Print the receipt as one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    let mut receipt = if let Some(id) = &arguments.receipt {
        let receipt = client.erasure(id).await;
        receipt.with_context(|| format!("cannot show the receipt {id}"))?
    } else {
        let erasure = NewErasure {
            subject: arguments.subject,
            feed: arguments.feed,
        };
        client.erase(&erasure).await.context("cannot erase")?
    };
    if arguments.wait {
        let id = receipt.id.clone();
        let gone = gone(&client, receipt).await;
        receipt = gone.with_context(|| {
            format!("the events are hidden, but whether they are gone from disk is not known; `--receipt {id}` tells")
        })?;
    }
    let text = if arguments.json {
        serde_json::to_string(&receipt)?
    } else {
        words(&receipt)
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The receipt, once what it is about is gone from disk.
async fn gone(client: &Client, mut receipt: Receipt) -> Result<Receipt, Error> {
    let mut wait = LOOK_AGAIN;
    while receipt.erased_at.is_none() {
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LOOK_AGAIN_MAX);
        receipt = client.erasure(&receipt.id).await?;
    }
    Ok(receipt)
}

fn words(receipt: &Receipt) -> String {
    let erased = match (&receipt.erased_at, receipt.events) {
        (Some(at), Some(1)) => format!("{at}, 1 event"),
        (Some(at), events) => format!("{at}, {} events", HumanCount(events.unwrap_or_default())),
        (None, _) => "not yet from disk, but hidden".to_owned(),
    };
    let lines = [
        ("receipt", receipt.id.as_str()),
        ("subject", receipt.subject.as_deref().unwrap_or("every one")),
        ("feed", receipt.feed.as_deref().unwrap_or("every one")),
        ("through", &format!("position {}", receipt.through)),
        ("asked", &receipt.asked_at),
        ("erased", &erased),
        ("not covered", "backups that were made before"),
    ];
    let lines = lines.map(|(name, value)| format!("{name:12} {value}"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_a_line_for_each_thing_that_it_says() {
        let mut receipt = Receipt {
            id: "e1".into(),
            feed: None,
            subject: Some("N14228".into()),
            through: 456,
            asked_at: "2026-11-21T08:00:00Z".into(),
            erased_at: None,
            events: None,
        };
        let head = "\
receipt      e1
subject      N14228
feed         every one
through      position 456
asked        2026-11-21T08:00:00Z
";
        let foot = "\nnot covered  backups that were made before";
        let hidden = "erased       not yet from disk, but hidden";
        assert_eq!(words(&receipt), [head, hidden, foot].concat());
        receipt.erased_at = Some("2026-11-21T08:00:01Z".into());
        receipt.events = Some(1_200);
        let erased = "erased       2026-11-21T08:00:01Z, 1,200 events";
        assert_eq!(words(&receipt), [head, erased, foot].concat());
    }
}
