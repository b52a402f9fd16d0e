//! `feedwire feeds`: the feeds of a project with their counts.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use feedwire_client::Feeds;

use crate::output::say;
use crate::remote::Remote;

const MANUAL: &str = "\
The counts are of everything that was ever published to a feed, what retention has dropped included.

Examples:
  feedwire feeds
  feedwire feeds --json | jq '.feeds[].name'

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

/// List the feeds with their counts
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// Print the server's answer as one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    let feeds = client.feeds().await.context("cannot list the feeds")?;
    let text = if arguments.json {
        serde_json::to_string(&feeds)?
    } else {
        table(&feeds)
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(feeds: &Feeds) -> String {
    if feeds.feeds.is_empty() {
        return "there is no feed yet: a feed comes into being with its first event".to_owned();
    }
    let names = feeds.feeds.iter().map(|feed| feed.name.len());
    let width = names.max().unwrap_or_default().max("feed".len());
    let mut lines = vec![format!(
        "{:width$} {:>12} {:>12} {:>12} {:>16}",
        "feed", "events", "batches", "subjects", "last"
    )];
    lines.extend(feeds.feeds.iter().map(|feed| {
        format!(
            "{:width$} {:>12} {:>12} {:>12} {:>16}",
            feed.name, feed.events, feed.batches, feed.subjects, feed.last
        )
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use feedwire_client::Feed;

    use super::*;

    #[test]
    fn columns_stand_below_their_names() {
        let feed = Feed {
            name: "flights".into(),
            events: 12,
            batches: 3,
            subjects: 4,
            last: 101,
        };
        let feeds = Feeds {
            feeds: vec![feed],
            head: 101,
        };
        let lines = "\
feed          events      batches     subjects             last
flights           12            3            4              101";
        assert_eq!(table(&feeds), lines);
    }
}
