//! How members come to their end, and what becomes of what they had.

use feedwire_http::Limits;
use feedwire_testkit::{PATIENCE, Socket, TestServer};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;
use tokio::time::timeout;

use super::{Lines, STREAMS, ask, member, post, publish, with};

/// Waits until the stream has `count` members.
async fn members(server: &TestServer, count: u64) {
    let has = async { while ask(server, "GET", "/s", "").await.json()["member_count"] != count {} };
    timeout(PATIENCE, has).await.expect("so many members");
}

/// How many members of the stream were given up.
async fn given_up(server: &TestServer) -> u64 {
    let told = server.ask("GET", "/metrics", &[], b"").await.text();
    let series = r#"feedwire_stream_members_given_up_total{project="default",stream="s"} "#;
    let line = told.lines().find_map(|line| line.strip_prefix(series));
    let count = line.expect("it is told").parse();
    count.expect("a number")
}

/// The stream ends in good order.
async fn ended(socket: &mut Socket) {
    while let Some(chunk) = socket.chunk().await {
        assert!(chunk.ends_with(b"\n"), "whole lines");
    }
    assert!(socket.rest().await.is_empty(), "then the end, and no reset");
}

#[tokio::test]
async fn a_connection_that_is_closed_leaves_its_place() {
    let server = with(json!({ "members_max": 1 })).await;
    let mut one = member(&server, "application/x-ndjson").await;
    one.text().await;
    members(&server, 1).await;
    drop(one);
    members(&server, 0).await;
    assert_eq!(given_up(&server).await, 0);
    member(&server, "application/x-ndjson").await.text().await;
}

/// What was not sent counted as sent, so that a client which came back a few times found it among the dead letters.
#[tokio::test]
async fn a_member_that_there_is_no_room_for_has_had_nothing() {
    let limits = Limits {
        streams_bytes_max: 100_000,
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let stream = json!({ "name": "s", "max_deliveries": 1 });
    post(&server, "", &stream).await;
    let data = "x".repeat(200_000);
    let event = json!({ "type": "large", "subject": "a", "data": data });
    server.publish("f", &event.to_string()).await;
    for _ in 0..3 {
        let mut one = member(&server, "application/x-ndjson").await;
        // Its first heartbeat, and then the end.
        ended(&mut one).await;
        members(&server, 0).await;
    }
    let letters = ask(&server, "GET", "/s/dead-letters", "").await.json();
    assert_eq!(letters["dead_letters"], json!([]), "{letters}");
}

#[tokio::test]
async fn a_connection_that_takes_nothing_is_given_up_and_its_events_come_to_another() {
    const EVENTS: usize = 18;
    let server = with(json!({ "heartbeat": "1s" })).await;
    // More than a connection holds.
    let event = format!(
        r#"{{"type":"large","subject":"a","data":"{}"}}"#,
        "x".repeat(450_000)
    );
    server
        .publish("f", &format!("[{}]", vec![event; EVENTS].join(",")))
        .await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(64 * 1024).expect("a size");
    let mut idle = socket.connect(server.address).await.expect("it listens");
    let request = format!("GET {STREAMS}/s/connect HTTP/1.1\r\nhost: localhost\r\n\r\n");
    idle.write_all(request.as_bytes())
        .await
        .expect("it is sent");
    members(&server, 1).await;
    members(&server, 0).await;
    let again = Lines::of(&server).await.event().await;
    assert_eq!(
        (&again["position"], &again["attempt"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(given_up(&server).await, 1);
    drop(idle);
}

#[tokio::test]
async fn what_was_just_sent_comes_again_where_nothing_is_acknowledged() {
    let server = with(json!({ "mode": "delivered" })).await;
    publish(&server, "a").await;
    for _ in 0..2 {
        let mut one = Lines::of(&server).await;
        assert_eq!(one.event().await["position"], 1);
        drop(one);
        members(&server, 0).await;
    }
}

#[tokio::test]
async fn members_are_sent_away_when_the_filter_changes_and_go_on_with_the_new_one() {
    let server = with(json!({})).await;
    let mut one = member(&server, "text/event-stream").await;
    one.text().await;
    let called = ask(&server, "PATCH", "/s", r#"{"display_name":"Work"}"#).await;
    assert_eq!(called.json()["member_count"], 1, "a name sends nobody away");
    let changed = ask(&server, "PATCH", "/s", r#"{"filter":{"subjects":["b"]}}"#).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    ended(&mut one).await;
    let mut one = Lines::of(&server).await;
    publish(&server, "a").await;
    publish(&server, "b").await;
    assert_eq!(one.event().await["subject"], "b");
}

#[tokio::test]
async fn members_are_sent_away_when_their_stream_is_deleted() {
    let server = with(json!({})).await;
    let mut one = member(&server, "text/event-stream").await;
    one.text().await;
    assert_eq!(ask(&server, "DELETE", "/s", "").await.status, 204);
    ended(&mut one).await;
    let path = format!("{STREAMS}/s/connect");
    let gone = server.ask("GET", &path, &[], b"").await;
    assert_eq!(gone.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn who_acknowledges_while_the_server_stops_is_told_that_the_lease_is_over() {
    let server = with(json!({})).await;
    let mut one = Lines::of(&server).await;
    publish(&server, "a").await;
    let receipt = one.event().await["receipt"].clone();
    let body = json!({ "receipts": [receipt] }).to_string();
    let mut late = server.connect().await;
    let head = format!(
        "POST {STREAMS}/s/ack HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    late.send(head).await;
    assert_eq!(late.head().await.status, 100);
    server.stop();
    ended(&mut one.socket).await;
    late.send(body).await;
    let settled: Value = late.answer("POST").await.json();
    // Its member has gone, so the event comes again.
    let stale = json!({ "receipt": receipt, "reason": "stale" });
    assert_eq!(settled, json!({ "settled": 0, "refused": [stale] }));
    drop((one, late));
    assert_eq!(server.stopped().await.cut_off, 0);
}

#[tokio::test]
async fn a_member_is_told_what_retention_took_before_it_was_sent() {
    let server = with(json!({})).await;
    publish(&server, "a").await;
    publish(&server, "b").await;
    server.clock.advance(std::time::Duration::from_hours(1));
    publish(&server, "c").await;
    server.trim(std::time::Duration::from_mins(1)).await;
    let mut one = Lines::of(&server).await;
    let mut lost = 0;
    loop {
        let line = one.next().await;
        if let Some(told) = line.get("lost") {
            lost += told["lost_at_most"].as_u64().expect("a number");
            assert_eq!(told["first"], 3);
        }
        if line.get("specversion").is_some() {
            assert_eq!(line["position"], 3);
            break;
        }
    }
    assert_eq!(lost, 2);
    let shown = ask(&server, "GET", "/s", "").await.json();
    assert_eq!(shown["lost_at_most"], 2);
}
