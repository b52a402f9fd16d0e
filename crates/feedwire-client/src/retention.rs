//! How long the events of a project are kept.

use feedwire_api::Retention;
use http::Method;

use crate::connection::request;
use crate::{Client, Error};

impl Client {
    /// How long the project's events are kept.
    pub async fn retention(&self) -> Result<Retention, Error> {
        let request = request(Method::GET, &self.url(&["retention"]));
        self.connection().ask(request).await
    }

    /// Keeps the project's events for `retention` from now on, and answers what the server took it for. What it lets go of is gone
    /// soon after, for good.
    pub async fn set_retention(&self, retention: &Retention) -> Result<Retention, Error> {
        let request = request(Method::PUT, &self.url(&["retention"]));
        self.connection().tell_json(request, retention).await
    }
}
