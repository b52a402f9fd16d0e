//! Publishing.

use bytes::Bytes;
use feedwire_api::{NDJSON, NewEvent, Published, Uploaded};
use http::Method;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncRead;

use crate::connection::{JSON, Outgoing, full, request};
use crate::lines::Lines;
use crate::query::Query;
use crate::{Client, Error};

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
/// A request is never sent twice: after [`Error::Lost`] the caller alone can tell whether a second event would do harm.
#[derive(Clone, Debug)]
#[must_use = "nothing is published until events are given"]
pub struct Publish<'a> {
    client: &'a Client,
    feed: &'a str,
    expect: Option<Expect>,
}

impl<'a> Publish<'a> {
    pub(crate) fn new(client: &'a Client, feed: &'a str) -> Self {
        Self {
            client,
            feed,
            expect: None,
        }
    }

    /// Publishes only if the subject, which all events must share, is as expected.
    pub fn expect(mut self, expect: Expect) -> Self {
        self.expect = Some(expect);
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
        let text = serde_json::to_vec(events).map_err(|error| Error::Unwritable(error.into()))?;
        self.json(text).await
    }

    /// Publishes an event, or an array of them as one batch, that is JSON already.
    pub async fn json(self, text: impl Into<Bytes>) -> Result<Published, Error> {
        let (request, body) = (self.request(JSON), full(text.into()));
        self.client.connection().tell(request, body).await
    }

    /// Publishes newline delimited JSON that is in memory: an event a line, appended in batches of up to 1,000.
    pub async fn lines(self, text: impl Into<Bytes>) -> Result<Uploaded, Error> {
        let (request, body) = (self.request(NDJSON), full(text.into()));
        self.client.connection().tell(request, body).await
    }

    /// Publishes newline delimited JSON while it is read, of any length. `progress` is told how many bytes are sent.
    ///
    /// When a line is refused, the problem's members `appended` and `last` say how far it got.
    pub async fn upload<R, P>(self, lines: R, progress: P) -> Result<Uploaded, Error>
    where
        R: AsyncRead + Send + Unpin + 'static,
        P: FnMut(u64) + Send + Unpin + 'static,
    {
        let body = Lines::new(lines, progress).boxed_unsync();
        self.upload_body(body).await
    }

    async fn upload_body<T: DeserializeOwned>(self, body: Outgoing) -> Result<T, Error> {
        let request = self.request(NDJSON);
        self.client.connection().tell_long(request, body).await
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
