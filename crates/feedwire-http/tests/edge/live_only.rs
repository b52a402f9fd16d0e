//! Live-only events: published in every mode, and read by whoever is there.

use feedwire_testkit::{Answer, Socket, TestServer};
use insta::assert_snapshot;
use serde_json::Value;

const EVENTS: &str = "/v1/projects/default/feeds/f/events";
const SSE: &str = "text/event-stream";
const NDJSON: &str = "application/x-ndjson";
const LIVE: &str = r#"{"type":"t","live_only":true}"#;

async fn post(server: &TestServer, headers: &[&str], body: &str) -> Answer {
    server.ask("POST", EVENTS, headers, body.as_bytes()).await
}

/// The next `count` events of a stream of lines.
async fn next(socket: &mut Socket, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    while found.len() < count {
        let text = socket.text().await;
        let lines = text.lines().map(serde_json::from_str);
        let lines = lines.map(|line: Result<Value, _>| line.expect("a line of JSON"));
        found.extend(lines.filter(|line| line.get("heartbeat").is_none()));
    }
    found
}

#[tokio::test]
async fn in_every_mode_an_event_is_told_from_others_and_reaches_who_follows() {
    let server = TestServer::start().await;
    let mut socket = server.follow("feeds/f", NDJSON, &[]).await;
    let ours = r#"{"type":"t","live_only":true}"#;
    let theirs = r#"{"specversion":"1.0","type":"t","id":"a","source":"/s","liveonly":true}"#;
    for (content_type, body) in [
        ("application/json", ours.to_owned()),
        ("application/json", format!(r#"[{ours},{{"type":"u"}}]"#)),
        (
            "application/x-ndjson",
            format!("{ours}\n{{\"type\":\"u\"}}"),
        ),
        ("application/cloudevents+json", theirs.to_owned()),
        (
            "application/cloudevents-batch+json",
            format!(r#"[{theirs},{{"type":"u","liveonly":false}}]"#).replace(r#""a""#, r#""b""#),
        ),
    ] {
        let header = format!("content-type: {content_type}");
        let answer = post(&server, &[&header], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for live_only in ["true", "false"] {
        let header = format!("ce-liveonly: {live_only}");
        let answer = post(&server, &["ce-type: t", &header], "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let events = next(&mut socket, 10).await;
    let told = events.iter().map(|event| event.get("liveonly").is_some());
    let expected = [
        true, true, false, true, false, true, true, false, true, false,
    ];
    assert_eq!(told.collect::<Vec<bool>>(), expected);
    assert_snapshot!(events[0].to_string(), @r#"{"feed":"f","id":"id-1","liveonly":true,"position":1,"recordedat":"2026-11-21T08:00:00Z","source":"/v1/projects/default/feeds/f","specversion":"1.0","time":"2026-11-21T08:00:00Z","type":"t"}"#);
    let page = server.get("feeds/f").await;
    assert_eq!(page.positions(), [3, 5, 8, 10]);
    assert!(!page.text().contains("liveonly"), "{}", page.text());
}

#[tokio::test]
async fn a_stream_that_comes_back_with_its_cursor_has_none_that_came_in_between() {
    let server = TestServer::start().await;
    for accept in [SSE, NDJSON] {
        let mut socket = server.follow("feeds/f", accept, &[]).await;
        socket.text().await;
        let published = server.publish("f", LIVE).await.json();
        let text = socket.text().await;
        assert!(text.contains(r#""liveonly":true"#), "{text}");
        let cursor = &published["last"];
        drop(socket);
        server.publish("f", LIVE).await;
        let path = format!("feeds/f?after={cursor}");
        let mut socket = server.follow(&path, accept, &[]).await;
        socket.text().await;
        let last = server.publish("f", r#"{"type":"t"}"#).await.json();
        let text = socket.text().await;
        let position = format!(r#""position":{},"#, last["last"]);
        assert!(text.contains(&position), "{text}");
        assert!(!text.contains("liveonly"), "{text}");
    }
}

#[tokio::test]
async fn a_page_that_waits_is_answered_by_it_and_one_that_is_asked_for_later_has_nothing() {
    let server = TestServer::start().await;
    for query in ["after=0&wait=60s", "lastEventId=&timeout=60000"] {
        let mut socket = server.connect().await;
        let path = format!("/v1/projects/default/feeds/f?{query}");
        socket.request("GET", &path, &[], b"").await;
        // Whether the request is there yet is seen by its answer alone.
        let publish = async {
            loop {
                server.publish("f", LIVE).await;
            }
        };
        let answer = tokio::select! {
            answer = socket.answer("GET") => answer,
            () = publish => unreachable!("it goes on"),
        };
        let told = answer.text();
        assert!(told.contains(r#""liveonly":true"#), "{told}");
    }
    let page = server.get("feeds/f?after=0").await.json();
    assert_eq!(page["events"], Value::Array(Vec::new()));
    assert_eq!(page["cursor"], page["head"].to_string());
}

#[tokio::test]
async fn what_is_no_boolean_is_refused_by_name_and_nothing_is_published() {
    let server = TestServer::start().await;
    let json = "content-type: application/json";
    let lines = "content-type: application/x-ndjson";
    for (headers, body, attribute) in [
        (
            &[json][..],
            r#"{"type":"t","live_only":"true"}"#,
            "live_only",
        ),
        (&[json], r#"[{"type":"t","liveonly":1}]"#, "liveonly"),
        (
            &[json],
            r#"{"type":"t","live_only":true,"liveonly":true}"#,
            "live_only",
        ),
        (&[lines], r#"{"type":"t","liveonly":[]}"#, "liveonly"),
        (&["ce-type: t", "ce-liveonly: yes"], "", "liveonly"),
        (&["ce-type: t", "ce-live_only: true"], "", "live_only"),
    ] {
        let refused = post(&server, headers, body).await;
        assert_eq!(refused.problem(), (400, "invalid-event".into()), "{body}");
        assert_eq!(refused.json()["attribute"], attribute, "{body}");
    }
    assert_eq!(server.get("feeds/f").await.json()["head"], 0);
}

#[tokio::test]
async fn it_is_published_once_and_its_key_is_not_that_of_an_event_for_everybody() {
    let server = TestServer::start().await;
    let headers = ["content-type: application/json", "idempotency-key: k"];
    assert_eq!(post(&server, &headers, LIVE).await.status, 200);
    let again = post(&server, &headers, LIVE).await;
    assert_eq!(again.json()["duplicate"], true);
    let other = post(&server, &headers, r#"{"type":"t"}"#).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused".into()));
}
