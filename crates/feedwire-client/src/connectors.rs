//! The connectors of a project: how they are, what they pushed, and what they could not push.

use feedwire_api::{
    Connector, ConnectorDeliveries, ConnectorDelivery, ConnectorMetrics, ConnectorSecret,
    Connectors, DeadLetters, LettersChosen, MadeConnector, NewConnector, NewConnectorSecret,
    NewReplay, WhichLetters,
};
use http::Method;

use crate::connection::request;
use crate::query::Query;
use crate::{Client, Error};

/// A connector is a stream whose events the server pushes to a URL.
impl Client {
    /// Makes a connector of the project. It has a name and a URL; what else is not given has its default. Where no secret is given, the
    /// answer has one, this once.
    ///
    /// A request is never sent twice. After [`Error::Lost`] the connector may be there: [`Client::connector`] tells.
    pub async fn create_connector(&self, connector: &NewConnector) -> Result<MadeConnector, Error> {
        let request = request(Method::POST, &self.url(&["connectors"]));
        self.connection().tell_json(request, connector).await
    }

    /// Connectors of the project, in order of their names from the first above `after`. As long as there is a
    /// [`next`](Connectors::next), it is to be given as `after` for more.
    pub async fn connectors(&self, after: Option<&str>) -> Result<Connectors, Error> {
        let url = self.url(&["connectors"]) + Query::after(after).as_str();
        self.connection().ask(request(Method::GET, &url)).await
    }

    /// The connector `name`.
    pub async fn connector(&self, name: &str) -> Result<Connector, Error> {
        let request = request(Method::GET, &self.connector_url(name, &[]));
        self.connection().ask(request).await
    }

    /// Changes the connector `name`. What is `None` in `change` stays as it is; its name, stream and start are for good.
    pub async fn change_connector(
        &self,
        name: &str,
        change: &NewConnector,
    ) -> Result<Connector, Error> {
        let request = request(Method::PATCH, &self.connector_url(name, &[]));
        self.connection().tell_json(request, change).await
    }

    /// Has the connector `name` wait. What is on its way is ended.
    pub async fn pause_connector(&self, name: &str) -> Result<Connector, Error> {
        let request = request(Method::POST, &self.connector_url(name, &["pause"]));
        self.connection().ask(request).await
    }

    /// Has the connector `name` go on where it was, whether it was paused or disabled.
    pub async fn resume_connector(&self, name: &str) -> Result<Connector, Error> {
        let request = request(Method::POST, &self.connector_url(name, &["resume"]));
        self.connection().ask(request).await
    }

    /// Deletes the connector `name`, and its stream where that is its own.
    pub async fn delete_connector(&self, name: &str) -> Result<(), Error> {
        let request = request(Method::DELETE, &self.connector_url(name, &[]));
        self.connection().have_done(request).await
    }

    /// Has the connector `name` sign by another secret; for a while, the one before signs too.
    pub async fn rotate_connector_secret(
        &self,
        name: &str,
        secret: &NewConnectorSecret,
    ) -> Result<ConnectorSecret, Error> {
        let request = request(Method::POST, &self.connector_url(name, &["secret"]));
        self.connection().tell_json(request, secret).await
    }

    /// Has the connector `name` push one sample event, and says what came of it. That the receiver did not take it is no error.
    pub async fn test_connector(&self, name: &str) -> Result<ConnectorDelivery, Error> {
        let request = request(Method::POST, &self.connector_url(name, &["test"]));
        self.connection().ask(request).await
    }

    /// The last requests of the connector `name`, the newest first.
    pub async fn connector_deliveries(&self, name: &str) -> Result<ConnectorDeliveries, Error> {
        let request = request(Method::GET, &self.connector_url(name, &["deliveries"]));
        self.connection().ask(request).await
    }

    /// The requests of the connector `name` in the last three hours, in numbers.
    pub async fn connector_metrics(&self, name: &str) -> Result<ConnectorMetrics, Error> {
        let request = request(Method::GET, &self.connector_url(name, &["metrics"]));
        self.connection().ask(request).await
    }

    /// Makes a connector that pushes once more what the connector `name` is of, up to an end.
    pub async fn replay(&self, name: &str, replay: &NewReplay) -> Result<MadeConnector, Error> {
        let request = request(Method::POST, &self.connector_url(name, &["replays"]));
        self.connection().tell_json(request, replay).await
    }

    /// The dead letters of the connector `name`, in order of their positions from the first above `after`. As long as there is a
    /// [`next`](DeadLetters::next), it is to be given as `after` for more.
    pub async fn undelivered(&self, name: &str, after: Option<&str>) -> Result<DeadLetters, Error> {
        let query = Query::after(after);
        let url = self.connector_url(name, &["dead-letters"]) + query.as_str();
        self.connection().ask(request(Method::GET, &url)).await
    }

    /// Has the dead letters of the connector `name` pushed again, as if for the first time.
    pub async fn redrive_undelivered(
        &self,
        name: &str,
        which: &WhichLetters,
    ) -> Result<LettersChosen, Error> {
        let url = self.connector_url(name, &["dead-letters", "redrive"]);
        let request = request(Method::POST, &url);
        self.connection().tell_json(request, which).await
    }

    /// Has the dead letters of the connector `name` forgotten, for good.
    pub async fn drop_undelivered(
        &self,
        name: &str,
        which: &WhichLetters,
    ) -> Result<LettersChosen, Error> {
        let url = self.connector_url(name, &["dead-letters", "drop"]);
        let request = request(Method::POST, &url);
        self.connection().tell_json(request, which).await
    }

    /// The URL of what lies at `path` in the connector `name`.
    fn connector_url(&self, name: &str, path: &[&str]) -> String {
        self.url(&[&["connectors", name], path].concat())
    }
}
