//! Sending requests, over connections that are kept for the next one to the same receiver.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use feedwire_core::Clock;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::connect::Connector;
use super::failure::{Failure, RedirectFault, Stage};
use super::guard::Guard;
use super::redirect::Redirect;
use super::resolve::Resolve;
use super::roots::Roots;
use super::target::Target;

/// How long a connection is kept for the next request: most receivers keep theirs for a minute or more, and others need its place.
const IDLE_MAX: Duration = Duration::from_secs(15);
/// How many connections are open at most where it is not said.
const CONNECTIONS_MAX: usize = 1_024;
/// How many connections to one receiver are kept: as many as a connector may have requests on their way.
const IDLE_PER_HOST_MAX: usize = 64;
/// How large the head of an answer may be, as [`Failure::HeadTooLarge`] says.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How many headers an answer may have, as [`Failure::HeadTooLarge`] says.
const HEADERS_MAX: usize = 100;

const NAME: HeaderValue = HeaderValue::from_static(concat!("Feedwire/", env!("CARGO_PKG_VERSION")));

/// What sends requests to receivers. There is one in a server: clones share its connections.
#[derive(Clone, Debug)]
pub struct Outgoing {
    client: Client<Connector, Full<Bytes>>,
    guard: Arc<Guard>,
    clock: Arc<dyn Clock>,
}

/// A request that is to be sent: `POST`, whatever its target.
#[derive(Clone)]
pub struct Delivery {
    /// Where to.
    pub target: Target,
    /// What says what the body is, and proves who sent it.
    pub headers: HeaderMap,
    /// What the user added, as [`check_header`](super::check_header) let it through. No other origin is sent them.
    pub custom: HeaderMap,
    /// What is sent.
    pub body: Bytes,
    /// How long it may take until the head of the answer is there, with connecting and redirects.
    pub timeout: Duration,
    /// How many redirects are followed, one after the other.
    pub redirects: u8,
}

impl Outgoing {
    /// What sends to where `guard` lets it, which names have by `resolve`, and whose certificates `roots` signed; with 1,024 connections at
    /// most.
    pub fn new(
        guard: Guard,
        roots: Roots,
        resolve: Arc<dyn Resolve>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::within(CONNECTIONS_MAX, guard, roots, resolve, clock)
    }

    /// As [`Outgoing::new`], with at most `connections_max` connections open, those that are kept among them. Who needs one more waits for it,
    /// as long as connecting may take.
    pub fn within(
        connections_max: usize,
        guard: Guard,
        roots: Roots,
        resolve: Arc<dyn Resolve>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let guard = Arc::new(guard);
        let connector = Connector::new(Arc::clone(&guard), resolve, roots, connections_max);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .http1_max_headers(HEADERS_MAX)
            // Only of a request of which nothing was written: one whose fate is unknown is the caller's to send again.
            .retry_canceled_requests(true)
            .build(connector);
        Self {
            client,
            guard,
            clock,
        }
    }

    /// What is let through.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends `delivery` and waits for the answer, whatever its status.
    ///
    /// A receiver may have had a request of which this is not known: after a failure, and if the future is dropped.
    pub async fn send(&self, delivery: Delivery) -> Result<Answer, Failure> {
        let started = Instant::now();
        let deadline = started + delivery.timeout;
        let Delivery {
            mut target,
            headers,
            mut custom,
            body,
            redirects,
            ..
        } = delivery;
        let mut followed = 0;
        let response = loop {
            let request = request(&target, &headers, &custom, body.clone());
            let response = self.ask(request, deadline).await?;
            let status = response.status();
            if !status.is_redirection() {
                break response;
            }
            let refused = |fault| Failure::Redirected { status, fault };
            let redirect = Redirect::read(&response).map_err(refused)?;
            if followed == redirects {
                let fault = if redirects == 0 {
                    RedirectFault::Off
                } else {
                    RedirectFault::TooMany
                };
                return Err(refused(fault));
            }
            let next = redirect.target(&target, &self.guard).map_err(refused)?;
            if !next.is_of_origin(&target) {
                // For good: what leads back may come from anyone.
                custom.clear();
            }
            followed += 1;
            target = next;
        };
        let latency = started.elapsed();
        Ok(Answer::read(response, latency, deadline, self.clock.now()).await)
    }

    async fn ask(
        &self,
        mut request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, Failure> {
        let connection = capture_connection(&mut request);
        match timeout_at(deadline, self.client.request(request)).await {
            Ok(sent) => sent.map_err(|error| Failure::of(&error)),
            Err(_) if connection.connection_metadata().is_some() => {
                Err(Failure::TimedOut(Stage::Answering))
            }
            Err(_) => Err(Failure::TimedOut(Stage::Connecting)),
        }
    }
}

fn request(
    target: &Target,
    headers: &HeaderMap,
    custom: &HeaderMap,
    body: Bytes,
) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = target.uri().clone();
    let all = request.headers_mut();
    all.insert(USER_AGENT, NAME);
    all.extend(custom.clone());
    // What says what is sent stands above what the user says.
    all.extend(headers.clone());
    request
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("target", &self.target)
            .field("bytes", &self.body.len())
            .field("timeout", &self.timeout)
            .field("redirects", &self.redirects)
            .finish_non_exhaustive()
    }
}
