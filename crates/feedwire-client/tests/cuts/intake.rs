//! A server that takes events in, knows those that it has by their ids, and answers as badly as it is told to.

use std::sync::Arc;

use feedwire_client::Client;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::wire::{Silent, Then, listen, read_until, send};

/// How a request comes to nothing, or seems to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The connection ends when so many bytes of the request are read; what it says is not done.
    Request(usize, Then),
    /// What it says is done, and so many bytes of the answer are sent.
    Answer(usize, Then),
    /// It is told to come back later.
    Busy,
    /// Of its lines, so many are taken before the connection ends.
    Lines(usize, Then),
}

/// What the server has and what it did.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    /// The ids of the events in their order.
    pub(crate) ids: Vec<String>,
    /// The bodies of the requests that came whole.
    pub(crate) bodies: Vec<String>,
    /// How many answers were sent whole.
    pub(crate) answers: usize,
}

/// A server with a fault for each connection, and then a good one.
pub(crate) async fn serve(faults: Vec<Fault>) -> (Client, Arc<Mutex<Intake>>, JoinSet<()>) {
    let (listener, client) = listen().await;
    let intake = Arc::new(Mutex::new(Intake::default()));
    let taken = Arc::clone(&intake);
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut faults = faults.into_iter();
        let mut silent = Silent::new();
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            one(socket, faults.next(), &intake, &mut silent).await;
        }
    });
    (client, taken, serving)
}

async fn one(
    mut socket: TcpStream,
    fault: Option<Fault>,
    intake: &Mutex<Intake>,
    silent: &mut Silent,
) {
    if let Some(Fault::Request(bytes, then)) = fault {
        read_until(&mut socket, |read| read.len() >= bytes).await;
        return send(socket, b"", usize::MAX, then, silent).await;
    }
    let Some(request) = read_until(&mut socket, is_whole).await else {
        return;
    };
    let request = String::from_utf8(request).expect("a request of ours");
    let (head, body) = request.split_once("\r\n\r\n").expect("it is whole");
    intake.lock().bodies.push(body.to_owned());
    let is_lines = head.contains("application/x-ndjson");
    let (answer, bytes, then) = match fault {
        Some(Fault::Busy) => (busy(), usize::MAX, Then::Close),
        Some(Fault::Lines(lines, then)) if is_lines => {
            let taken: Vec<_> = body.split_inclusive('\n').take(lines).collect();
            (intake.lock().lines(&taken.concat()), 0, then)
        }
        _ => {
            let mut intake = intake.lock();
            let answer = if is_lines {
                intake.lines(body)
            } else {
                intake.batch(body)
            };
            match fault {
                Some(Fault::Answer(bytes, then)) => (answer, bytes, then),
                _ => (answer, usize::MAX, Then::Close),
            }
        }
    };
    let sent = &answer[..bytes.min(answer.len())];
    intake.lock().answers += usize::from(sent.len() == answer.len());
    send(socket, sent.as_bytes(), usize::MAX, then, silent).await;
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let (_, length) = head
        .split_once("content-length: ")
        .expect("a body in memory");
    let length = length.lines().next().and_then(|length| length.parse().ok());
    length == Some(body.len())
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// How long an answer may be.
pub(crate) const ANSWER_BYTES: usize = 250;

fn busy() -> String {
    let body = r#"{"type":"urn:feedwire:problem:unavailable","title":"Unavailable","status":503}"#;
    let length = body.len();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 120\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

impl Intake {
    fn batch(&mut self, body: &str) -> String {
        let events: Value = serde_json::from_str(body).expect("JSON");
        let events = events.as_array().cloned().unwrap_or_else(|| vec![events]);
        let ids: Vec<_> = events.iter().map(id).collect();
        let known = ids.iter().filter(|id| self.ids.contains(id)).count();
        assert!(
            known == 0 || known == ids.len(),
            "a batch is sent as a whole"
        );
        if known == 0 {
            self.ids.extend(ids);
        }
        let (last, count) = (self.ids.len(), events.len());
        ok(&format!(
            r#"{{"first":1,"last":{last},"count":{count},"recorded_at":"","duplicate":{}}}"#,
            known > 0
        ))
    }

    fn lines(&mut self, body: &str) -> String {
        let ids = body
            .lines()
            .map(|line| id(&serde_json::from_str(line).expect("JSON")));
        let new: Vec<_> = ids.filter(|id| !self.ids.contains(id)).collect();
        let count = new.len();
        self.ids.extend(new);
        let last = self.ids.len();
        ok(&format!(
            r#"{{"first":1,"last":{last},"count":{count},"batches":1,"recorded_at":"","duplicates":7}}"#
        ))
    }
}

fn id(event: &Value) -> String {
    event["id"]
        .as_str()
        .expect("each event has an id")
        .to_owned()
}
