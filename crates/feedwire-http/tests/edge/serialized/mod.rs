//! The `serialized` dialect, as its vendor's clients speak it.

mod access;
mod aggregates;
mod deleting;
mod feeds;
mod racing;
mod tenants;
mod waiting;

use feedwire_testkit::{Answer, TestServer};
use serde_json::Value;

const ORDER: &str = "723ecfce-14e9-4889-98d5-a3d0ad54912f";
const OTHER: &str = "723ecfce-14e9-4889-98d5-a3d0ad549130";

async fn ask(server: &TestServer, method: &str, path: &str, body: &str) -> Answer {
    let path = format!("/serialized{path}");
    let headers = ["content-type: application/json"];
    server.ask(method, &path, &headers, body.as_bytes()).await
}

/// What is at `path`, which has to be there.
async fn get(server: &TestServer, path: &str) -> Value {
    let answer = ask(server, "GET", path, "").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
    answer.json()
}

/// Saves one batch of events with these types.
async fn save(server: &TestServer, aggregate: &str, types: &[&str]) {
    let saved = try_save(server, aggregate, types, "").await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    assert_eq!(saved.header("content-length"), Some("0"));
}

/// As [`save`], with more members of the body.
async fn try_save(server: &TestServer, aggregate: &str, types: &[&str], more: &str) -> Answer {
    let events = types.iter().map(|ty| format!(r#"{{"eventType":"{ty}"}}"#));
    let events = events.collect::<Vec<_>>().join(",");
    let body = format!(r#"{{"events":[{events}]{more}}}"#);
    ask(
        server,
        "POST",
        &format!("/aggregates/{aggregate}/events"),
        &body,
    )
    .await
}

/// The sequence numbers of a page, its `hasMore` and its `currentSequenceNumber`.
fn told(page: &Value) -> (Vec<u64>, bool, u64) {
    let entries = page["entries"].as_array().expect("entries").iter();
    let numbers = entries.map(|entry| entry["sequenceNumber"].as_u64().expect("a number"));
    let more = page["hasMore"].as_bool().expect("whether there is more");
    let current = page["currentSequenceNumber"].as_u64();
    (numbers.collect(), more, current.expect("a number"))
}

/// The code and the message of a refusal.
fn refusal(answer: &Answer) -> (u64, String) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!(body["code"], answer.status);
    let message = body["message"].as_str().expect("a message").to_owned();
    (u64::from(answer.status), message)
}
