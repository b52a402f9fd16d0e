//! A bare hyper server: the same requests and answers on the wire as Feedwire's, and nothing behind them.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

/// What Feedwire answers to one event.
const ANSWER: &str = r#"{"first":1000001,"last":1000001,"count":1,"recorded_at":"2026-11-21T08:00:00.000001Z","version":1000}"#;

/// As large as Feedwire's, so that memory can be compared.
const BUFFER_BYTES: usize = 64 * 1024;

/// Serves on a free port until it is killed; standard output says where.
pub(crate) fn run() -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(any).await.context("cannot listen")?;
        println!("serving on http://{}", listener.local_addr()?);
        let connections = TaskTracker::new();
        loop {
            let (socket, _) = listener.accept().await.context("cannot accept")?;
            socket.set_nodelay(true)?;
            connections.spawn(serve(socket));
        }
    })
}

async fn serve(socket: TcpStream) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(socket), service_fn(answer))
        .await;
    // The generator goes away as it likes.
    drop(served);
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    Ok(match (head.method, head.uri.path()) {
        (Method::POST, "/publish") => match body.collect().await {
            Ok(_) => json(Bytes::from_static(ANSWER.as_bytes())),
            Err(_cut) => bare(StatusCode::BAD_REQUEST),
        },
        _ => bare(StatusCode::NOT_FOUND),
    })
}

fn json(body: Bytes) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body));
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}

fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    let mut answer = Response::default();
    *answer.status_mut() = status;
    answer
}
