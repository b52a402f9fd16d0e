//! Clients that mean no good, or do none: heads that are too large or never end, readers that never read, nonsense.

use std::time::Duration;

use feedwire_http::Limits;
use feedwire_testkit::{Socket, TestServer};

use crate::events;

const FEED: &str = "/v1/projects/default/feeds/f";

async fn kind(server: &TestServer, path: &str, headers: &[&str]) -> (u16, String) {
    server.ask("GET", path, headers, b"").await.problem()
}

#[tokio::test]
async fn addresses_and_headers_hold_to_their_limits() {
    let server = TestServer::start().await;
    let long = format!("{FEED}?types={}", "x".repeat(33 * 1024));
    assert_eq!(
        kind(&server, &long, &[]).await,
        (414, "uri-too-long".into())
    );
    let large = format!("x-large: {}", "x".repeat(17 * 1024));
    assert_eq!(
        kind(&server, FEED, &[&large]).await,
        (431, "headers-too-large".into())
    );
    let huge = format!("x-huge: {}", "x".repeat(200 * 1024));
    let mut socket = server.connect().await;
    // The server refuses this in the middle, and may have closed the connection before all of it is sent.
    drop(
        socket
            .try_send(format!(
                "GET {FEED} HTTP/1.1\r\nhost: localhost\r\n{huge}\r\n\r\n"
            ))
            .await,
    );
    assert_eq!(socket.head().await.status, 431);
    let many = vec!["x: y"; 101];
    let answer = server.ask("GET", FEED, &many, b"").await;
    assert_eq!(answer.status, 431);
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let server = TestServer::start().await;
    for nonsense in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ] {
        let mut socket = server.connect().await;
        socket.send(nonsense).await;
        assert_eq!(
            socket.head().await.status,
            400,
            "{:?}",
            String::from_utf8_lossy(nonsense)
        );
        assert!(socket.rest().await.is_empty());
    }
    assert_eq!(server.get("feeds").await.status, 200);
}

#[tokio::test]
async fn absurd_parameters_are_named() {
    let server = TestServer::start().await;
    for (query, name) in [
        ("limit=99999999999999999999999", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e3", "limit"),
        ("after=9007199254740992", "after"),
        ("after=%00", "after"),
        ("wait=1000000h", "wait"),
        ("from=999999999999999h", "from"),
        ("from=99999-01-01T00:00:00Z", "from"),
        ("until=", "until"),
        ("types=%0d%0aset-cookie:x", "types"),
        ("subjects=%C0%AF", "subjects"),
        ("limit=1&limit=2", "limit"),
        ("lmit=1", "lmit"),
        ("%0d%0a=1", "\r\n"),
    ] {
        let answer = server
            .ask("GET", &format!("{FEED}?{query}"), &[], b"")
            .await;
        assert_eq!(
            answer.problem(),
            (400, "invalid-parameter".into()),
            "{query}"
        );
        assert_eq!(answer.json()["parameter"], name, "{query}");
    }
    let odd = [
        ("last-event-id: 1\x01", "Last-Event-ID"),
        ("last-event-id: \u{e9}", "Last-Event-ID"),
    ];
    for (header, name) in odd {
        let answer = server.ask("GET", FEED, &[header], b"").await;
        if answer.body.is_empty() {
            assert_eq!(answer.status, 400, "no header has such a character");
        } else {
            assert_eq!(answer.json()["parameter"], name);
        }
    }
}

#[tokio::test]
async fn too_many_filter_values_are_refused() {
    let server = TestServer::start().await;
    let many = vec!["a"; 1_001].join(",");
    assert_eq!(
        kind(&server, &format!("{FEED}?subjects={many}"), &[]).await,
        (400, "invalid-parameter".into())
    );
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up_and_one_that_never_begins_is_closed() {
    let limits = Limits {
        head_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let mut slow = server.connect().await;
    slow.send(format!("GET {FEED} HTTP/1.1\r\nhost: localhost\r\nx: "))
        .await;
    assert_eq!(
        slow.answer("GET").await.problem(),
        (408, "request-timeout".into())
    );
    assert!(slow.rest().await.is_empty());
    let mut silent = server.connect().await;
    assert!(silent.rest().await.is_empty(), "there is nothing to answer");
}

#[tokio::test]
async fn one_connection_more_than_allowed_waits_until_another_ends() {
    let limits = Limits {
        connections_max: 2,
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let mut one = server.follow("feeds/f", "text/event-stream", &[]).await;
    one.text().await;
    let mut two = server.follow("feeds/f", "text/event-stream", &[]).await;
    two.text().await;
    let mut three = server.connect().await;
    three
        .request("GET", "/v1/projects/default/feeds", &[], b"")
        .await;
    let mut byte = [0];
    let early =
        tokio::time::timeout(Duration::from_millis(50), three.stream().peek(&mut byte)).await;
    assert!(early.is_err(), "it is not served yet");
    drop(one);
    assert_eq!(three.answer("GET").await.status, 200);
}

#[tokio::test]
async fn requests_that_are_sent_together_are_answered_in_order() {
    let server = TestServer::start().await;
    let mut socket = server.connect().await;
    let post = |subject: &str| {
        let body = format!(r#"{{"type":"t","subject":"{subject}"}}"#);
        let head = format!(
            "POST {FEED}/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        );
        format!("{head}content-length: {}\r\n\r\n{body}", body.len())
    };
    let get = format!("GET {FEED} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    socket
        .send([post("a"), get.clone(), post("b"), get].concat())
        .await;
    assert_eq!(socket.answer("POST").await.json()["first"], 1);
    assert_eq!(socket.answer("GET").await.positions(), [1]);
    assert_eq!(socket.answer("POST").await.json()["first"], 2);
    assert_eq!(socket.answer("GET").await.positions(), [1, 2]);
}

/// Fills the feed with more than sockets take of what nobody reads: 64 events.
async fn fill(server: &TestServer) {
    let event = format!(r#"{{"type":"t","data":"{}"}}"#, "x".repeat(400_000));
    let batch = format!("[{}]", vec![event; 16].join(","));
    for _ in 0..4 {
        server.publish("f", &batch).await;
    }
}

/// A stream of a feed that has more to send than a socket takes, of which nothing is read.
async fn never_read(server: &TestServer) -> Socket {
    let mut socket = server.connect().await;
    let accept = ["accept: application/x-ndjson"];
    socket
        .request("GET", &format!("{FEED}?from=start"), &accept, b"")
        .await;
    socket
}

#[tokio::test]
async fn a_reader_that_never_reads_is_ended_and_costs_the_others_nothing() {
    a_stuck_reader_is_ended(TestServer::with(impatient()).await).await;
}

#[tokio::test]
async fn a_reader_over_tls_that_never_reads_is_ended_too() {
    a_stuck_reader_is_ended(TestServer::with_tls(impatient()).await.0).await;
}

fn impatient() -> Limits {
    Limits {
        stall_timeout: Duration::from_millis(300),
        ..Limits::default()
    }
}

async fn a_stuck_reader_is_ended(server: TestServer) {
    fill(&server).await;
    let stuck = never_read(&server).await;
    let mut live = server.follow("feeds/g", "text/event-stream", &[]).await;
    live.text().await;
    server.publish("g", &events(1, "a")).await;
    assert!(live.text().await.contains("\"position\":65"));
    drop(live);
    // The server has ended it when nothing of it is left to wait for at the stop.
    stuck.stream().readable().await.expect("the first events");
    assert_eq!(server.stopped().await.cut_off, 0);
    drop(stuck);
}

#[tokio::test]
async fn streams_that_nobody_takes_hold_to_their_limit_together() {
    let limits = Limits {
        streams_bytes_max: 8 << 20,
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    fill(&server).await;
    let path = "feeds/f?from=start&until=now";
    let mut stuck = server.follow(path, "application/x-ndjson", &[]).await;
    stuck.text().await;
    // More than the sockets take of what nobody reads, so the stream keeps the room of its first batch.
    stuck.text().await;
    let mut other = server.follow(path, "application/x-ndjson", &[]).await;
    assert_eq!(other.text().await, "{\"heartbeat\":{\"cursor\":\"0\"}}\n");
    assert!(
        other.rest().await.starts_with(b"0\r\n\r\n"),
        "an orderly end"
    );
    let resumed = server.follow(path, "text/event-stream", &["last-event-id: 0"]);
    let mut resumed = resumed.await;
    assert_eq!(resumed.text().await, "retry: 1000\nid: 0\n\n");
    assert_eq!(resumed.chunk().await, None);
    // What is shared at the tail takes none of it.
    let mut live = server.follow("feeds/g", "text/event-stream", &[]).await;
    live.text().await;
    server.publish("g", &events(1, "a")).await;
    assert!(live.text().await.contains("\"position\":65"));
    let mut taken = 1;
    while let Some(chunk) = stuck.chunk().await {
        taken += usize::from(chunk.starts_with(b"{\"specversion\""));
    }
    assert_eq!(taken, 64);
    // The room was given back.
    let mut after = server.follow(path, "application/x-ndjson", &[]).await;
    after.text().await;
    assert!(after.text().await.contains("\"position\":1,"));
}

#[tokio::test]
async fn pages_that_nobody_takes_hold_to_their_limit_together() {
    let limits = Limits {
        pages_bytes_max: 6 << 20,
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let event = format!(r#"{{"type":"t","data":"{}"}}"#, "x".repeat(400_000));
    let batch = format!("[{}]", vec![event; 13].join(","));
    server.publish("f", &batch).await;
    let mut stuck = server.connect().await;
    stuck.request("GET", FEED, &[], b"").await;
    // More than the sockets take of what nobody reads, so the page keeps its room.
    stuck.stream().readable().await.expect("the first events");
    let other = server.get("feeds/f").await;
    assert_eq!(other.problem(), (503, "unavailable".into()));
    assert_eq!(stuck.answer("GET").await.positions().len(), 13);
    assert_eq!(server.get("feeds/f?after=13").await.status, 200);
}

#[tokio::test]
async fn a_reader_that_retention_overtakes_is_told_so_before_its_stream_ends() {
    let server = TestServer::start().await;
    fill(&server).await;
    let mut late = never_read(&server).await;
    late.stream().readable().await.expect("the first events");
    server.clock.advance(Duration::from_hours(1));
    server.publish("f", &events(1, "a")).await;
    server.trim(Duration::from_mins(1)).await;
    assert_eq!(late.head().await.status, 200);
    let mut last = Vec::new();
    while let Some(chunk) = late.chunk().await {
        last = chunk;
    }
    let last: serde_json::Value = serde_json::from_slice(&last).expect("one line");
    assert_eq!(
        last["expired"]["type"],
        "urn:feedwire:problem:cursor-expired"
    );
    assert_eq!(last["expired"]["first_position"], 65);
    assert!(late.rest().await.is_empty());
}

#[tokio::test]
async fn a_client_that_goes_away_gives_its_place_to_the_next_at_once() {
    let limits = Limits {
        connections_max: 1,
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let mut stream = server.follow("feeds/f", "text/event-stream", &[]).await;
    stream.text().await;
    drop(stream);
    let mut poll = server.connect().await;
    poll.request("GET", &format!("{FEED}?wait=60s"), &[], b"")
        .await;
    drop(poll);
    assert_eq!(server.get("feeds").await.status, 200);
}
