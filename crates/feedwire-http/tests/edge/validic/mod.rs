//! The `validic` dialect, as its vendor's clients speak it.

mod access;
mod connecting;
mod replaying;
mod streams;

use std::collections::VecDeque;

use feedwire_testkit::{Answer, Socket, TestServer};
use serde_json::{Value, json};

const JSON: &[&str] = &["content-type: application/json"];

async fn ask(server: &TestServer, method: &str, path: &str, body: &str) -> Answer {
    let path = format!("/validic{path}");
    server.ask(method, &path, JSON, body.as_bytes()).await
}

/// Makes a stream that is called `name`, with further members; returns its id.
async fn stream(server: &TestServer, name: &str, members: &str) -> String {
    let body = format!(r#"{{"name":"{name}"{members}}}"#);
    let made = ask(server, "POST", "/streams", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    text(&made.json()["id"])
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A connection to a stream.
struct Connection {
    socket: Socket,
    /// What has come and was not asked for yet.
    ready: VecDeque<(String, Value)>,
}

impl Connection {
    /// The next event: its name and its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            self.ready.extend(events(&self.socket.text().await));
        }
    }

    /// The next event that is no poke.
    async fn told(&mut self) -> (String, Value) {
        loop {
            let (name, data) = self.next().await;
            if name != "poke" {
                return (name, data);
            }
        }
    }

    /// The id of the next event that is no poke, which is a record.
    async fn record(&mut self) -> String {
        let (name, data) = self.told().await;
        assert_eq!(name, "data");
        text(&data["id"])
    }
}

/// Whole events, each with its name and its data.
fn events(text: &str) -> Vec<(String, Value)> {
    let events = text.strip_suffix("\n\n").expect("whole events");
    let events = events.split("\n\n").map(|event| {
        let (name, data) = event.split_once('\n').expect("two lines");
        let name = name.strip_prefix("event: ").expect("its name");
        let data = data.strip_prefix("data: ").expect("its data");
        (
            name.to_owned(),
            serde_json::from_str(data).expect("JSON on one line"),
        )
    });
    events.collect()
}

/// A connection to the stream `id`, and the first poke of it.
async fn poked(server: &TestServer, id: &str) -> (Connection, Value) {
    let mut socket = server.connect().await;
    let path = format!("/validic/streams/{id}/connect");
    // As the vendor's quickstart asks, which says nothing of what it takes.
    socket.request("GET", &path, &[], b"").await;
    let head = socket.head().await;
    assert_eq!(
        (head.status, head.header("content-type")),
        (200, Some("text/event-stream"))
    );
    let ready = VecDeque::new();
    let mut connection = Connection { socket, ready };
    let (name, poke) = connection.next().await;
    assert_eq!(name, "poke");
    (connection, poke)
}

/// A connection to the stream `id`, behind its first poke.
async fn connect(server: &TestServer, id: &str) -> Connection {
    poked(server, id).await.0
}

/// Publishes a record of `user`.
async fn record(server: &TestServer, feed: &str, ty: &str, user: &str, id: &str) {
    let event = json!({ "type": ty, "subject": user, "data": { "id": id, "metrics": [] } });
    let published = server.publish(feed, &event.to_string()).await;
    assert_eq!(published.status, 200, "{}", published.text());
}

/// The status of a refusal, and the first of its words.
fn refusal(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.body.is_ascii());
    (answer.status, text(&answer.json()["errors"][0]))
}
