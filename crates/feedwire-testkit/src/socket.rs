//! A raw HTTP client: what is sent is what the test says, to the byte, and what comes is seen chunk by chunk.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use crate::certificates::connector;
use crate::{Answer, PATIENCE};

/// A connection, and what came over it and was not yet looked at.
#[derive(Debug)]
pub struct Socket {
    stream: Either<TcpStream, Box<TlsStream<TcpStream>>>,
    buffer: Vec<u8>,
}

impl Socket {
    /// Connects to `address`.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Self {
            stream: Either::Left(stream),
            buffer: Vec::new(),
        }
    }

    /// The same connection with TLS over it, which nothing was sent over yet. The server has to show a certificate for `localhost`
    /// by the authority of the tests.
    pub async fn secured(self) -> Self {
        let Either::Left(stream) = self.stream else {
            panic!("TLS is spoken already");
        };
        let name = "localhost".try_into().expect("a name");
        let shaken = timeout(PATIENCE, connector().connect(name, stream)).await;
        let stream = shaken.expect("TLS in time").expect("TLS");
        Self {
            stream: Either::Right(Box::new(stream)),
            buffer: self.buffer,
        }
    }

    /// The certificate that the server showed, in DER.
    pub fn certificate(&self) -> Option<&[u8]> {
        let Either::Right(stream) = &self.stream else {
            return None;
        };
        let (_, session) = stream.get_ref();
        Some(session.peer_certificates()?.first()?)
    }

    /// The connection itself.
    pub fn stream(&self) -> &TcpStream {
        match &self.stream {
            Either::Left(stream) => stream,
            Either::Right(stream) => stream.get_ref().0,
        }
    }

    /// Sends `bytes`.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.expect("the server takes it");
    }

    /// Sends `bytes`, unless the server has closed the connection.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        let sent = timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await;
        sent.expect("the server takes it in time")
    }

    /// Sends a request; `headers` are whole lines without their ends.
    pub async fn request(&mut self, method: &str, path: &str, headers: &[&str], body: &[u8]) {
        let length = format!("content-length: {}", body.len());
        let length = (!body.is_empty()).then_some(length.as_str());
        let first = format!("{method} {path} HTTP/1.1");
        let lines = [first.as_str(), "host: localhost"].into_iter();
        let lines: Vec<&str> = lines.chain(headers.iter().copied()).chain(length).collect();
        let request = lines.join(
            "
",
        ) + "

";
        self.send([request.as_bytes(), body].concat()).await;
    }

    /// Closes our side: the server sees the end of what is sent.
    pub async fn finish(&mut self) {
        self.stream
            .shutdown()
            .await
            .expect("the connection is open");
    }

    /// Reads more; `false` at the end of the connection. A reset is a failure of the test.
    async fn more(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        match read.unwrap_or_else(|_| panic!("nothing came; before it: {}", self.seen())) {
            Ok(read) => read > 0,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                panic!("the connection was reset")
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// Everything up to `end`, which is taken too and left out.
    async fn until(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            let at = self
                .buffer
                .windows(end.len())
                .position(|window| window == end);
            if let Some(at) = at {
                let rest = self.buffer.split_off(at + end.len());
                let mut found = std::mem::replace(&mut self.buffer, rest);
                found.truncate(at);
                return found;
            }
            assert!(
                self.more().await,
                "the connection ended; before it: {}",
                self.seen()
            );
        }
    }

    /// Everything up to `end` and with it, whatever it is.
    pub async fn through(&mut self, end: &str) -> String {
        let mut found = self.until(end.as_bytes()).await;
        found.extend(end.as_bytes());
        String::from_utf8(found).expect("text")
    }

    async fn exactly(&mut self, len: usize) -> Vec<u8> {
        while self.buffer.len() < len {
            assert!(
                self.more().await,
                "the connection ended; before it: {}",
                self.seen()
            );
        }
        let rest = self.buffer.split_off(len);
        std::mem::replace(&mut self.buffer, rest)
    }

    /// The status and headers of the next answer.
    pub async fn head(&mut self) -> Answer {
        let head = self.until(b"\r\n\r\n").await;
        Answer::parse(&String::from_utf8(head).expect("a head in ASCII"))
    }

    /// The next answer to a request with `method`, whole.
    pub async fn answer(&mut self, method: &str) -> Answer {
        let mut answer = self.head().await;
        if method == "HEAD" || matches!(answer.status, 204 | 304) {
            return answer;
        }
        if let Some(len) = answer.header("content-length") {
            answer.body = self.exactly(len.parse().expect("a length")).await;
        } else {
            while let Some(chunk) = self.chunk().await {
                answer.body.extend(chunk);
            }
        }
        answer
    }

    /// The next chunk of a chunked body; `None` for the last one, which is empty.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = self.until(b"\r\n").await;
        let size = std::str::from_utf8(&size)
            .ok()
            .and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.unwrap_or_else(|| panic!("a chunk's size; then: {}", self.seen()));
        let chunk = self.exactly(size + 2).await;
        let chunk = chunk
            .strip_suffix(b"\r\n")
            .expect("the end of a chunk")
            .to_vec();
        (size > 0).then_some(chunk)
    }

    /// The next chunk as text; there has to be one.
    pub async fn text(&mut self) -> String {
        let chunk = self.chunk().await.expect("a chunk before the last one");
        String::from_utf8(chunk).expect("text")
    }

    /// Everything up to the end of the connection, which has to end without a reset.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.buffer)
    }
}
