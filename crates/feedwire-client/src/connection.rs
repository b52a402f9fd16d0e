//! Requests and their answers over HTTP/1.1.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use feedwire_api::Problem;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::fmt::rfc2822;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::connector::{Connector, Failure};
use crate::error::passing_status;
use crate::roots::Roots;

/// The media type of one JSON document.
pub(crate) const JSON: &str = "application/json";
/// How long an answer may take, the longest wait of a long poll left aside.
const ANSWER_WAIT: Duration = Duration::from_mins(1);
/// The slowest network that is reckoned with, in bytes sent a second.
const BYTES_PER_SECOND_MIN: u64 = 32 * 1024;
/// How long a connection is kept for the next request: less than the server keeps it, which would otherwise close it just when
/// it is used again.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// The largest answer that is taken: a page of one largest batch, every character of it escaped.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How much of an answer that is not ours is shown.
const EXCERPT_CHARS: usize = 120;

/// What a request sends.
type Outgoing = UnsyncBoxBody<Bytes, Infallible>;

/// Connections to servers, kept open for the next request.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    client: legacy::Client<Connector, Outgoing>,
    token: Option<HeaderValue>,
}

/// The head of a request.
pub(crate) fn request(method: Method, url: &str) -> http::request::Builder {
    Request::builder().method(method).uri(url).header(
        USER_AGENT,
        concat!("feedwire-client/", env!("CARGO_PKG_VERSION")),
    )
}

impl Connection {
    /// Connections to servers whose certificates are signed by one of `roots`.
    pub(crate) fn new(roots: Roots) -> Self {
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .build(Connector::new(roots));
        Self {
            client,
            token: None,
        }
    }

    /// The same connections, of which every request bears `token`.
    pub(crate) fn with_token(self, token: HeaderValue) -> Self {
        Self {
            token: Some(token),
            ..self
        }
    }

    /// New connections with the same token.
    pub(crate) fn with_roots(self, roots: Roots) -> Self {
        Self {
            token: self.token,
            ..Self::new(roots)
        }
    }

    /// Sends a request without a body and reads the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        request: http::request::Builder,
    ) -> Result<T, Error> {
        self.ask_within(request, ANSWER_WAIT).await
    }

    /// As [`Connection::ask`], where the server itself may wait for `wait`.
    pub(crate) async fn ask_waiting<T: DeserializeOwned>(
        &self,
        request: http::request::Builder,
        wait: Duration,
    ) -> Result<T, Error> {
        self.ask_within(request, ANSWER_WAIT + wait).await
    }

    async fn ask_within<T: DeserializeOwned>(
        &self,
        request: http::request::Builder,
        within: Duration,
    ) -> Result<T, Error> {
        let answer = async { read(self.open(request).await?).await };
        tokio::time::timeout(within, answer)
            .await
            .map_err(|late| Error::Lost(late.into()))?
    }

    /// Sends `body` and reads the answer.
    pub(crate) async fn tell<T: DeserializeOwned>(
        &self,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<T, Error> {
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let within = ANSWER_WAIT + Duration::from_secs(bytes / BYTES_PER_SECOND_MIN);
        let body = Full::new(body).boxed_unsync();
        let answer = async { read(self.send(request, body).await?).await };
        tokio::time::timeout(within, answer)
            .await
            .map_err(|late| Error::Lost(late.into()))?
    }

    /// Sends `value` as JSON and reads the answer.
    pub(crate) async fn tell_json<T: DeserializeOwned>(
        &self,
        request: http::request::Builder,
        value: &impl Serialize,
    ) -> Result<T, Error> {
        let text = serde_json::to_vec(value).map_err(|error| Error::Unwritable(error.into()))?;
        let request = request.header(CONTENT_TYPE, JSON);
        self.tell(request, text.into()).await
    }

    /// Sends a request without a body, to which the answer says no more than that it is done.
    pub(crate) async fn have_done(&self, request: http::request::Builder) -> Result<(), Error> {
        let answer = async {
            let response = self.open(request).await?;
            if response.status().is_success() {
                // Whatever it says is read, so that the connection can be used again.
                read_body(response).await.map(drop)
            } else {
                Err(refusal(response).await)
            }
        };
        tokio::time::timeout(ANSWER_WAIT, answer)
            .await
            .map_err(|late| Error::Lost(late.into()))?
    }

    /// Sends a request without a body; the answer's body is left to the caller.
    pub(crate) async fn open(
        &self,
        request: http::request::Builder,
    ) -> Result<Response<Incoming>, Error> {
        self.send(request, Empty::new().boxed_unsync()).await
    }

    async fn send(
        &self,
        request: http::request::Builder,
        body: Outgoing,
    ) -> Result<Response<Incoming>, Error> {
        let mut request = request
            .body(body)
            .map_err(|error| Error::Unwritable(error.into()))?;
        if let Some(token) = &self.token {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        let server = request.uri().authority().map(ToString::to_string);
        // A redirect is an answer like any other: nothing, and no token, is sent to where it leads.
        let sent = self.client.request(request).await;
        sent.map_err(|error| {
            if !error.is_connect() {
                return Error::Lost(error.into());
            }
            let server = server.unwrap_or_default();
            match Failure::of(&error) {
                Failure::Untrusted(reason) => Error::Untrusted { server, reason },
                Failure::Unreachable(reason) => Error::Unreachable {
                    server,
                    source: reason.into(),
                },
            }
        })
    }
}

/// The answer as a `T`, or as what the server says is wrong.
async fn read<T: DeserializeOwned>(response: Response<Incoming>) -> Result<T, Error> {
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let status = response.status().as_u16();
    let bytes = read_body(response).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        if error.is_eof() {
            // Of a proxy that closes the connection behind an answer, instead of saying how long it is.
            return Error::Lost(error.into());
        }
        Error::Strange {
            status,
            detail: error.to_string(),
            retry_after: None,
        }
    })
}

/// The error that an answer other than 2xx is.
pub(crate) async fn refusal(response: Response<Incoming>) -> Error {
    let status = response.status().as_u16();
    let retry_after = retry_after(&response);
    let bytes = match read_body(response).await {
        Ok(bytes) => bytes,
        // What it asks for stands in its head.
        Err(error) if passing_status(status) => {
            return Error::Strange {
                status,
                detail: error.to_string(),
                retry_after,
            };
        }
        Err(error) => return error,
    };
    match serde_json::from_slice::<Problem>(&bytes) {
        Ok(problem) => Error::Refused {
            problem: Box::new(problem),
            retry_after,
        },
        Err(_) => Error::Strange {
            status,
            detail: excerpt(&bytes),
            retry_after,
        },
    }
}

async fn read_body(response: Response<Incoming>) -> Result<Bytes, Error> {
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
    let whole = body.collect().await.map_err(Error::Lost)?;
    Ok(whole.to_bytes())
}

/// The response header `Retry-After`: seconds, or a date, which is taken by the clock of the server that sends it, for ours may
/// be wrong.
fn retry_after(response: &Response<Incoming>) -> Option<Duration> {
    let header = |name| response.headers().get(name)?.to_str().ok().map(str::trim);
    let value = header(RETRY_AFTER)?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text| Some(rfc2822::parse(text).ok()?.timestamp());
    let span = date(value)?.duration_since(date(header(DATE)?)?);
    Some(span.try_into().unwrap_or_default())
}

/// The media type of an answer, without parameters.
pub(crate) fn media_type(response: &Response<Incoming>) -> &str {
    let value = response.headers().get(CONTENT_TYPE);
    let text = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim()
}

fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(EXCERPT_CHARS)
        .collect();
    if shown.is_empty() {
        "it has no body".to_owned()
    } else {
        shown
    }
}
