//! `feedwire retention`: how long a project's events are kept.

use std::process::ExitCode;

use anyhow::Context as _;
use bytesize::ByteSize;
use clap::Args;
use feedwire_client::Retention;
use indicatif::HumanCount;

use crate::output::say;
use crate::remote::Remote;

const MANUAL: &str = "\
Without an option it shows what is set; a new project keeps everything. --age and --bytes replace what was set, both of \
it: a bound that is not given is none. With both, an event goes when either lets go of it, the oldest first.

What is let go of is gone for good, soon after this is set. It goes a segment of the log at a time, up to 64 MiB, once all \
of it may go: more may stay than asked for, never less. A reader whose cursor is older is told what it lost. Counts and \
versions of subjects stay as they are.

A span has weeks, days, hours, minutes or seconds, not months: 30days, 2w, 36h, `1d 12h`. A size is in bytes, or has a \
unit: 500MB, 10GiB. It is what the project's log has on disk.

Examples:
  feedwire retention
  feedwire retention --age 30days
  feedwire retention --age 1w --bytes 10GiB
  feedwire retention --keep-all

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

/// Show or set how long events are kept
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// Keep events that were recorded within this span, and let go of older ones
    #[arg(long, value_name = "SPAN")]
    age: Option<String>,
    /// Keep the newest events up to this size on disk, and let go of older ones
    #[arg(long, value_name = "SIZE")]
    bytes: Option<ByteSize>,
    /// Let go of nothing
    #[arg(long, conflicts_with_all = ["age", "bytes"])]
    keep_all: bool,
    /// Print the server's answer as one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    let is_set = arguments.keep_all || arguments.age.is_some() || arguments.bytes.is_some();
    let retention = if is_set {
        let retention = Retention {
            age: arguments.age,
            bytes: arguments.bytes.map(|ByteSize(bytes)| bytes),
        };
        let set = client.set_retention(&retention).await;
        set.context("cannot set the retention")?
    } else {
        let shown = client.retention().await;
        shown.context("cannot show the retention")?
    };
    let text = if arguments.json {
        serde_json::to_string(&retention)?
    } else {
        words(&retention)
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn words(retention: &Retention) -> String {
    let bytes = retention.bytes.map(HumanCount);
    match (&retention.age, bytes) {
        (None, None) => "everything is kept".to_owned(),
        (Some(age), None) => format!("events are kept for {age}"),
        (None, Some(bytes)) => format!("the newest {bytes} bytes of events are kept"),
        (Some(age), Some(bytes)) => {
            format!("events are kept for {age}, of them the newest {bytes} bytes")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_is_told_in_words() {
        let check = |age: Option<&str>, bytes, told: &str| {
            let age = age.map(str::to_owned);
            assert_eq!(words(&Retention { age, bytes }), told);
        };
        check(None, None, "everything is kept");
        check(Some("30d"), None, "events are kept for 30d");
        check(
            None,
            Some(10_000),
            "the newest 10,000 bytes of events are kept",
        );
        check(
            Some("30d"),
            Some(10_000),
            "events are kept for 30d, of them the newest 10,000 bytes",
        );
    }

    #[test]
    fn a_size_is_in_bytes_or_has_a_unit() {
        let check = |text: &str, bytes| {
            let size = text.parse::<ByteSize>().ok().map(|ByteSize(size)| size);
            assert_eq!(size, bytes, "{text}");
        };
        check("123", Some(123));
        check("500MB", Some(500_000_000));
        check("10GiB", Some(10 * 1024 * 1024 * 1024));
        check("1.5 KiB", Some(1_536));
        for odd in ["", "-1", "much", "10 apples"] {
            check(odd, None);
        }
    }
}
