//! `feedwire stream dead-letters`, `redrive` and `drop`: events that failed too often.

use anyhow::Context as _;
use clap::Args;
use feedwire_client::{Client, DeadLetter, DeadLetters, Event, LettersChosen, WhichLetters};

use super::Form;
use crate::pretty;

pub(super) const LIST: &str = "\
An event that was sent as often as the stream says, and not acknowledged, is put aside; the later ones of its subject go on. \
It stays until it is sent again or dropped. Printed are position, how often it was sent and when it was put aside, and below \
it the event.

Examples:
  feedwire stream dead-letters billing
  feedwire stream dead-letters billing --json | jq '.dead_letters[].event'

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const REDRIVE: &str = "\
They are sent to a member, as if for the first time, and are gone once they are acknowledged.

Examples:
  feedwire stream redrive billing 4711 4712
  feedwire stream redrive billing --all

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const DROP: &str = "\
They are not sent to anybody any more. Their events stay in the feeds.

Examples:
  feedwire stream drop billing 4711 4712
  feedwire stream drop billing --all

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

/// Which dead letters.
#[derive(Debug, Args)]
pub(in super::super) struct Which {
    /// The positions of their events
    #[arg(value_name = "POSITION", required_unless_present = "all")]
    positions: Vec<u64>,
    /// All of them
    #[arg(long, conflicts_with = "positions")]
    all: bool,
}

impl Which {
    pub(in super::super) fn letters(&self) -> WhichLetters {
        WhichLetters {
            positions: self.positions.clone(),
            all: self.all,
        }
    }
}

pub(super) async fn list(client: &Client, name: &str, form: Form) -> anyhow::Result<()> {
    let all = all(async |after| client.dead_letters(name, after).await).await;
    let all = all.with_context(|| format!("cannot list the dead letters of {name}"))?;
    form.told(&all, list_words(name, &all))
}

/// The letters of `name`, two lines each.
pub(in super::super) fn list_words(name: &str, all: &DeadLetters) -> String {
    match &all.dead_letters[..] {
        [] => format!("{name} has no dead letters"),
        letters => letters.iter().map(words).collect::<Vec<_>>().join("\n"),
    }
}

/// All that `page` has, from its first to its last.
pub(in super::super) async fn all(
    page: impl AsyncFn(Option<&str>) -> Result<DeadLetters, feedwire_client::Error>,
) -> Result<DeadLetters, feedwire_client::Error> {
    let mut all = page(None).await?;
    while let Some(next) = all.next.take() {
        let more = page(Some(&next)).await?;
        all.dead_letters.extend(more.dead_letters);
        all.next = more.next;
    }
    Ok(all)
}

pub(super) async fn redrive(
    client: &Client,
    name: &str,
    which: &Which,
    form: Form,
) -> anyhow::Result<()> {
    let chosen = client.redrive(name, &which.letters()).await;
    let chosen = chosen.with_context(|| format!("cannot send dead letters of {name} again"))?;
    form.told(&chosen, format!("{} sent again", counted(chosen)))
}

pub(super) async fn forget(
    client: &Client,
    name: &str,
    which: &Which,
    form: Form,
) -> anyhow::Result<()> {
    let chosen = client.drop_letters(name, &which.letters()).await;
    let chosen = chosen.with_context(|| format!("cannot drop dead letters of {name}"))?;
    form.told(&chosen, format!("{} dropped", counted(chosen)))
}

/// How many they are, to begin a sentence.
pub(in super::super) fn counted(chosen: LettersChosen) -> String {
    match chosen.count {
        1 => "1 dead letter is".to_owned(),
        count => format!("{count} dead letters are"),
    }
}

fn words(letter: &DeadLetter) -> String {
    let times = match letter.deliveries {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    let again = if letter.redriven {
        ", being sent again"
    } else {
        ""
    };
    let reason = letter.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {}", reason.escape_debug()));
    let head = format!(
        "position {} sent {times}, put aside {}{again}{reason}",
        letter.position, letter.buried_at
    );
    let event = letter
        .event
        .as_ref()
        .map(|json| Event::from_json(json.get()));
    let event = match event {
        Some(Ok(event)) => pretty::line(&event, false),
        Some(Err(error)) => format!("an event that cannot be read: {error}"),
        None => "its event is not there any more".to_owned(),
    };
    format!("{head}\n  {}", event.trim_start())
}
