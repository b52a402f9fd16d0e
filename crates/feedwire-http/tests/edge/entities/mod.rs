//! Entities: put, patched and deleted; in lists, in bodies of lines, loaded, and before the events that follow them.

mod changing;
mod loading;
mod many;
mod states;

use feedwire_testkit::{Answer, TestServer};

const PLANES: &str = "/v1/projects/default/feeds/planes/entities";
const JSON: &str = "content-type: application/json";
const LINES: &str = "content-type: application/x-ndjson";

/// Asks about the plane `subject`.
async fn plane(
    server: &TestServer,
    method: &str,
    subject: &str,
    headers: &[&str],
    body: &str,
) -> Answer {
    let path = format!("{PLANES}/{subject}");
    let headers = [&[JSON], headers].concat();
    server.ask(method, &path, &headers, body.as_bytes()).await
}

/// Puts the plane `subject` with `data` as its state.
async fn put(server: &TestServer, subject: &str, data: &str) -> Answer {
    let body = format!(r#"{{"data":{data}}}"#);
    let answer = plane(server, "PUT", subject, &[], &body).await;
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    answer
}
