//! One question on a connection of its own: for what a benchmark has to know, not for load.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};
use memchr::memmem;

/// Longest silence of a server that is asked.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body of the answer to a `GET` of `path`.
pub(crate) fn ask(address: SocketAddr, path: &str) -> anyhow::Result<Vec<u8>> {
    exchange(
        address,
        path,
        &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"),
    )
}

/// The body of the answer to a `POST` of `form` to `path`.
pub(crate) fn post_form(address: SocketAddr, path: &str, form: &str) -> anyhow::Result<Vec<u8>> {
    let length = form.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n"
    );
    let content = "content-type: application/x-www-form-urlencoded";
    exchange(address, path, &format!("{head}{content}\r\n\r\n{form}"))
}

/// The body of the answer to a `POST` of the JSON `document` to `path`.
pub(crate) fn post_json(
    address: SocketAddr,
    path: &str,
    document: &str,
) -> anyhow::Result<Vec<u8>> {
    let length = document.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n"
    );
    let content = "content-type: application/json";
    exchange(address, path, &format!("{head}{content}\r\n\r\n{document}"))
}

fn exchange(address: SocketAddr, path: &str, request: &str) -> anyhow::Result<Vec<u8>> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    if !answer.starts_with(b"HTTP/1.1 20") {
        bail!("{path} was refused: {}", answer.escape_ascii());
    }
    let end = memmem::find(&answer, b"\r\n\r\n").context("an answer without a head")?;
    Ok(answer.split_off(end + 4))
}
