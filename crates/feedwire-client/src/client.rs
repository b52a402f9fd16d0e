//! The client: a server's address and a project.

use std::net::IpAddr;
use std::sync::Arc;

use feedwire_api::Feeds;
use http::{Method, Uri};

use crate::connection::{Connection, request};
use crate::query::push_encoded;
use crate::roots::Roots;
use crate::token;
use crate::{Error, Publish, Read, RootsError, TokenError};

/// The project that a client is about unless told otherwise.
const DEFAULT_PROJECT: &str = "default";

/// Speaks to one project of one server. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Connection,
    /// The host's name, where what is sent to it can be read on the way.
    readable: Option<Arc<str>>,
    address: Arc<str>,
    project: Arc<str>,
}

/// Why a text is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is not a URL, or one without a host.
    #[error("{0:?} is not an address such as http://127.0.0.1:7373")]
    Malformed(String),
    /// It is a URL of something else than HTTP.
    #[error("this client speaks http and https, not {0:?}")]
    Scheme(String),
    /// It has a user's name in it, and maybe a password, which is not shown.
    #[error("the address of a server has no user and no password: a token is given by itself")]
    User,
    /// It has a query behind this; what is in that is not shown, for it may be a token.
    #[error("the address of a server has no query, and there is one behind {0:?}")]
    Query(String),
}

impl Client {
    /// A client of the server at `address`, such as `http://127.0.0.1:7373` or `https://feeds.example.org`, and its project
    /// `default`.
    ///
    /// A server at `https://` has to show a certificate by an authority that this system trusts, or one of
    /// [`Client::with_root_certificates`]. On Linux the system's are in the usual files, or where `SSL_CERT_FILE` or `SSL_CERT_DIR`
    /// say; they are read once, when they are first needed.
    ///
    /// Nothing is connected yet: that the server cannot be reached is said by the first request.
    pub fn new(address: &str) -> Result<Self, AddressError> {
        let malformed = || AddressError::Malformed(address.to_owned());
        let uri: Uri = address.parse().ok().ok_or_else(malformed)?;
        let scheme = uri.scheme_str().ok_or_else(malformed)?;
        if !matches!(scheme, "http" | "https") {
            return Err(AddressError::Scheme(scheme.to_owned()));
        }
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(malformed)?;
        if uri
            .authority()
            .is_some_and(|server| server.as_str().contains('@'))
        {
            return Err(AddressError::User);
        }
        if let Some((bare, _)) = address.split_once('?') {
            return Err(AddressError::Query(bare.to_owned()));
        }
        Ok(Self {
            connection: Connection::new(Roots::System),
            readable: (scheme == "http" && !is_loopback(host)).then(|| host.into()),
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

    /// The same client, of which every request bears `token`: `Authorization: Bearer …`. It is shown in no error and by no `Debug`,
    /// and sent to no other server.
    ///
    /// It is refused where it would travel readable: to another machine at `http://`, unless that was
    /// [allowed](Client::allow_plaintext_token) before.
    pub fn token(self, token: &str) -> Result<Self, TokenError> {
        let header = token::header(token)?;
        if let Some(host) = &self.readable {
            let host = host.to_string();
            return Err(TokenError::Readable { host });
        }
        Ok(Self {
            connection: self.connection.with_token(header),
            ..self
        })
    }

    /// The same client, which may be given a [token](Client::token) also where everybody on the way to the server can read it.
    #[must_use]
    pub fn allow_plaintext_token(self) -> Self {
        Self {
            readable: None,
            ..self
        }
    }

    /// The same client, which trusts the authorities whose certificates are in `pem`, and no others.
    pub fn with_root_certificates(self, pem: &[u8]) -> Result<Self, RootsError> {
        let roots = Roots::own(pem)?;
        Ok(Self {
            connection: self.connection.with_roots(roots),
            ..self
        })
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
        self.url_in(&self.project, path)
    }

    /// The URL of what lies at `path` in the project `name`.
    pub(crate) fn url_in(&self, name: &str, path: &[&str]) -> String {
        let mut url = self.projects_url();
        for segment in [name].iter().chain(path) {
            url.push('/');
            push_encoded(segment, &mut url);
        }
        url
    }

    /// The URL of all projects.
    pub(crate) fn projects_url(&self) -> String {
        format!("{}/v1/projects", self.address)
    }
}

/// Whether `host`, of a URL, is this machine by its name.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_server_is_of_http_without_user_or_query() {
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
        check("https://h", None);
        check("https://[::1]:7373", None);
        check("ftp://h", Some(AddressError::Scheme("ftp".into())));
        check("https://me:secret@h", Some(AddressError::User));
        check("http://@h", Some(AddressError::User));
        check(
            "https:///f",
            Some(AddressError::Malformed("https:///f".into())),
        );
        check("http://h/?a", Some(AddressError::Query("http://h/".into())));
    }

    #[test]
    fn a_token_is_not_sent_readable_to_other_machines_unless_that_is_allowed() {
        let check = |address: &str, is_taken: bool| {
            let client = Client::new(address).expect("an address");
            let taken = client.clone().token("fwk_k_s");
            assert_eq!(taken.is_ok(), is_taken, "{address}");
            assert!(client.allow_plaintext_token().token("fwk_k_s").is_ok());
        };
        for address in [
            "http://127.0.0.1:7373",
            "http://localhost",
            "http://[::1]",
            "https://h",
        ] {
            check(address, true);
        }
        for address in [
            "http://h",
            "http://192.0.2.1",
            "http://127.0.0.1.example.org",
            "http://localhost.example.org",
        ] {
            check(address, false);
        }
    }

    #[test]
    fn a_token_is_one_word_and_is_not_shown() {
        let client = || Client::new("https://h").expect("an address");
        for token in ["", "a b", "a\r\nx: y", "ü", " a"] {
            assert_eq!(client().token(token).err(), Some(TokenError::Malformed));
        }
        let with = client().token("fwk_secret").expect("a token");
        assert!(!format!("{with:?}").contains("secret"));
        let readable = Client::new("http://h").expect("an address");
        let error = readable.token("fwk_secret").expect_err("readable");
        assert!(!format!("{error} {error:?}").contains("secret"));
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
