//! A receiver on a free port of loopback.

use std::collections::VecDeque;

use feedwire_testkit::PATIENCE;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What was pushed: the head as lines, and the body.
#[derive(Debug)]
pub(crate) struct Pushed {
    head: String,
    pub(crate) body: Vec<u8>,
}

/// Keeps what it gets until it is looked at.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    pushed: Mutex<mpsc::Receiver<Pushed>>,
    _serving: JoinSet<()>,
}

impl Pushed {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }
}

impl Receiver {
    /// One that answers its first requests with these statuses, and the others with 200.
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a free port of loopback");
        let address = listener.local_addr().expect("it listens");
        let (sender, pushed) = mpsc::channel(100);
        let mut statuses: VecDeque<u16> = statuses.iter().copied().collect();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.expect("it listens");
                if let Some(got) = read(&mut socket).await {
                    let status = statuses.pop_front().unwrap_or(200);
                    let answer = format!(
                        "HTTP/1.1 {status} \r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    );
                    let sent = socket.write_all(answer.as_bytes()).await;
                    sent.expect("the answer is waited for");
                    sender.send(got).await.expect("the test is still there");
                }
            }
        });
        Self {
            url: format!("http://{address}/push"),
            pushed: Mutex::new(pushed),
            _serving: serving,
        }
    }

    /// What it gets next.
    pub(crate) async fn next(&self) -> Pushed {
        let mut pushed = self.pushed.lock().await;
        let next = timeout(PATIENCE, pushed.recv()).await;
        next.expect("something is pushed").expect("it receives")
    }
}

/// The request that comes on `socket`; `None` where it ends before.
async fn read(socket: &mut TcpStream) -> Option<Pushed> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).expect("ASCII");
            let body = bytes[end + 4..].to_vec();
            let pushed = Pushed { head, body };
            let length = pushed.header("content-length").expect("it has a length");
            if pushed.body.len() == length.parse::<usize>().expect("a number") {
                return Some(pushed);
            }
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
