//! From a socket that was accepted to a connection over which TLS is spoken.

use std::net::IpAddr;
use std::pin::pin;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Tls;
use crate::Limits;
use crate::edge::Edge;
use crate::linger::linger;
use crate::stall::Stall;
use crate::tally::Handshake;
use crate::transport::Transport;

/// What is said to a client that speaks HTTP where TLS is spoken.
const NOT_HERE: &str = "this port speaks https: the address has to begin with https://\n";

/// Speaks TLS over `socket` with `opener`; `None` where that did not come about, and nothing is left to be done.
///
/// It has as long as the head of a request has; once the server stops, as long as the first request has.
pub(crate) async fn shake(
    socket: TcpStream,
    opener: IpAddr,
    tls: &Tls,
    edge: &Edge,
) -> Option<Transport> {
    let limits = edge.limits();
    // Boxed, as it is gone long before the connection is.
    let mut shaking = pin!(timeout(
        limits.head_timeout,
        Box::pin(attempt(socket, opener, tls, edge))
    ));
    let stopped = async {
        edge.stop().cancelled().await;
        tokio::time::sleep(limits.first_request_grace).await;
    };
    let ended = tokio::select! {
        biased;
        ended = &mut shaking => ended,
        () = stopped => return None,
    };
    ended.unwrap_or_else(|_elapsed| {
        count(edge, Handshake::Late);
        None
    })
}

async fn attempt(socket: TcpStream, opener: IpAddr, tls: &Tls, edge: &Edge) -> Option<Transport> {
    let limits = edge.limits();
    let mut first = [0];
    // Who says nothing, as probes do that look whether somebody listens, has failed at nothing.
    let said = socket.peek(&mut first).await;
    if !said.is_ok_and(|bytes| bytes > 0) {
        return None;
    }
    // No record of TLS begins with a letter, and every request does.
    if first[0].is_ascii_alphabetic() {
        count(edge, Handshake::Plaintext);
        point_to_https(socket, limits).await;
        return None;
    }
    let socket = Stall::new(socket, limits.stall_timeout);
    match tls.acceptor().accept(socket).into_fallible().await {
        Ok(stream) => {
            count(edge, Handshake::Done);
            Some(Transport::Right(Box::new(stream)))
        }
        Err((error, mut socket)) => {
            count(edge, Handshake::Failed);
            tracing::debug!(
                %opener,
                error = &error as &dyn std::error::Error,
                "a TLS handshake failed"
            );
            // The alert was sent; a reset would take it back.
            if socket.shutdown().await.is_ok() {
                linger(socket.into_inner(), limits).await;
            }
            None
        }
    }
}

async fn point_to_https(mut socket: TcpStream, limits: &Limits) {
    let length = NOT_HERE.len();
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{NOT_HERE}"
    );
    let told = socket.write_all(answer.as_bytes()).await;
    if told.is_ok() && socket.shutdown().await.is_ok() {
        linger(socket, limits).await;
    }
}

fn count(edge: &Edge, handshake: Handshake) {
    edge.tally().connections.handshakes.count(handshake);
}
