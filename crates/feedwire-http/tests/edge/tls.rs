//! TLS: connections that come about, those that do not, and how they end.

use std::time::Duration;

use feedwire_http::Limits;
use feedwire_testkit::{Pair, Socket, TestServer};

use crate::events;

const FEEDS: &str = "/v1/projects/default/feeds";
const SSE: &str = "text/event-stream";
/// The first byte of a record of a handshake, and nothing else of it.
const HANDSHAKE: &[u8] = &[0x16];

async fn server() -> TestServer {
    TestServer::with_tls(Limits::default()).await.0
}

/// How often handshakes came to this.
async fn handshakes(server: &TestServer, outcome: &str) -> u64 {
    let series = format!("feedwire_tls_handshakes_total{{outcome=\"{outcome}\"}} ");
    told(server, &series).await.expect("it is told")
}

async fn told(server: &TestServer, series: &str) -> Option<u64> {
    let text = server.ask("GET", "/metrics", &[], b"").await.text();
    let value = text.lines().find_map(|line| line.strip_prefix(series))?;
    Some(value.parse().expect("a whole number"))
}

#[tokio::test]
async fn requests_are_answered_one_after_the_other_on_one_connection() {
    let server = server().await;
    server.publish("f", &events(1, "a")).await;
    let mut socket = server.connect().await;
    for _ in 0..2 {
        socket.request("GET", FEEDS, &[], b"").await;
        let answer = socket.answer("GET").await;
        assert_eq!(answer.status, 200);
        assert!(answer.text().contains(r#""f""#), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_large_body_and_a_large_page_come_through_whole() {
    let server = server().await;
    let text = "x".repeat(200_000);
    let event = format!(r#"{{"type":"t","data":"{text}"}}"#);
    for _ in 0..4 {
        server.publish("f", &event).await;
    }
    let page = server.get("feeds/f?from=start").await.json();
    let events = page["events"].as_array().expect("events");
    assert_eq!(events.len(), 4);
    assert!(events.iter().all(|event| event["data"] == *text));
}

// The end of TLS (close_notify) is what tells a client that nothing was cut off: without it, reading fails.
#[tokio::test]
async fn a_stream_ends_with_its_last_chunk_and_the_end_of_tls() {
    let server = server().await;
    let mut socket = server.follow("feeds/f", SSE, &[]).await;
    socket.text().await;
    server.publish("f", &events(1, "a")).await;
    assert!(socket.text().await.contains("data: "));
    server.stop();
    assert_eq!(socket.chunk().await, None);
    assert!(socket.rest().await.is_empty());
    drop(socket);
    assert_eq!(server.stopped().await.cut_off, 0);
}

#[tokio::test]
async fn a_client_that_keeps_sending_into_a_stream_is_not_reset() {
    let server = server().await;
    let mut socket = server.follow("feeds/f", SSE, &[]).await;
    socket.text().await;
    socket.send(vec![b'x'; 100_000]).await;
    server.stop();
    assert_eq!(socket.chunk().await, None);
    assert!(socket.rest().await.is_empty());
    drop(socket);
    server.stopped().await;
}

#[tokio::test]
async fn who_asks_without_tls_is_told_where_to_ask() {
    let server = server().await;
    let mut socket = Socket::connect(server.address).await;
    socket.request("GET", FEEDS, &[], b"").await;
    let answer = socket.answer("GET").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("https://"), "{}", answer.text());
    assert!(socket.rest().await.is_empty());
    assert_eq!(handshakes(&server, "plaintext").await, 1);
}

#[tokio::test]
async fn what_is_no_tls_is_ended_with_an_alert_and_counted() {
    let server = server().await;
    let mut socket = Socket::connect(server.address).await;
    socket.send(b"\x16\x03\x01\x00\x04\x14\x00\x00\x00").await;
    // An alert of TLS: its kind, the version, the length and two bytes that say what.
    let alert = socket.rest().await;
    assert!(matches!(alert[..], [0x15, 3, _, 0, 2, _, _]), "{alert:x?}");
    assert_eq!(handshakes(&server, "failed").await, 1);
    assert_eq!(server.get("feeds").await.status, 200);
}

#[tokio::test]
async fn who_comes_no_further_with_its_handshake_is_given_up() {
    let limits = Limits {
        head_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let (server, _) = TestServer::with_tls(limits).await;
    let mut silent = Socket::connect(server.address).await;
    let mut slow = Socket::connect(server.address).await;
    slow.send(HANDSHAKE).await;
    assert!(silent.rest().await.is_empty());
    assert!(slow.rest().await.is_empty());
    assert_eq!(handshakes(&server, "late").await, 2);
}

#[tokio::test]
async fn who_only_looks_whether_somebody_listens_has_failed_at_nothing() {
    let server = server().await;
    let mut probe = Socket::connect(server.address).await;
    probe.finish().await;
    assert!(probe.rest().await.is_empty());
    for outcome in ["failed", "late", "plaintext"] {
        assert_eq!(handshakes(&server, outcome).await, 0, "{outcome}");
    }
}

#[tokio::test]
async fn a_handshake_under_way_is_not_waited_for_until_the_deadline() {
    let limits = Limits {
        first_request_grace: Duration::from_millis(50),
        ..Limits::default()
    };
    let (server, _) = TestServer::with_tls(limits).await;
    let mut slow = Socket::connect(server.address).await;
    slow.send(HANDSHAKE).await;
    // Accepted behind it.
    server.get("feeds").await;
    server.stop();
    assert!(slow.rest().await.is_empty());
    assert_eq!(server.stopped().await.cut_off, 0);
}

#[tokio::test]
async fn a_connection_that_is_made_as_the_server_stops_is_answered() {
    let server = server().await;
    let late = Socket::connect(server.address).await;
    server.get("feeds").await;
    server.stop();
    let mut late = late.secured().await;
    late.request("GET", FEEDS, &[], b"").await;
    assert_eq!(late.answer("GET").await.status, 200);
    assert!(late.rest().await.is_empty());
    drop(late);
    assert_eq!(server.stopped().await.cut_off, 0);
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_who_comes_then_and_cuts_nobody() {
    let (server, tls) = TestServer::with_tls(Limits::default()).await;
    let mut stream = server.follow("feeds/f", SSE, &[]).await;
    stream.text().await;
    let before = stream.certificate().expect("it was shown").to_vec();
    let expires_at = "feedwire_tls_certificate_expires_at_seconds ";
    // The last second of 2049, and the first of 2100.
    assert_eq!(told(&server, expires_at).await, Some(2_524_607_999));
    tls.renew(Pair::RENEWED.read());
    assert_eq!(told(&server, expires_at).await, Some(4_102_444_800));
    let after = server.connect().await;
    assert_ne!(after.certificate(), Some(&before[..]));
    server.publish("f", &events(1, "a")).await;
    assert!(stream.text().await.contains("data: "));
}

#[tokio::test]
async fn without_tls_no_end_of_a_certificate_is_told() {
    let server = TestServer::start().await;
    let series = "feedwire_tls_certificate_expires_at_seconds ";
    assert_eq!(told(&server, series).await, None);
    assert_eq!(handshakes(&server, "done").await, 0);
}
