//! What is refused by a request's head alone: names of the server that are not this machine's, and headers that could be meant in two ways.

use feedwire_testkit::{Answer, TestServer};

use crate::events;

const FEED: &str = "/v1/projects/default/feeds/f";

/// The answer to a `GET` whose head is `head`, less its end.
async fn raw(server: &TestServer, head: &str) -> Answer {
    let mut socket = server.connect().await;
    socket.send(format!("{head}\r\n\r\n")).await;
    socket.answer("GET").await
}

#[tokio::test]
async fn a_server_is_not_called_by_a_name_that_may_be_another_ones() {
    let server = TestServer::start().await;
    let local = server.address.to_string();
    for host in [local.as_str(), "localhost", "LOCALHOST:1", "[::1]:7373"] {
        let answer = raw(&server, &format!("GET {FEED} HTTP/1.1\r\nhost: {host}")).await;
        assert_eq!(answer.status, 200, "{host}");
    }
    for head in [
        format!("GET {FEED} HTTP/1.1\r\nhost: evil.example"),
        format!("GET {FEED} HTTP/1.1\r\nhost: 127.0.0.1.evil.example:7373"),
        format!("GET {FEED} HTTP/1.1\r\nhost:"),
        format!("GET {FEED} HTTP/1.0\r\nhost: evil.example"),
        format!("GET http://evil.example{FEED} HTTP/1.1\r\nhost: localhost"),
        format!("GET http://localhost{FEED} HTTP/1.1\r\nhost: evil.example"),
        "GET /healthz HTTP/1.1\r\nhost: evil.example".to_owned(),
        "PUT /v1/projects/default/retention HTTP/1.1\r\nhost: evil.example".to_owned(),
    ] {
        let answer = raw(&server, &head).await;
        let misdirected = (421, "misdirected-request".to_owned());
        assert_eq!(answer.problem(), misdirected, "{head}");
        let text = answer.text();
        assert!(text.contains("as localhost, 127.0.0.1 or [::1]"), "{text}");
    }
    let whole = format!("GET http://{local}{FEED} HTTP/1.1\r\nhost: {local}");
    assert_eq!(raw(&server, &whole).await.status, 200);
}

#[tokio::test]
async fn a_request_says_once_by_which_name_it_calls() {
    let server = TestServer::start().await;
    for head in [
        format!("GET {FEED} HTTP/1.1"),
        format!("GET http://localhost{FEED} HTTP/1.1"),
        format!("GET {FEED} HTTP/1.1\r\nhost: localhost\r\nhost: localhost"),
    ] {
        let answer = raw(&server, &head).await;
        assert_eq!(answer.problem(), (400, "invalid-parameter".into()));
        assert_eq!(answer.json()["parameter"], "Host", "{head}");
    }
    let old = raw(&server, &format!("GET {FEED} HTTP/1.0")).await;
    assert_eq!(old.status, 200, "HTTP/1.0 has no such header");
}

#[tokio::test]
async fn a_header_that_is_meant_once_is_refused_when_it_is_doubled() {
    let server = TestServer::start().await;
    for (name, values) in [
        ("Content-Encoding", ["identity", "gzip"]),
        ("Content-Type", ["application/json", "application/x-ndjson"]),
        ("Last-Event-ID", ["0", "0"]),
    ] {
        let headers = values.map(|value| format!("{name}: {value}"));
        let headers = headers.each_ref().map(String::as_str);
        let answer = server.ask("GET", FEED, &headers, b"").await;
        assert_eq!(answer.problem(), (400, "invalid-parameter".into()));
        assert_eq!(answer.json()["parameter"], name);
    }
}

#[tokio::test]
async fn a_body_is_packed_in_chunks_or_not_at_all() {
    let server = TestServer::start().await;
    let path = format!("{FEED}/events");
    let json = "content-type: application/json";
    for headers in [
        &[json, "transfer-encoding: gzip, chunked"][..],
        &[
            json,
            "transfer-encoding: gzip",
            "transfer-encoding: chunked",
        ],
    ] {
        let answer = server.ask("POST", &path, headers, b"").await;
        assert_eq!(answer.problem(), (501, "not-implemented".into()));
    }
    let mut socket = server.connect().await;
    let chunked = [json, "transfer-encoding: Chunked"];
    socket.request("POST", &path, &chunked, b"").await;
    let event = events(1, "a");
    socket
        .send(format!("{:x}\r\n{event}\r\n0\r\n\r\n", event.len()))
        .await;
    assert_eq!(socket.answer("POST").await.status, 200);
}

#[tokio::test]
async fn a_percent_sign_in_a_path_stands_before_two_digits() {
    let server = TestServer::start().await;
    for subject in ["%", "a%2", "%zz", "a%%20", "%+1"] {
        let path = format!("/v1/projects/default/subjects/{subject}/labels");
        let answer = server.ask("GET", &path, &[], b"").await;
        let refused = (400, "invalid-parameter".to_owned());
        assert_eq!(answer.problem(), refused, "{subject}");
        assert_eq!(answer.json()["parameter"], "path");
    }
    let path = "/v1/projects/default/subjects/100%25%2f/labels";
    assert_eq!(server.ask("GET", path, &[], b"").await.status, 200);
}

#[tokio::test]
async fn a_head_asks_for_nothing_that_the_feed_would_refuse() {
    let server = TestServer::start().await;
    for query in ["zz=1", "limit=0", "after=x", "types=a&heartbeat=1s"] {
        let path = format!("{FEED}?{query}");
        assert_eq!(server.ask("GET", &path, &[], b"").await.status, 400);
        assert_eq!(server.ask("HEAD", &path, &[], b"").await.status, 400);
    }
    let path = format!("{FEED}?types=a&limit=5");
    assert_eq!(server.ask("HEAD", &path, &[], b"").await.status, 200);
}

#[tokio::test]
async fn a_label_is_given_once() {
    let server = TestServer::start().await;
    let path = "/v1/projects/default/subjects/a/labels";
    let json = ["content-type: application/json"];
    let body = br#"{"labels":{"room":"lobby","room":"attic"}}"#;
    let answer = server.ask("PUT", path, &json, body).await;
    assert_eq!(answer.problem(), (400, "invalid-json".into()));
    assert!(answer.text().contains(r#"\"room\" is given twice"#));
    let labels = server.ask("GET", path, &[], b"").await;
    assert_eq!(labels.text(), r#"{"labels":{}}"#);
}
