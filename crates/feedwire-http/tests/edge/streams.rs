//! Streams: Server-Sent Events and lines, chunk by chunk.

use std::time::Duration;

use feedwire_testkit::{Socket, TestServer};
use insta::assert_snapshot;

use crate::events;

const SSE: &str = "text/event-stream";
const NDJSON: &str = "application/x-ndjson";

/// The ids of the frames with data in `text`.
fn ids(text: &str) -> Vec<u64> {
    let frames = text
        .split("\n\n")
        .filter(|frame| frame.contains("\ndata: {\"specversion\""));
    frames
        .map(|frame| {
            frame
                .lines()
                .next()
                .and_then(|line| line.strip_prefix("id: "))
                .expect("an id")
                .parse()
                .expect("a cursor")
        })
        .collect()
}

/// The ids of the next `count` events; every chunk has to hold whole frames.
async fn next_ids(socket: &mut Socket, count: usize) -> Vec<u64> {
    let mut found = Vec::new();
    while found.len() < count {
        let text = socket.text().await;
        assert!(text.ends_with("\n\n"), "a chunk is cut: {text:?}");
        found.extend(ids(&text));
    }
    found
}

#[tokio::test]
async fn server_sent_events_start_now_and_follow_what_is_published() {
    let server = TestServer::start().await;
    server.publish("flights", &events(2, "a")).await;
    let mut socket = server.follow("feeds/flights", SSE, &[]).await;
    assert_eq!(socket.text().await, "retry: 1000\nid: 2\n\n");
    server.publish("trains", &events(1, "a")).await;
    server
        .publish("flights", r#"{"type":"tick","subject":"b"}"#)
        .await;
    assert_snapshot!(socket.text().await, @r#"
    id: 4
    data: {"specversion":"1.0","id":"id-4","source":"/v1/projects/default/feeds/flights","type":"tick","subject":"b","time":"2026-11-21T08:00:00Z","feed":"flights","position":4,"recordedat":"2026-11-21T08:00:00Z","version":1}
    "#);
}

#[tokio::test]
async fn lines_start_with_a_cursor_and_follow_what_is_published() {
    let server = TestServer::start().await;
    server.publish("flights", &events(2, "a")).await;
    let mut socket = server.follow("feeds/_all?after=1", NDJSON, &[]).await;
    assert_eq!(socket.text().await, "{\"heartbeat\":{\"cursor\":\"1\"}}\n");
    assert_snapshot!(socket.text().await, @r#"{"specversion":"1.0","id":"id-2","source":"/v1/projects/default/feeds/flights","type":"tick","subject":"a","time":"2026-11-21T08:00:00Z","feed":"flights","position":2,"recordedat":"2026-11-21T08:00:00Z","version":1}"#);
    server.publish("trains", r#"{"type":"tick"}"#).await;
    assert_snapshot!(socket.text().await, @r#"{"specversion":"1.0","id":"id-3","source":"/v1/projects/default/feeds/trains","type":"tick","time":"2026-11-21T08:00:00Z","feed":"trains","position":3,"recordedat":"2026-11-21T08:00:00Z"}"#);
}

#[tokio::test]
async fn a_stream_says_how_it_is_to_be_handled_on_the_way() {
    let server = TestServer::start().await;
    let mut socket = server.connect().await;
    let path = "/v1/projects/default/feeds/f";
    let accept = [
        "accept: text/event-stream",
        "accept-encoding: gzip, deflate",
    ];
    socket.request("GET", path, &accept, b"").await;
    let head = socket.head().await;
    for (name, value) in [
        ("content-type", Some(SSE)),
        ("transfer-encoding", Some("chunked")),
        ("connection", Some("close")),
        ("cache-control", Some("no-store")),
        ("x-accel-buffering", Some("no")),
        ("content-encoding", None),
    ] {
        assert_eq!(head.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn what_was_missed_comes_first_and_everything_comes_once() {
    let server = TestServer::start().await;
    for _ in 0..30 {
        server.publish("flights", &events(7, "a")).await;
    }
    let mut socket = server.follow("feeds/flights?from=start", SSE, &[]).await;
    let (first, ()) = tokio::join!(next_ids(&mut socket, 300), async {
        for _ in 0..30 {
            server.publish("flights", &events(3, "b")).await;
        }
    });
    assert_eq!(first, (1..=300).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_client_that_comes_back_goes_on_behind_its_last_event() {
    let server = TestServer::start().await;
    server.publish("flights", &events(5, "a")).await;
    let resumed = server.follow("feeds/flights?from=start", SSE, &["last-event-id: 3"]);
    let mut socket = resumed.await;
    assert_eq!(socket.text().await, "retry: 1000\nid: 3\n\n");
    assert_eq!(next_ids(&mut socket, 2).await, [4, 5]);
}

#[tokio::test]
async fn idle_streams_bear_a_cursor_that_moves_with_what_they_leave_out() {
    let server = TestServer::start().await;
    let mut sse = server
        .follow("feeds/flights?heartbeat=1s&types=tick", SSE, &[])
        .await;
    let mut lines = server
        .follow("feeds/flights?heartbeat=1s&types=tick", NDJSON, &[])
        .await;
    sse.text().await;
    lines.text().await;
    server
        .publish("flights", r#"[{"type":"tock"},{"type":"tock"}]"#)
        .await;
    // A first heartbeat may have been under way when the events came.
    for text in ["id: 2\n\n", "{\"heartbeat\":{\"cursor\":\"2\"}}\n"] {
        let socket = if text.starts_with("id") {
            &mut sse
        } else {
            &mut lines
        };
        let first = socket.text().await;
        assert!(first == text || socket.text().await == text, "{first}");
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_batch_that_reaches_its_limit() {
    let server = TestServer::start().await;
    server.publish("flights", &events(2, "a")).await;
    server.publish("flights", &events(2, "b")).await;
    server.publish("flights", &events(2, "c")).await;
    let mut socket = server
        .follow("feeds/flights?from=start&limit=3", SSE, &[])
        .await;
    socket.text().await;
    let mut all = socket.text().await;
    while let Some(chunk) = socket.chunk().await {
        all.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    assert_eq!(ids(&all), [1, 2, 3, 4]);
    assert!(
        all.ends_with("event: end\ndata: {\"cursor\":\"4\"}\n\n"),
        "{all}"
    );
    assert!(
        socket.rest().await.is_empty(),
        "the connection ends with the stream"
    );
}

#[tokio::test]
async fn a_stream_up_to_now_ends_and_is_not_begun_again() {
    let server = TestServer::start().await;
    server.publish("flights", &events(2, "a")).await;
    let mut socket = server
        .follow("feeds/flights?from=start&until=now", NDJSON, &[])
        .await;
    let mut all = String::new();
    while let Some(chunk) = socket.chunk().await {
        all.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    assert_eq!(all.lines().count(), 4, "{all}");
    assert!(all.ends_with("{\"end\":{\"cursor\":\"2\"}}\n"), "{all}");

    let path = "/v1/projects/default/feeds/flights?from=start&until=now";
    let accept = "accept: text/event-stream";
    let again = server
        .ask("GET", path, &[accept, "last-event-id: 2"], b"")
        .await;
    assert_eq!(again.status, 204, "an EventSource stops at this");
    server.publish("flights", &events(1, "a")).await;
    let more = server
        .ask("GET", path, &[accept, "last-event-id: 2"], b"")
        .await;
    assert_eq!((more.status, ids(&more.text())), (200, vec![3]));
}

#[tokio::test]
async fn an_expired_cursor_is_told_before_a_stream_begins() {
    let server = TestServer::start().await;
    server.publish("flights", &events(2, "a")).await;
    server.clock.advance(Duration::from_hours(1));
    server.publish("flights", &events(2, "a")).await;
    server.trim(Duration::from_mins(1)).await;
    let path = "/v1/projects/default/feeds/flights";
    let late = server
        .ask(
            "GET",
            path,
            &["accept: text/event-stream", "last-event-id: 1"],
            b"",
        )
        .await;
    assert_eq!(late.problem(), (410, "cursor-expired".into()));
}

#[tokio::test]
async fn a_stream_with_a_filter_is_sent_what_passes_it_only() {
    let server = TestServer::start().await;
    let mut socket = server
        .follow("feeds/_all?types=tick&subjects=a", NDJSON, &[])
        .await;
    socket.text().await;
    server
        .publish(
            "f",
            r#"[{"type":"tick","subject":"b"},{"type":"tock","subject":"a"},{"type":"tick"}]"#,
        )
        .await;
    server
        .publish("g", r#"{"type":"tick","subject":"a"}"#)
        .await;
    assert!(socket.text().await.contains("\"position\":4"));
}

#[tokio::test]
async fn a_chunk_is_whole_events_however_large_they_are() {
    let server = TestServer::start().await;
    let sizes = [10, 70_000, 10, 300_000, 10, 10, 40_000, 400_000];
    for size in sizes {
        let event = format!(r#"{{"type":"tick","data":"{}"}}"#, "é".repeat(size / 6));
        server.publish("f", &event).await;
    }
    let mut socket = server.follow("feeds/f?from=start", NDJSON, &[]).await;
    let mut lines = 0;
    while lines < sizes.len() + 1 {
        let text = socket.text().await;
        assert!(text.is_ascii() && text.ends_with('\n'));
        for line in text.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("a whole line");
            lines += 1;
        }
    }
}
