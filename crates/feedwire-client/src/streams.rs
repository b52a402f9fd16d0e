//! The streams of a project: how they are, what becomes of what they sent, and their dead letters.

use feedwire_api::{
    Ack, DeadLetters, LettersChosen, Nack, NewStream, Seek, Settled, Sought, Stream, StreamDetails,
    Streams, WhichLetters,
};
use http::Method;

use crate::connection::request;
use crate::query::Query;
use crate::{Client, Error};

/// Whoever only takes part in a stream [joins](Client::join) it, which acknowledges by itself.
impl Client {
    /// Makes a stream of the project. It has a name; what else is not given has its default.
    ///
    /// A request is never sent twice. After [`Error::Lost`] the stream may be there: [`Client::stream`] tells.
    pub async fn create_stream(&self, stream: &NewStream) -> Result<Stream, Error> {
        let request = request(Method::POST, &self.url(&["streams"]));
        self.connection().tell_json(request, stream).await
    }

    /// Streams of the project, in order of their names from the first above `after`. As long as there is a
    /// [`next`](Streams::next), it is to be given as `after` for more.
    pub async fn streams(&self, after: Option<&str>) -> Result<Streams, Error> {
        let url = self.url(&["streams"]) + Query::after(after).as_str();
        self.connection().ask(request(Method::GET, &url)).await
    }

    /// The stream `name`, with its members and partitions.
    pub async fn stream(&self, name: &str) -> Result<StreamDetails, Error> {
        let request = request(Method::GET, &self.stream_url(name, &[]));
        self.connection().ask(request).await
    }

    /// Changes the stream `name`. What is `None` in `change` stays as it is; its name, start, mode and partitions are for good. The
    /// members are sent away in order, and come back.
    pub async fn change_stream(&self, name: &str, change: &NewStream) -> Result<Stream, Error> {
        let request = request(Method::PATCH, &self.stream_url(name, &[]));
        self.connection().tell_json(request, change).await
    }

    /// Deletes the stream `name` with its checkpoints and dead letters. Its members are sent away.
    pub async fn delete_stream(&self, name: &str) -> Result<(), Error> {
        let request = request(Method::DELETE, &self.stream_url(name, &[]));
        self.connection().have_done(request).await
    }

    /// Tells the stream `name` which events are done, by their receipts. One that is not taken is among
    /// [`refused`](Settled::refused), which is no error. What was acknowledged before is taken again.
    pub async fn ack(&self, name: &str, ack: &Ack) -> Result<Settled, Error> {
        let request = request(Method::POST, &self.stream_url(name, &["ack"]));
        self.connection().tell_json(request, ack).await
    }

    /// Tells the stream `name` which events failed, by their receipts: they come again.
    pub async fn nack(&self, name: &str, nack: &Nack) -> Result<Settled, Error> {
        let request = request(Method::POST, &self.stream_url(name, &["nack"]));
        self.connection().tell_json(request, nack).await
    }

    /// Has the stream `name` go on at `to`, whatever was settled: `start`, `now`, a time (RFC 3339), a span ago (`5hours`), or a
    /// position, behind which it goes on.
    pub async fn seek(&self, name: &str, to: &str) -> Result<Sought, Error> {
        let request = request(Method::POST, &self.stream_url(name, &["seek"]));
        let seek = Seek { to: to.to_owned() };
        self.connection().tell_json(request, &seek).await
    }

    /// The dead letters of the stream `name`, in order of their positions from the first above `after`. As long as there is a
    /// [`next`](DeadLetters::next), it is to be given as `after` for more. [`Event::from_json`](crate::Event::from_json) reads the event
    /// of one.
    pub async fn dead_letters(
        &self,
        name: &str,
        after: Option<&str>,
    ) -> Result<DeadLetters, Error> {
        let query = Query::after(after);
        let url = self.stream_url(name, &["dead-letters"]) + query.as_str();
        self.connection().ask(request(Method::GET, &url)).await
    }

    /// Has the dead letters of the stream `name` sent again, as if for the first time.
    pub async fn redrive(&self, name: &str, which: &WhichLetters) -> Result<LettersChosen, Error> {
        let url = self.stream_url(name, &["dead-letters", "redrive"]);
        let request = request(Method::POST, &url);
        self.connection().tell_json(request, which).await
    }

    /// Has the dead letters of the stream `name` forgotten, for good.
    pub async fn drop_letters(
        &self,
        name: &str,
        which: &WhichLetters,
    ) -> Result<LettersChosen, Error> {
        let url = self.stream_url(name, &["dead-letters", "drop"]);
        let request = request(Method::POST, &url);
        self.connection().tell_json(request, which).await
    }

    /// The URL of what lies at `path` in the stream `name`.
    pub(crate) fn stream_url(&self, name: &str, path: &[&str]) -> String {
        self.url(&[&["streams", name], path].concat())
    }
}
