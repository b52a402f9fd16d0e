//! How a connector is to be, as it is said on the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, ValueEnum};
use feedwire_client::NewConnector;

use crate::selection::Selection;
use crate::webhook_secret;

/// What cannot be changed later.
#[derive(Debug, Args)]
pub(super) struct ForGood {
    /// Where it starts: `start`, `now`, a time (RFC 3339), a span ago, or a position
    #[arg(long, value_name = "START")]
    start: Option<String>,
    /// Push this stream, which is there, instead of one of its own
    #[arg(
        long,
        value_name = "STREAM",
        conflicts_with_all = ["start", "feeds", "types", "subjects", "labels", "filter"]
    )]
    stream: Option<String>,
    /// Sign by the secret in this file; it can also stand in the environment as `FEEDWIRE_WEBHOOK_SECRET`. Without one, one is made
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Have it wait until it is resumed
    #[arg(long)]
    paused: bool,
}

/// What can.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    selection: Selection,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// How its bodies look
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Most events of a request, with --format batch
    #[arg(long, value_name = "N")]
    batch_size: Option<u64>,
    /// How long an event waits for others to be in one request with it, such as 500ms
    #[arg(long, value_name = "SPAN")]
    linger: Option<String>,
    /// Most requests on their way at once
    #[arg(long, value_name = "N")]
    concurrency: Option<u64>,
    /// How long an answer is waited for
    #[arg(long, value_name = "SPAN")]
    timeout: Option<String>,
    /// How long the first wait before a retry may be
    #[arg(long, value_name = "SPAN")]
    retry_first: Option<String>,
    /// How long any wait before a retry may be
    #[arg(long, value_name = "SPAN")]
    retry_most: Option<String>,
    /// How long after its first failure an event is given up
    #[arg(long, value_name = "SPAN")]
    retry_age: Option<String>,
    /// After how long without a success it is disabled
    #[arg(long, value_name = "SPAN")]
    disable_after: Option<String>,
    /// How many redirects a request follows
    #[arg(long, value_name = "N")]
    redirects: Option<u64>,
    /// Add the headers in this file to its requests, a line each: `Name: value`
    #[arg(long, value_name = "FILE")]
    headers_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One event as JSON with its attributes
    Structured,
    /// One event, whose data is the body and whose attributes are headers
    Binary,
    /// An array of events
    Batch,
}

impl ForGood {
    /// The connector `name` to `url` with these, and with `settings`.
    pub(super) fn of(
        self,
        (name, url): (String, String),
        settings: NewConnector,
    ) -> anyhow::Result<NewConnector> {
        Ok(NewConnector {
            name: Some(name),
            url: Some(url),
            start: self.start,
            stream: self.stream,
            secret: webhook_secret::find(self.secret_file.as_deref())?,
            paused: self.paused.then_some(true),
            ..settings
        })
    }
}

impl Options {
    /// What is given of them.
    pub(super) fn given(self) -> anyhow::Result<NewConnector> {
        let headers = self.headers_file.as_deref().map(headers).transpose()?;
        Ok(NewConnector {
            display_name: self.display_name,
            filter: self.selection.given(),
            format: self.format.map(|format| {
                match format {
                    Format::Structured => "structured",
                    Format::Binary => "binary",
                    Format::Batch => "batch",
                }
                .to_owned()
            }),
            batch_size: self.batch_size,
            linger: self.linger,
            concurrency: self.concurrency,
            timeout: self.timeout,
            retry_first: self.retry_first,
            retry_most: self.retry_most,
            retry_age: self.retry_age,
            disable_after: self.disable_after,
            redirects: self.redirects,
            headers,
            ..NewConnector::default()
        })
    }
}

/// The headers in the file at `path`.
fn headers(path: &Path) -> anyhow::Result<BTreeMap<String, Option<String>>> {
    let text = webhook_secret::text(path)?;
    let mut headers = BTreeMap::new();
    let lines = text.lines().enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let Some((name, value)) = line.split_once(':') else {
            // What stands there may be a secret.
            let path = path.display();
            bail!(
                "line {} of {path} is no header: one is written as `Name: value`",
                index + 1
            );
        };
        headers.insert(name.trim().to_owned(), Some(value.trim().to_owned()));
    }
    Ok(headers)
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

    fn read(words: &str) -> anyhow::Result<NewConnector> {
        let given = ["feedwire"].into_iter().chain(words.split_whitespace());
        let Words { for_good, options } = Words::try_parse_from(given)?;
        for_good.of(("c".to_owned(), "https://h/".to_owned()), options.given()?)
    }

    #[test]
    fn what_is_not_said_is_left_to_the_server() {
        let check = |words: &str, json: &str| {
            let connector = read(words).expect("a connector");
            assert_eq!(serde_json::to_string(&connector).expect("JSON"), json);
        };
        check("", r#"{"name":"c","url":"https://h/"}"#);
        check(
            "--stream billing --format batch --batch-size 5 --linger 500ms --paused",
            r#"{"name":"c","url":"https://h/","stream":"billing","format":"batch","batch_size":5,"linger":"500ms","paused":true}"#,
        );
        check(
            "--feed a --feed b --start now --retry-most 1h",
            r#"{"name":"c","url":"https://h/","filter":{"feeds":["a","b"]},"start":"now","retry_most":"1h"}"#,
        );
        for odd in [
            "--stream s --feed f",
            "--stream s --start now",
            "--format xml",
        ] {
            assert!(read(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn headers_are_lines_of_a_file_and_what_is_none_is_not_repeated() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("headers");
        std::fs::write(&path, "Authorization: Bearer a:b\n\n X-Key:k \n").expect("written");
        let found = headers(&path).expect("headers");
        let value = |text: &str| Some(text.to_owned());
        let expected = [
            ("Authorization".to_owned(), value("Bearer a:b")),
            ("X-Key".to_owned(), value("k")),
        ];
        assert_eq!(found, BTreeMap::from(expected));
        std::fs::write(&path, "X-Key: k\nhunter2").expect("written");
        let words = headers(&path).expect_err("no header").to_string();
        assert!(words.starts_with("line 2 of "), "{words}");
        assert!(!words.contains("hunter2"), "{words}");
    }
}
