//! Putting entities that are read as lines, a portion at a time.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use feedwire_api::EntitiesPut;
use tokio::io::AsyncRead;

use crate::backoff::Backoff;
use crate::portions::Portions;
use crate::{Client, Error as RequestError, upload};

/// Tries of a portion before it is given up, unless told otherwise: as many as publishing has.
const TRIES_MAX: u32 = 8;

/// Putting many entities of a feed. Made by [`Client::put_entities`].
///
/// A portion of the lines that met no answer, or one that passes, is sent again after a wait: what it had put already is so, and
/// is not changed again, except for a subject that comes twice in it.
#[derive(Clone)]
#[must_use = "nothing is put until lines are given"]
pub struct PutMany<'a> {
    client: &'a Client,
    feed: &'a str,
    tries_max: u32,
    on_retry: Option<OnRetry<'a>>,
}

/// What is told of every wait: why, and how long in seconds.
type OnRetry<'a> = Arc<dyn Fn(&RequestError, f32) + Send + Sync + 'a>;

/// Why putting stopped, and how far it got.
#[derive(Debug, thiserror::Error)]
#[error("{}", place(put, *lines))]
pub struct PutError {
    /// What is put for certain.
    pub put: EntitiesPut,
    /// Every line up to this one, counted from 1, is put.
    pub lines: u64,
    /// Why it stopped.
    #[source]
    pub reason: PutStop,
}

/// Why putting stopped.
#[derive(Debug, thiserror::Error)]
pub enum PutStop {
    /// The lines cannot be read further, or not as lines.
    #[error("the lines cannot be read further")]
    Read(#[source] io::Error),
    /// The server did not put them. What is said of a line is said of it as counted from the start.
    #[error(transparent)]
    Refused(RequestError),
}

fn place(put: &EntitiesPut, lines: u64) -> String {
    if lines == 0 {
        return "nothing is known to be put".to_owned();
    }
    let EntitiesPut {
        created, updated, ..
    } = put;
    format!("up to line {lines} everything is put, {created} created and {updated} updated")
}

impl fmt::Debug for PutMany<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutMany")
            .field("client", self.client)
            .field("feed", &self.feed)
            .field("tries_max", &self.tries_max)
            .finish_non_exhaustive()
    }
}

impl<'a> PutMany<'a> {
    pub(crate) fn new(client: &'a Client, feed: &'a str) -> Self {
        Self {
            client,
            feed,
            tries_max: TRIES_MAX,
            on_retry: None,
        }
    }

    /// Gives a portion up after `tries`, at least one.
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries_max = tries.max(1);
        self
    }

    /// Calls `told` whenever a try failed and another follows, before the wait, with the error and how many seconds that takes.
    pub fn on_retry(mut self, told: impl Fn(&RequestError, f32) + Send + Sync + 'a) -> Self {
        self.on_retry = Some(Arc::new(told));
        self
    }

    /// Puts newline delimited JSON, `{"subject":…,"data":{…}}` a line, while it is read, of any length; `progress` is told how
    /// many bytes are put.
    pub async fn upload<R: AsyncRead + Unpin>(
        self,
        lines: R,
        mut progress: impl FnMut(u64),
    ) -> Result<EntitiesPut, PutError> {
        let mut portions = Portions::new(lines, false);
        let (mut put, mut lines, mut bytes) = (nothing(), 0, 0);
        let reason = loop {
            let portion = match portions.next().await {
                Ok(Some(portion)) => portion,
                Ok(None) => return Ok(put),
                Err(error) => break PutStop::Read(error),
            };
            let (before, sent) = (portion.before, portion.before + portion.lines);
            bytes += portion.text.len() as u64;
            if !portion.text.iter().all(u8::is_ascii_whitespace) {
                match self.send(portion.text).await {
                    Ok(answer) => put = both(put, answer),
                    Err(error) => {
                        let (part, line) = before_bad(&error);
                        put = both(put, part);
                        lines = before + line.saturating_sub(1);
                        break PutStop::Refused(renumbered(error, before));
                    }
                }
            }
            lines = sent;
            progress(bytes);
        };
        Err(PutError { put, lines, reason })
    }

    async fn send(&self, text: Bytes) -> Result<EntitiesPut, RequestError> {
        let mut backoff = Backoff::new();
        loop {
            let error = match self.client.put_lines(self.feed, text.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait = backoff.fail(error.retry_after());
            if !error.is_passing() || backoff.failed() >= self.tries_max {
                return Err(error);
            }
            if let Some(told) = &self.on_retry {
                told(&error, wait.as_secs_f32());
            }
            tokio::time::sleep(wait).await;
        }
    }
}

/// What a refused portion has put nevertheless, and the line from 1 before which that is; 0 where it is about no line.
fn before_bad(error: &RequestError) -> (EntitiesPut, u64) {
    let Some(problem) = error.problem() else {
        return (nothing(), 0);
    };
    let number = |name: &str| problem.number(name).unwrap_or_default();
    let put = EntitiesPut {
        count: number("put"),
        created: number("created"),
        updated: number("updated"),
        unchanged: number("unchanged"),
        last: problem.number("last"),
        recorded_at: None,
    };
    (put, number("line"))
}

fn nothing() -> EntitiesPut {
    EntitiesPut {
        count: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        last: None,
        recorded_at: None,
    }
}

/// Both answers in one.
fn both(before: EntitiesPut, answer: EntitiesPut) -> EntitiesPut {
    EntitiesPut {
        count: before.count + answer.count,
        created: before.created + answer.created,
        updated: before.updated + answer.updated,
        unchanged: before.unchanged + answer.unchanged,
        last: answer.last.or(before.last),
        recorded_at: answer.recorded_at.or(before.recorded_at),
    }
}

/// What the server said of a line of a portion, as of a line of the whole, `before` lines further on.
fn renumbered(error: RequestError, before: u64) -> RequestError {
    match error {
        RequestError::Refused {
            mut problem,
            retry_after,
        } => {
            upload::renumber(&mut problem, before);
            RequestError::Refused {
                problem,
                retry_after,
            }
        }
        error => error,
    }
}
