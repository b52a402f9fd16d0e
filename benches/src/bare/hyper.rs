//! A bare hyper server: the same requests and answers on the wire as Feedwire's, and nothing behind them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::body::Body;
use super::broadcast::Broadcast;

/// As large as Feedwire's, so that memory can be compared.
const BUFFER_BYTES: usize = 64 * 1024;

/// Serves on a free port until it is killed; standard output says where.
pub(crate) fn run() -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(any).await.context("cannot listen")?;
        println!("serving on http://{}", listener.local_addr()?);
        let (connections, broadcast) = (TaskTracker::new(), Arc::new(Broadcast::new()));
        loop {
            let (socket, _) = listener.accept().await.context("cannot accept")?;
            socket.set_nodelay(true)?;
            connections.spawn(serve(socket, broadcast.clone()));
        }
    })
}

async fn serve(socket: TcpStream, broadcast: Arc<Broadcast>) {
    let service = service_fn(|request| answer(request, &broadcast));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(socket), service)
        .await;
    // The generator goes away as it likes.
    drop(served);
}

async fn answer(
    request: Request<Incoming>,
    broadcast: &Arc<Broadcast>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let count = head.uri.query().and_then(|query| query.parse().ok());
    Ok(match (head.method, head.uri.path()) {
        (Method::POST, "/publish") => match body.collect().await {
            Ok(_) => published(1_000_001, 1),
            Err(_cut) => bare(StatusCode::BAD_REQUEST),
        },
        (Method::POST, "/broadcast") => match body.collect().await {
            Ok(body) => {
                let events = count.unwrap_or(1);
                published(broadcast.publish(&body.to_bytes(), events), events)
            }
            Err(_cut) => bare(StatusCode::BAD_REQUEST),
        },
        (Method::GET, "/stream") => with("text/event-stream", Body::Broadcast(broadcast.listen())),
        (Method::GET, "/pieces") => {
            with("application/octet-stream", Body::Pieces(count.unwrap_or(0)))
        }
        (Method::GET, "/whole") => with("application/json", Body::whole(count.unwrap_or(0))),
        _ => bare(StatusCode::NOT_FOUND),
    })
}

/// As Feedwire answers.
fn published(first: u64, events: usize) -> Response<Body> {
    let last = first + events as u64 - 1;
    let body = format!(
        r#"{{"first":{first},"last":{last},"count":{events},"recorded_at":"2026-11-21T08:00:00.000001Z","version":1000}}"#
    );
    with("application/json", Body::Whole(Full::from(body)))
}

fn with(media_type: &'static str, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    let media_type = HeaderValue::from_static(media_type);
    answer.headers_mut().insert(CONTENT_TYPE, media_type);
    answer
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::Whole(Full::default()));
    *answer.status_mut() = status;
    answer
}
