//! The client: a server's address and a project.

use std::sync::Arc;

use feedwire_api::Feeds;
use http::{Method, Uri};

use crate::connection::{Connection, request};
use crate::query::push_encoded;
use crate::{Error, Publish, Read};

/// The project that a client is about unless told otherwise.
const DEFAULT_PROJECT: &str = "default";

/// Speaks to one project of one server. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Connection,
    address: Arc<str>,
    project: Arc<str>,
}

/// Why a text is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is not a URL, or one without a host.
    #[error("{0:?} is not an address such as http://127.0.0.1:7373")]
    Malformed(String),
    /// It is a URL of something else than plain HTTP.
    #[error(
        "this client speaks plain HTTP, not {0:?}: put a proxy that speaks it beside the client"
    )]
    Scheme(String),
    /// It has a query.
    #[error("the address of a server has no query, {0:?} does")]
    Query(String),
}

impl Client {
    /// A client of the server at `address`, such as `http://127.0.0.1:7373`, and its project `default`.
    ///
    /// Nothing is connected yet: that the server cannot be reached is said by the first request.
    pub fn new(address: &str) -> Result<Self, AddressError> {
        let malformed = || AddressError::Malformed(address.to_owned());
        let uri: Uri = address.parse().ok().ok_or_else(malformed)?;
        let scheme = uri.scheme_str().ok_or_else(malformed)?;
        if scheme != "http" {
            return Err(AddressError::Scheme(scheme.to_owned()));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(malformed());
        }
        if uri.query().is_some() {
            return Err(AddressError::Query(address.to_owned()));
        }
        Ok(Self {
            connection: Connection::new(),
            address: address.trim_end_matches('/').into(),
            project: DEFAULT_PROJECT.into(),
        })
    }

    /// The same client, about another project.
    #[must_use]
    pub fn project(mut self, name: &str) -> Self {
        self.project = name.into();
        self
    }

    /// Publishing to `feed`, which comes into being with its first event.
    pub fn publish<'a>(&'a self, feed: &'a str) -> Publish<'a> {
        Publish::new(self, feed)
    }

    /// Reading `feed`; `_all` is every feed of the project.
    pub fn read(&self, feed: &str) -> Read {
        Read::new(self.clone(), feed.to_owned())
    }

    /// The feeds of the project with their counts.
    pub async fn feeds(&self) -> Result<Feeds, Error> {
        let request = request(Method::GET, &self.url(&["feeds"]));
        self.connection.ask(request).await
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The URL of what lies at `path` in the project.
    pub(crate) fn url(&self, path: &[&str]) -> String {
        let mut url = format!("{}/v1/projects/", self.address);
        push_encoded(&self.project, &mut url);
        for segment in path {
            url.push('/');
            push_encoded(segment, &mut url);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_server_is_plain_http_without_a_query() {
        let check = |address: &str, error: Option<AddressError>| {
            assert_eq!(Client::new(address).err(), error, "{address}");
        };
        check("http://127.0.0.1:7373", None);
        check("http://example.org/feeds/", None);
        check(
            "127.0.0.1:7373",
            Some(AddressError::Malformed("127.0.0.1:7373".into())),
        );
        check("nonsense", Some(AddressError::Malformed("nonsense".into())));
        check("https://h", Some(AddressError::Scheme("https".into())));
        check(
            "http://h/?a",
            Some(AddressError::Query("http://h/?a".into())),
        );
    }

    #[test]
    fn names_in_a_path_are_encoded() {
        let client = Client::new("http://h/base/")
            .expect("an address")
            .project("a/b");
        assert_eq!(
            client.url(&["feeds", "ü"]),
            "http://h/base/v1/projects/a%2Fb/feeds/%C3%BC"
        );
    }
}
