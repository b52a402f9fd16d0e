//! The `aria` dialect, as its vendor's clients speak it.

mod access;
mod feeds;
mod framing;
mod loading;
mod overload;
mod resuming;

use std::collections::VecDeque;

use feedwire_core::Grant;
use feedwire_core::entities::{Wanted, Write};
use feedwire_event::{FeedName, Ids, ProjectName, State, Subject};
use feedwire_testkit::{Answer, Socket, TestServer};
use serde_json::Value;

const CHANGE: &str = "/aria/feeds/change";

fn write(feed: &str, subject: &str, wanted: Wanted) -> Write {
    Write {
        feed: FeedName::new(feed).expect("a name"),
        subject: Subject::new(subject).expect("a subject"),
        wanted,
        time: None,
        source: None,
        expected: None,
    }
}

/// Has entities of the default project become what is wanted; returns where the last change of the first stands.
async fn change(server: &TestServer, writes: &[Write]) -> u64 {
    let grant = Grant::whole(ProjectName::new("default").expect("a name"));
    let changed = server.core.change_entities(&grant, writes);
    let outcomes = changed.await.expect("they are changed");
    outcomes[0].position.expect("a position").get()
}

/// Puts an entity that is an account; returns where its last change stands.
async fn put(server: &TestServer, subject: &str, state: &str) -> u64 {
    let state = State::parse(state).expect("a state");
    let ids = Ids::parse(&format!(r#"{{"account_no":7,"userid":"{subject}"}}"#)).expect("ids");
    let ids = Some(ids);
    change(
        server,
        &[write("Account", subject, Wanted::Put { state, ids })],
    )
    .await
}

/// Puts as many accounts; returns where the first stands.
async fn put_all(server: &TestServer, count: usize) -> u64 {
    let mut first = None;
    for number in 0..count {
        let position = put(server, &format!("n{number}"), "{}").await;
        first.get_or_insert(position);
    }
    first.expect("at least one")
}

/// An event as it was told.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    id: String,
    name: String,
    header: Value,
    payload: Option<Value>,
}

/// What of `text`, whole lines, are events; comments and fields beside them are passed over.
fn events(text: &str) -> Vec<Told> {
    assert!(text.is_ascii() && text.ends_with('\n'), "{text}");
    let blocks = text.split_inclusive("\n\n");
    let blocks = blocks.filter(|block| block.ends_with("\n\n"));
    let events = blocks.map(|block| {
        let lines: Vec<&str> = block
            .lines()
            .filter(|line| !line.starts_with(':'))
            .collect();
        let field = |at: usize, name: &str| {
            let field: Option<&&str> = lines.get(at);
            field.and_then(|line| line.strip_prefix(name))
        };
        let json = |text: &str| serde_json::from_str(text).expect("JSON on one line");
        assert!(matches!(lines.len(), 4 | 5), "{block}");
        Told {
            id: field(0, "id: ").expect("an id").to_owned(),
            name: field(1, "event: ").expect("a name").to_owned(),
            header: json(field(2, "data: ").expect("a header")),
            payload: field(3, "data: ").map(json),
        }
    });
    events.collect()
}

/// A feed that is read in chunks.
struct Feed {
    socket: Socket,
    /// What its first chunk was.
    opening: String,
    ready: VecDeque<Told>,
}

impl Feed {
    async fn next(&mut self) -> Told {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            self.ready.extend(events(&self.socket.text().await));
        }
    }

    /// The ids of the next `count` events.
    async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.push(self.next().await.id);
        }
        ids
    }

    /// That nothing more comes, and that the connection ends in good order.
    async fn ended(mut self) {
        while let Some(chunk) = self.socket.chunk().await {
            assert!(
                chunk.starts_with(b":"),
                "{}",
                String::from_utf8_lossy(&chunk)
            );
        }
        assert_eq!(self.socket.rest().await, b"", "the end of the connection");
    }
}

/// The feed at `path`, behind its first chunk.
async fn open(server: &TestServer, path: &str, headers: &[&str]) -> Feed {
    let mut socket = server.connect().await;
    socket.request("GET", path, headers, b"").await;
    let head = socket.head().await;
    assert_eq!(head.status, 200, "{path}: {head:?}");
    for (name, value) in [
        ("content-type", Some("text/event-stream; charset=utf-8")),
        ("transfer-encoding", Some("chunked")),
        ("connection", Some("close")),
        ("cache-control", Some("no-store")),
        ("content-encoding", None),
        ("content-length", None),
    ] {
        assert_eq!(head.header(name), value, "{name}");
    }
    let opening = socket.text().await;
    assert!(opening.starts_with(':') && opening.ends_with('\n') && !opening.contains("\n\n"));
    Feed {
        socket,
        opening,
        ready: VecDeque::new(),
    }
}

/// The status of a refusal, what it is called, and its words.
fn refusal(answer: &Answer) -> (u16, String, String) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.body.is_ascii());
    let json = answer.json();
    let text = |member: &str| json[member].as_str().expect("a text").to_owned();
    (answer.status, text("error"), text("error_description"))
}
