//! Load jobs: the states of entities, written as events for whoever begins with them.

use std::time::Duration;

use feedwire_api::{Load, Loads, NewLoad};
use http::Method;

use crate::backoff::Backoff;
use crate::connection::request;
use crate::link::TRIES_MAX;
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

    /// As [`load`](Self::load), and asked again after a wait where that met no answer, or one that passes: a job goes on when its
    /// server is started again. `tell` is told of each wait. After 24 tries that failed the last error is returned.
    pub async fn load_patiently(
        &self,
        id: &str,
        mut tell: impl FnMut(&Error, Duration),
    ) -> Result<Load, Error> {
        let mut backoff = Backoff::new();
        loop {
            match self.load(id).await {
                Err(error) if error.is_passing() && backoff.failed() + 1 < TRIES_MAX => {
                    let wait = backoff.fail(error.retry_after());
                    tell(&error, wait);
                    tokio::time::sleep(wait).await;
                }
                answer => return answer,
            }
        }
    }

    /// Has the load job `id` end. What it has written stays.
    pub async fn cancel_load(&self, id: &str) -> Result<Load, Error> {
        let request = request(Method::POST, &self.url(&["loads", id, "cancel"]));
        self.connection().ask(request).await
    }
}
