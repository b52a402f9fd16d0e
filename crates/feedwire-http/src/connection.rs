//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;

use bytes::Bytes;
use feedwire_dialects::{Refusal, native};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH};
use http::request::Parts;
use http::{Method, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tower::{Layer, service_fn};
use tower_service::Service;

use crate::access::{self, Admitted, Named, Rule};
use crate::answer::{Answer, at_once};
use crate::asked::{self, Asked, Variables};
use crate::edge::Edge;
use crate::linger::linger;
use crate::patience::Patience;
use crate::quota::{Metered, Standing};
use crate::routes::{self, Dialect, Found, Routes, Served};
use crate::stall::Stall;
use crate::transport::{self, Transport, into_socket};
use crate::{head, proof, tls};

/// Serves what `opener` asks over `socket`, until either end closes it.
pub(crate) async fn accepted(socket: TcpStream, opener: IpAddr, routes: Routes, edge: Edge) {
    let transport = match edge.tls() {
        None => Transport::Left(Stall::new(socket, edge.limits().stall_timeout)),
        Some(tls) => match tls::shake(socket, opener, tls, &edge).await {
            Some(transport) => transport,
            None => return,
        },
    };
    serve(transport, opener, routes, edge).await;
}

/// Serves the requests of one connection until either end closes it, or, once `stop` is cancelled, until the request that is being
/// answered is answered.
async fn serve(transport: Transport, opener: IpAddr, routes: Routes, edge: Edge) {
    let limits = edge.limits();
    let had_request = Notify::new();
    let patience = transport::patience(&transport).clone();
    let service = service::service_fn(|request| {
        had_request.notify_one();
        let caller = Caller {
            opener,
            patience: &patience,
        };
        answer(request, caller, &routes, &edge)
    });
    let io = TokioIo::new(transport);
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.buffer())
        .serve_connection(io, service);
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = edge.stop().cancelled() => {
            // The request of a connection that was just made is on its way, and its client would not try again.
            tokio::select! {
                biased;
                ended = &mut connection => ended,
                _ = timeout(limits.first_request_grace, had_request.notified()) => {
                    Pin::new(&mut connection).graceful_shutdown();
                    (&mut connection).await
                }
            }
        }
    };
    let parts = connection.into_parts();
    let mut transport = parts.io.into_inner();
    let closed = match ended {
        Ok(()) => true,
        Err(error) if error.is_timeout() => {
            refuse_late(&mut transport, &parts.read_buf, &edge).await
                && transport.shutdown().await.is_ok()
        }
        Err(error) if error.is_parse() => {
            edge.tally().connections.malformed.one();
            transport.shutdown().await.is_ok()
        }
        // The rest was told by hyper as far as it could be, or there is nobody to tell it to.
        Err(_) => false,
    };
    if closed {
        // Beneath TLS, which has said its last: what comes need not be decrypted to be thrown away.
        linger(into_socket(transport), limits).await;
    }
}

/// Where a request comes from.
#[derive(Clone, Copy)]
struct Caller<'e> {
    /// Who opened the connection.
    opener: IpAddr,
    patience: &'e Patience,
}

/// Calls what answers `request`. What is kept until that has answered is small, because a connection keeps it for its next requests too.
fn answer<'e>(
    request: Request<Incoming>,
    caller: Caller<'e>,
    routes: &'e Routes,
    edge: &'e Edge,
) -> impl Future<Output = Result<Answer, Infallible>> + use<'e> {
    let peer = edge.peers().of(caller.opener, request.headers());
    let sender = (peer, caller.patience);
    let method = request.method().clone();
    let requests = &edge.tally().requests;
    let found = routes.find(request.uri().path());
    let place = found.as_ref().map(|found| found.place);
    let asked = requests.asked(request.method(), place);
    let answering = answer_to_page(request, sender, found, edge);
    async move {
        let answer = answering.finish(edge).await;
        requests.answered(&asked, &answer);
        // The route and not the path: who asks about what, and with which token, is nobody's to read here.
        let (route, status) = (requests.route(&asked), answer.status().as_u16());
        tracing::debug!(%peer, %method, route, status, "answered");
        Ok(answer)
    }
}

/// An answer on its way.
struct Answering<'e> {
    pending: Pin<Box<dyn Future<Output = Answer> + Send + 'e>>,
    /// What is left of the requests, where they are limited, and who says so.
    standings: Option<(Vec<Standing>, &'static Dialect)>,
}

impl Answering<'_> {
    async fn finish(self, edge: &Edge) -> Answer {
        let mut answer = self.pending.await;
        if let Some((standings, dialect)) = self.standings {
            let headers = (dialect.standings)(&standings, edge.clock().now());
            answer.headers_mut().extend(headers);
        }
        answer
    }
}

fn answer_to_page<'e>(
    request: Request<Incoming>,
    sender: (IpAddr, &'e Patience),
    found: Option<Found<'e>>,
    edge: &'e Edge,
) -> Answering<'e> {
    let Some(cors) = edge.cors().filter(|_| !asks_for_options(&request)) else {
        return route(request, sender, found, edge);
    };
    // Around everything, so that a page is told of what is refused before any route too.
    let mut found = Some(found);
    let route = service_fn(move |request| {
        // Called once at the most.
        let found = found.take().flatten();
        let answering = route(request, sender, found, edge);
        async move { Ok::<_, Infallible>(answering.finish(edge).await) }
    });
    let answer = cors.layer(route).call(request);
    Answering {
        pending: Box::pin(async {
            let Ok(answer) = answer.await;
            answer
        }),
        standings: None,
    }
}

/// Whether this is a request for options by its own right: the layer would take it for a browser's question before a request.
fn asks_for_options(request: &Request<Incoming>) -> bool {
    let is_browsers = request
        .headers()
        .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    request.method() == Method::OPTIONS && !is_browsers
}

fn route<'e>(
    request: Request<Incoming>,
    (peer, patience): (IpAddr, &'e Patience),
    found: Option<Found<'e>>,
    edge: &'e Edge,
) -> Answering<'e> {
    let (head, body) = request.into_parts();
    let mut metered = Metered::default();
    let place = found.as_ref().map(|found| found.place);
    let dialect = place.map_or_else(
        || routes::dialect_of(head.uri.path()),
        |place| place.dialect,
    );
    let called = called(&head, peer, found, edge, &mut metered);
    let standings = metered.standings();
    let pending = match called {
        Ok((served, variables, admitted)) => {
            let sender = (peer, patience.clone());
            let asked = Asked::new(edge.clone(), head, sender, variables, admitted, metered);
            served.answer(asked, body)
        }
        Err(refusal) => {
            let refused = (dialect.refuse)(refusal, &head);
            at_once(match place {
                Some(place) if refusal == Refusal::MethodNotAllowed => place.allowing(refused),
                _ => refused,
            })
        }
    };
    let is_limited = !standings.is_empty();
    Answering {
        pending,
        standings: is_limited.then_some((standings, dialect)),
    }
}

/// What is to be done for a request with this `head` from `peer`, and for whom.
fn called<'r>(
    head: &Parts,
    peer: IpAddr,
    found: Option<Found<'r>>,
    edge: &Edge,
    metered: &mut Metered,
) -> Result<(&'r Served, Variables, Admitted), Refusal> {
    edge.quotas().of_address(metered, peer)?;
    head::check(head, edge)?;
    let Found { place, variables } = found.ok_or(Refusal::NotFound)?;
    let served = place.served(&head.method);
    let served = served.ok_or(Refusal::MethodNotAllowed)?;
    let named = match served.rule {
        Rule::Home(_) => Named::Home(None),
        Rule::Child(_) => Named::Home((place.dialect.child)(head)?),
        rule => {
            let name = asked::variable(head.uri.path(), &variables, 0);
            let every = place.dialect.every_project;
            if matches!(rule, Rule::Each(_)) && every.is_some() && name.as_deref() == every {
                Named::Every
            } else {
                Named::Path(name)
            }
        }
    };
    let shown = proof::shown(head, served.rule, place.dialect)?;
    let admitted = access::admit(edge, served.rule, shown, named, metered)?;
    Ok((served, variables, admitted))
}

/// Tells a client that it was too slow with its request; one that had not begun it, and was only kept alive, is told nothing.
async fn refuse_late<S: AsyncWrite + Unpin>(socket: &mut S, begun: &Bytes, edge: &Edge) -> bool {
    if begun.is_empty() {
        return true;
    }
    let problem = native::refusal::refused(Refusal::RequestTimeout);
    edge.tally().requests.late(problem.kind());
    let body = native::error::json(&problem);
    let head = format!(
        "HTTP/1.1 408 Request Timeout\r\ncontent-type: {}\r\n{CONTENT_LENGTH}: {}\r\nconnection: close\r\n\r\n",
        feedwire_api::PROBLEM_JSON,
        body.len(),
    );
    socket
        .write_all(&[head.as_bytes(), &body].concat())
        .await
        .is_ok()
}
