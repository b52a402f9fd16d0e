//! Bodies that are too large, too slow, cut off, or not what they say.

use std::time::Duration;

use feedwire_http::Limits;
use feedwire_testkit::{Answer, TestServer};

use crate::events;

const PATH: &str = "/v1/projects/default/feeds/f/events";
const JSON: &str = "content-type: application/json";

async fn post(server: &TestServer, body: impl AsRef<[u8]>) -> Answer {
    server.ask("POST", PATH, &[JSON], body.as_ref()).await
}

/// Nothing of what was refused is there.
async fn nothing_is_lost_or_left(server: &TestServer) {
    server.publish("f", &events(1, "a")).await;
    assert_eq!(server.get("feeds/f").await.positions(), [1]);
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_before_it_is_sent() {
    let server = TestServer::start().await;
    let mut socket = server.connect().await;
    socket
        .request(
            "POST",
            PATH,
            &[JSON, "expect: 100-continue", "content-length: 999999999999"],
            b"",
        )
        .await;
    let answer = socket.answer("POST").await;
    assert_eq!(answer.problem(), (413, "body-too-large".into()));
    assert!(socket.rest().await.is_empty());
    nothing_is_lost_or_left(&server).await;
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_refused_and_the_answer_arrives() {
    let server = TestServer::start().await;
    let mut socket = server.connect().await;
    socket
        .request("POST", PATH, &[JSON, "transfer-encoding: chunked"], b"")
        .await;
    let piece = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
    for _ in 0..11 {
        // The server stops reading at its limit; what it still throws away is bounded too.
        if socket.try_send(&piece).await.is_err() {
            break;
        }
    }
    assert_eq!(
        socket.answer("POST").await.problem(),
        (413, "body-too-large".into())
    );
    nothing_is_lost_or_left(&server).await;
}

#[tokio::test]
async fn batches_and_events_hold_to_their_limits() {
    let server = TestServer::start().await;
    let many = post(&server, events(1_001, "a")).await;
    assert_eq!(many.problem(), (413, "batch-too-large".into()));
    let large = format!(
        r#"[{{"type":"t"}},{{"type":"t","data":"{}"}}]"#,
        "x".repeat(512 * 1024)
    );
    let large = post(&server, large).await;
    assert_eq!(large.problem(), (413, "event-too-large".into()));
    assert_eq!(large.json()["index"], 1);
    // Escaping makes these larger than they are sent.
    let event = format!(r#"{{"type":"t","data":"{}"}}"#, "é".repeat(80 * 1024));
    let batch = post(&server, format!("[{}]", vec![event; 20].join(","))).await;
    assert_eq!(batch.problem(), (413, "batch-too-large".into()));
    assert_eq!(
        post(&server, "[]").await.problem(),
        (400, "invalid-event".into())
    );
    nothing_is_lost_or_left(&server).await;
}

#[tokio::test]
async fn broken_json_is_told_by_line_and_column() {
    let server = TestServer::start().await;
    let answer = post(&server, "[{\"type\":\"t\"},\n  {\"type\" \"t\"}]").await;
    assert_eq!(answer.problem(), (400, "invalid-json".into()));
    assert_eq!(
        (
            answer.json()["line"].as_u64(),
            answer.json()["column"].as_u64()
        ),
        (Some(2), Some(11))
    );
    let latin = post(&server, b"{\"type\":\"t\",\"data\":\"\xe6\"}").await;
    assert_eq!(latin.problem(), (400, "invalid-json".into()));
    assert_eq!(latin.json()["column"], 21);
    nothing_is_lost_or_left(&server).await;
}

#[tokio::test]
async fn line_ends_do_not_get_into_what_is_stored() {
    let server = TestServer::start().await;
    for attribute in ["subject", "id", "source", "x"] {
        let event = format!(r#"{{"type":"t","{attribute}":"a\r\nid: 9\n\n"}}"#);
        let answer = post(&server, event).await;
        assert_eq!(answer.problem(), (400, "invalid-event".into()));
        assert_eq!(answer.json()["attribute"], attribute);
    }
    post(&server, r#"{"type":"t","data":"a\r\n\u0085\u2028"}"#).await;
    let mut stream = server
        .follow("feeds/f?from=start", "text/event-stream", &[])
        .await;
    stream.text().await;
    let frame = stream.text().await;
    assert_eq!(frame.lines().count(), 3, "{frame}");
    assert!(frame.contains(r#""data":"a\r\n\u0085\u2028""#), "{frame}");
}

#[tokio::test]
async fn a_body_that_pauses_for_too_long_is_given_up() {
    let limits = Limits {
        body_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let mut socket = server.connect().await;
    socket
        .request("POST", PATH, &[JSON, "content-length: 15"], b"")
        .await;
    socket.send(r#"{"type":"#).await;
    assert_eq!(
        socket.answer("POST").await.problem(),
        (408, "request-timeout".into())
    );
    let mut lines = server.connect().await;
    lines
        .request(
            "POST",
            PATH,
            &[
                "content-type: application/x-ndjson",
                "content-length: 99999",
            ],
            b"",
        )
        .await;
    lines
        .send("{\"type\":\"t\"}\n{\"type\":\"t\"}\n{\"type\":")
        .await;
    let answer = lines.answer("POST").await;
    assert_eq!(answer.problem(), (408, "request-timeout".into()));
    assert_eq!(
        (&answer.json()["appended"], &answer.json()["last"]),
        (&2.into(), &2.into()),
        "what had arrived is published"
    );
    assert_eq!(server.get("feeds/f").await.positions(), [1, 2]);
}

#[tokio::test]
async fn a_body_that_is_cut_off_publishes_nothing() {
    let server = TestServer::start().await;
    for framing in ["content-length: 999", "transfer-encoding: chunked"] {
        let mut socket = server.connect().await;
        socket.request("POST", PATH, &[JSON, framing], b"").await;
        socket.send("f\r\n{\"type\":\"tick\"}\r\n").await;
        socket.finish().await;
        socket.rest().await;
    }
    let mut socket = server.connect().await;
    socket
        .request("POST", PATH, &[JSON, "transfer-encoding: chunked"], b"")
        .await;
    socket.send("zz\r\n").await;
    assert_eq!(
        socket.answer("POST").await.problem(),
        (400, "body-broken".into())
    );
    nothing_is_lost_or_left(&server).await;
}

#[tokio::test]
async fn lines_without_an_end_hold_to_the_room_that_there_is_for_bodies() {
    let limits = Limits {
        bodies_bytes_max: 128 * 1024,
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let mut socket = server.connect().await;
    let headers = [
        "content-type: application/x-ndjson",
        "content-length: 999999",
    ];
    socket.request("POST", PATH, &headers, b"").await;
    socket.send(" ".repeat(150_000)).await;
    let refused = socket.answer("POST").await;
    assert_eq!(refused.problem(), (503, "unavailable".into()));
    nothing_is_lost_or_left(&server).await;
}

#[tokio::test]
async fn bodies_hold_to_the_room_that_there_is_for_all_of_them() {
    let limits = Limits {
        bodies_bytes_max: 64 * 1024,
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let large = format!(r#"{{"type":"t","data":"{}"}}"#, "x".repeat(70_000));
    for content_type in [JSON, "content-type: application/x-ndjson"] {
        let refused = server
            .ask("POST", PATH, &[content_type], large.as_bytes())
            .await;
        assert_eq!(refused.problem(), (503, "unavailable".into()));
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    // The room was given back.
    nothing_is_lost_or_left(&server).await;
}
