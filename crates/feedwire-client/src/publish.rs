//! Publishing, with further tries where one brought no answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use feedwire_api::{KIND_PREFIX, NDJSON, NewEvent, Published, Uploaded};
use http::Method;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncRead;

use crate::backoff::Backoff;
use crate::connection::{JSON, request};
use crate::query::Query;
use crate::upload::{self, UploadError};
use crate::{Client, Error as RequestError, ids};

/// Tries before it is given up, unless told otherwise. With the waits between them it takes about three quarters of a minute
/// where a server is away, which is more than a restart takes.
const TRIES_MAX: u32 = 8;

/// What a subject must be at for its events to be taken; otherwise the server refuses with a `conflict`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It has had no event in this feed.
    Nothing,
    /// Its version: how many batches it has had.
    Version(u64),
    /// The position of its last event.
    Position(u64),
}

/// Publishing to a feed. What is acknowledged is on the server's disk.
///
/// # Tries
///
/// Where the server cannot be reached, the connection is lost, or the answer is one that passes (statuses 408, 425, 429 and
/// most from 500 on), the same bytes are sent again after a wait: half a second at first, doubled each time up to half a
/// minute, spread by chance, and as long as `Retry-After` asks, up to five minutes. It is given up after 8 tries, or those that
/// [`Publish::tries`] sets.
///
/// **No try publishes an event twice**, as long as fewer than 500,000 events of the project come in between. Every event without
/// an id is given one before the first try, and the server, which knows that many of the last events at least, answers an event
/// that it has with the position that it has it at. The answer
/// then says so (`duplicate`, `duplicates`), also where it is an earlier try of the same call that it has it from. The server looks
/// for what it has before it looks at what is [expected](Publish::expect), so a `conflict` is never with an earlier try.
///
/// # Cancelling
///
/// A call that is dropped before it is done may have published its events or not: all of a batch or none of it, and of lines
/// up to some line. To publish the same events again later, give them ids ([`new_id`](crate::new_id)) and keep them.
#[derive(Clone)]
#[must_use = "nothing is published until events are given"]
pub struct Publish<'a> {
    client: &'a Client,
    feed: &'a str,
    expect: Option<Expect>,
    tries_max: u32,
    on_retry: Option<OnRetry<'a>>,
}

/// What is told of every wait.
type OnRetry<'a> = Arc<dyn Fn(&Retry<'_>) + Send + Sync + 'a>;

/// A try that failed, after which another follows. See [`Publish::on_retry`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Retry<'e> {
    /// Why it failed.
    pub error: &'e RequestError,
    /// How many tries have failed, with this one.
    pub failed: u32,
    /// How long it is waited before the next.
    pub wait: Duration,
    /// Whether one of the tries so far may have published the events.
    pub in_doubt: bool,
}

/// Why events were not published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refuses them, and would again; or they cannot be written. None of them is published, except that of lines those
    /// are that stand in front of the bad one, as the problem's members `appended` and `last` say.
    #[error(transparent)]
    Refused(RequestError),
    /// So many tries failed, and for certain: none of the events is published.
    #[error("given up after {}", times(*tries))]
    GaveUp {
        /// How many.
        tries: u32,
        /// What the last one met.
        #[source]
        last: RequestError,
    },
    /// So many tries failed, and at least one of them may have published the events. To publish them again, and once, they need
    /// ids of their own ([`new_id`](crate::new_id)).
    #[error("whether it was published is not known after {}", times(*tries))]
    InDoubt {
        /// How many.
        tries: u32,
        /// What the last one met.
        #[source]
        last: RequestError,
    },
}

fn times(tries: u32) -> String {
    match tries {
        1 => "1 try".to_owned(),
        tries => format!("{tries} tries"),
    }
}

impl Error {
    /// What the request met: the last one, where there was more than one.
    pub fn request(&self) -> &RequestError {
        match self {
            Self::Refused(error)
            | Self::GaveUp { last: error, .. }
            | Self::InDoubt { last: error, .. } => error,
        }
    }
}

impl fmt::Debug for Publish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("client", self.client)
            .field("feed", &self.feed)
            .field("expect", &self.expect)
            .field("tries_max", &self.tries_max)
            .finish_non_exhaustive()
    }
}

impl<'a> Publish<'a> {
    pub(crate) fn new(client: &'a Client, feed: &'a str) -> Self {
        Self {
            client,
            feed,
            expect: None,
            tries_max: TRIES_MAX,
            on_retry: None,
        }
    }

    /// Publishes only if the subject, which all events must share, is as expected.
    pub fn expect(mut self, expect: Expect) -> Self {
        self.expect = Some(expect);
        self
    }

    /// Gives up after `tries`, at least one; with one, nothing is sent twice.
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries_max = tries.max(1);
        self
    }

    /// Calls `told` whenever a try failed and another follows, before the wait: to log it, for example.
    pub fn on_retry(mut self, told: impl Fn(&Retry<'_>) + Send + Sync + 'a) -> Self {
        self.on_retry = Some(Arc::new(told));
        self
    }

    /// Publishes one event.
    pub async fn event(self, event: &NewEvent) -> Result<Published, Error> {
        self.written(event).await
    }

    /// Publishes up to 1,000 events as one batch: all or none, one after the other.
    pub async fn batch(self, events: &[NewEvent]) -> Result<Published, Error> {
        self.written(events).await
    }

    async fn written<T: Serialize + ?Sized>(self, events: &T) -> Result<Published, Error> {
        let text = serde_json::to_vec(events)
            .map_err(|error| Error::Refused(RequestError::Unwritable(error.into())))?;
        self.json(text).await
    }

    /// Publishes an event, or an array of them as one batch, that is JSON already.
    pub async fn json(self, text: impl Into<Bytes>) -> Result<Published, Error> {
        self.send(JSON, ids::in_document(text.into())).await
    }

    /// Publishes newline delimited JSON that is in memory: an event a line, appended in batches of up to 1,000.
    ///
    /// What an earlier try had published is counted in `count`, and in `duplicates` too.
    pub async fn lines(self, text: impl Into<Bytes>) -> Result<Uploaded, Error> {
        self.send(NDJSON, ids::with_ids(text)).await
    }

    /// Publishes newline delimited JSON while it is read, of any length, and tells `progress` how many bytes are published.
    ///
    /// What is read is kept until it is published, so that it can be sent again: up to 1,000 lines or 1 MiB at a time, or what
    /// there is when the reading pauses for a tenth of a second. Each of these portions has its own tries. With
    /// [`Publish::expect`], all lines together are one portion and have to fit one batch.
    ///
    /// When it is cancelled or fails, part of the lines may be published; the error says how many are for certain.
    pub async fn upload<R, P>(self, lines: R, progress: P) -> Result<Uploaded, UploadError>
    where
        R: AsyncRead + Unpin,
        P: FnMut(u64),
    {
        upload::run(&self, lines, progress).await
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.expect.is_some()
    }

    /// Sends `text` until it is answered. Each event in it has an id.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        content_type: &'static str,
        text: Bytes,
    ) -> Result<T, Error> {
        let mut backoff = Backoff::new();
        let mut in_doubt = false;
        loop {
            let request = self.request(content_type);
            let answer = self.client.connection().tell(request, text.clone());
            let error = match answer.await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            in_doubt = error.is_in_doubt() || (in_doubt && !is_of_every_try(&error));
            let wait = backoff.fail(error.retry_after());
            let failed = backoff.failed();
            if !error.is_passing() || failed >= self.tries_max {
                return Err(ended(error, failed, in_doubt));
            }
            if let Some(told) = &self.on_retry {
                told(&Retry {
                    error: &error,
                    failed,
                    wait,
                    in_doubt,
                });
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn request(&self, content_type: &'static str) -> http::request::Builder {
        let mut query = Query::default();
        match self.expect {
            None => {}
            Some(Expect::Nothing) => query.push("expect", "none"),
            Some(Expect::Version(version)) => query.push("expect", &format!("version:{version}")),
            Some(Expect::Position(position)) => {
                query.push("expect", &format!("position:{position}"));
            }
        }
        let url = self.client.url(&["feeds", self.feed, "events"]) + query.as_str();
        request(Method::POST, &url).header(CONTENT_TYPE, content_type)
    }
}

/// Whether `error` says that no earlier try was taken either: something is wrong with the events themselves, or the subject is
/// not where it is expected, which the server looks at only when it does not have the events.
fn is_of_every_try(error: &RequestError) -> bool {
    error.problem().is_some_and(|problem| {
        problem.ty.starts_with(KIND_PREFIX) && matches!(problem.status, 400 | 409 | 413)
    })
}

fn ended(last: RequestError, tries: u32, in_doubt: bool) -> Error {
    if in_doubt {
        Error::InDoubt { tries, last }
    } else if last.is_passing() {
        Error::GaveUp { tries, last }
    } else {
        Error::Refused(last)
    }
}
