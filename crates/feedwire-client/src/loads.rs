//! Load jobs: the states of entities, written as events for whoever begins with them.

use feedwire_api::{Load, Loads, NewLoad};
use http::Method;

use crate::connection::request;
use crate::{Client, Error};

impl Client {
    /// Starts a load job of the entities of `feed`, or of `_all`. Their states are written to the feed `_load.` and its name.
    ///
    /// A request is never sent twice. After [`Error::Lost`] the job may have been started: [`Client::loads`] tells.
    pub async fn start_load(&self, feed: &str, load: &NewLoad) -> Result<Load, Error> {
        let request = request(Method::POST, &self.url(&["feeds", feed, "loads"]));
        self.connection().tell_json(request, load).await
    }

    /// The load jobs of the project, in the order in which they were started.
    pub async fn loads(&self) -> Result<Loads, Error> {
        let request = request(Method::GET, &self.url(&["loads"]));
        self.connection().ask(request).await
    }

    /// How far the load job `id` is.
    pub async fn load(&self, id: &str) -> Result<Load, Error> {
        let request = request(Method::GET, &self.url(&["loads", id]));
        self.connection().ask(request).await
    }

    /// Has the load job `id` end. What it has written stays.
    pub async fn cancel_load(&self, id: &str) -> Result<Load, Error> {
        let request = request(Method::POST, &self.url(&["loads", id, "cancel"]));
        self.connection().ask(request).await
    }
}
