//! Publishing lines while they are read, a portion at a time.

use std::io;

use bytes::Bytes;
use feedwire_api::{NDJSON, Problem, Uploaded};
use tokio::io::AsyncRead;

use crate::portions::{Portion, Portions};
use crate::publish::Error as PublishError;
use crate::{Error as RequestError, Publish, ids};

/// Why an upload stopped, and how far it got.
#[derive(Debug, thiserror::Error)]
#[error("{}", place(published.as_ref(), *lines, *sent))]
pub struct UploadError {
    /// What the server acknowledged before; `None` where it acknowledged nothing.
    pub published: Option<Uploaded>,
    /// Every line up to this one, counted from 1, is published.
    pub lines: u64,
    /// Every line behind this one was not sent.
    pub sent: u64,
    /// Why it stopped.
    #[source]
    pub reason: Stop,
}

/// Why an upload stopped.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The lines cannot be read further, or not as lines.
    #[error("the lines cannot be read further")]
    Read(#[source] io::Error),
    /// A portion of the lines was not published. What is said of a line is said of it as counted from the start, but the members
    /// `appended` and `last` of a problem are about the lines behind [`UploadError::lines`].
    #[error(transparent)]
    Publish(PublishError),
}

fn place(published: Option<&Uploaded>, lines: u64, sent: u64) -> String {
    let done = match published {
        Some(Uploaded { last, .. }) => {
            format!("up to line {lines} everything is published, up to position {last}")
        }
        None => "nothing was acknowledged".to_owned(),
    };
    match sent - lines {
        0 => done,
        1 => format!("{done}; it stopped at line {sent}"),
        _ => format!("{done}; it stopped at lines {} to {sent}", lines + 1),
    }
}

/// Publishes what `source` reads; tells `progress` how many bytes are published.
pub(crate) async fn run<R: AsyncRead + Unpin>(
    publish: &Publish<'_>,
    source: R,
    mut progress: impl FnMut(u64),
) -> Result<Uploaded, UploadError> {
    let mut portions = Portions::new(source, publish.is_whole());
    let mut published = None;
    let (mut lines, mut bytes) = (0, 0);
    let stop = loop {
        let portion = match portions.next().await {
            Ok(Some(portion)) => portion,
            Ok(None) => break None,
            Err(error) => break Some((lines, Stop::Read(error))),
        };
        let sent = portion.before + portion.lines;
        bytes += portion.text.len() as u64;
        if !portion.text.iter().all(u8::is_ascii_whitespace) {
            match send(publish, portion).await {
                Ok(answer) => published = Some(behind(published.take(), answer)),
                Err(error) => break Some((sent, Stop::Publish(error))),
            }
        }
        lines = sent;
        progress(bytes);
    };
    let (sent, reason) = match (stop, published.take()) {
        (Some(stop), before) => {
            published = before;
            stop
        }
        (None, Some(published)) => return Ok(published),
        // The server says what it thinks of nothing at all.
        (None, None) => match publish.send(NDJSON, Bytes::new()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => (lines, Stop::Publish(error)),
        },
    };
    Err(UploadError {
        published,
        lines,
        sent,
        reason,
    })
}

async fn send(publish: &Publish<'_>, portion: Portion) -> Result<Uploaded, PublishError> {
    let sent = publish.send(NDJSON, ids::with_ids(portion.text)).await;
    sent.map_err(|error| renumbered(error, portion.before))
}

/// The answers to a portion and to the ones `before` it, in one.
fn behind(before: Option<Uploaded>, answer: Uploaded) -> Uploaded {
    match before {
        None => answer,
        Some(before) => Uploaded {
            // What was there already may be anywhere.
            first: answer.first.min(before.first),
            last: answer.last.max(before.last),
            count: before.count + answer.count,
            duplicates: before.duplicates + answer.duplicates,
            batches: before.batches + answer.batches,
            recorded_at: if answer.batches > 0 {
                answer.recorded_at
            } else {
                before.recorded_at
            },
        },
    }
}

/// What the server said of a line of a portion, as of a line of the whole, `before` lines further on.
fn renumbered(error: PublishError, before: u64) -> PublishError {
    match error {
        PublishError::Refused(RequestError::Refused {
            mut problem,
            retry_after,
        }) => {
            renumber(&mut problem, before);
            PublishError::Refused(RequestError::Refused {
                problem,
                retry_after,
            })
        }
        error => error,
    }
}

pub(crate) fn renumber(problem: &mut Problem, before: u64) {
    let Some(sent) = problem.number("line") else {
        return;
    };
    let line = sent + before;
    problem.members.insert("line".to_owned(), line.into());
    if let Some(rest) = problem.detail.strip_prefix(&format!("line {sent}")) {
        problem.detail = format!("line {line}{rest}");
    }
}
