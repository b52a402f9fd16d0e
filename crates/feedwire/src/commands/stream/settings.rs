//! How a stream is to be, as it is said on the command line.

use clap::{Args, ValueEnum};
use feedwire_client::{MaxDeliveries, NewStream};

use crate::selection::Selection;

/// What cannot be changed later.
#[derive(Debug, Args)]
pub(super) struct ForGood {
    /// Where it starts: `start`, `now`, a time (RFC 3339), a span ago, or a position
    #[arg(long, value_name = "START")]
    start: Option<String>,
    /// Whether events are acknowledged, or taken for done when they were sent
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// How many partitions its subjects are spread over, a power of two
    #[arg(long, value_name = "N")]
    partitions: Option<u64>,
}

/// What can.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    selection: Selection,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// Most members at once
    #[arg(long, value_name = "N")]
    members_max: Option<u64>,
    /// How often a member has a heartbeat
    #[arg(long, value_name = "SPAN")]
    heartbeat: Option<String>,
    /// How long an acknowledgement is waited for before the event comes again
    #[arg(long, value_name = "SPAN")]
    ack_timeout: Option<String>,
    /// Most events that are at one member and not acknowledged
    #[arg(long, value_name = "N")]
    max_in_flight: Option<u64>,
    /// How often an event is sent before it is put aside: a number, or `never`
    #[arg(long, value_name = "N|never", value_parser = deliveries)]
    max_deliveries: Option<MaxDeliveries>,
    /// What the later events of a subject do when one fails
    #[arg(long, value_enum)]
    on_failure: Option<OnFailure>,
    /// How long its place is kept without any member
    #[arg(long, value_name = "SPAN")]
    checkpoint_lifetime: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// The client says when an event is done
    Explicit,
    /// It is taken for done when it was sent on a connection that lives
    Delivered,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OnFailure {
    /// They come behind it
    Wait,
    /// They go on without it
    GoOn,
}

fn deliveries(text: &str) -> Result<MaxDeliveries, &'static str> {
    if text == "never" {
        return Ok(MaxDeliveries::Unbounded);
    }
    let times = text.parse().ok().map(MaxDeliveries::Times);
    times.ok_or("it is a number, or `never` for an event that is never put aside")
}

impl ForGood {
    /// The stream `name` with these, and with `settings`.
    pub(super) fn of(self, name: String, settings: NewStream) -> NewStream {
        NewStream {
            name: Some(name),
            start: self.start,
            mode: self.mode.map(|mode| match mode {
                Mode::Explicit => "explicit".to_owned(),
                Mode::Delivered => "delivered".to_owned(),
            }),
            partitions: self.partitions,
            ..settings
        }
    }
}

impl Options {
    /// What is given of them.
    pub(super) fn given(self) -> NewStream {
        NewStream {
            display_name: self.display_name,
            filter: self.selection.given(),
            members_max: self.members_max,
            heartbeat: self.heartbeat,
            checkpoint_lifetime: self.checkpoint_lifetime,
            ack_timeout: self.ack_timeout,
            max_in_flight: self.max_in_flight,
            max_deliveries: self.max_deliveries,
            on_failure: self.on_failure.map(|on_failure| match on_failure {
                OnFailure::Wait => "wait".to_owned(),
                OnFailure::GoOn => "go_on".to_owned(),
            }),
            ..NewStream::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Words {
        #[command(flatten)]
        for_good: ForGood,
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn what_is_not_said_is_left_to_the_server() {
        let check = |words: &str, json: &str| {
            let given = ["feedwire"].into_iter().chain(words.split_whitespace());
            let Words { for_good, options } = Words::parse_from(given);
            let stream = for_good.of("s".to_owned(), options.given());
            assert_eq!(serde_json::to_string(&stream).expect("JSON"), json);
        };
        check("", r#"{"name":"s"}"#);
        check(
            "--start now --mode delivered --partitions 8 --on-failure go-on",
            r#"{"name":"s","start":"now","mode":"delivered","partitions":8,"on_failure":"go_on"}"#,
        );
        check(
            "--feed a --feed b --label k=v --max-deliveries never",
            r#"{"name":"s","filter":{"feeds":["a","b"],"labels":["k=v"]},"max_deliveries":null}"#,
        );
        check("--max-deliveries 3", r#"{"name":"s","max_deliveries":3}"#);
        let odd = ["feedwire", "--max-deliveries", "often"];
        assert!(Words::try_parse_from(odd).is_err());
    }
}
