//! The orderly stop: streams end, waiting requests are answered, idle connections are closed, nobody is reset.

use std::time::Duration;

use feedwire_http::Limits;
use feedwire_testkit::TestServer;

use crate::events;

#[tokio::test]
async fn streams_end_with_a_last_chunk_and_the_end_of_the_connection() {
    let server = TestServer::start().await;
    server.publish("f", &events(2, "a")).await;
    let mut sse = server
        .follow("feeds/f?from=start", "text/event-stream", &[])
        .await;
    let mut lines = server.follow("feeds/f", "application/x-ndjson", &[]).await;
    sse.text().await;
    sse.text().await;
    lines.text().await;
    server.stop();
    for socket in [&mut sse, &mut lines] {
        assert_eq!(socket.chunk().await, None, "the last chunk");
        assert!(socket.rest().await.is_empty(), "then the end, and no reset");
    }
    drop((sse, lines));
    assert_eq!(server.stopped().await.cut_off, 0);
}

#[tokio::test]
async fn a_client_that_keeps_sending_into_a_stream_is_not_reset_either() {
    let server = TestServer::start().await;
    let mut socket = server.follow("feeds/f", "text/event-stream", &[]).await;
    socket.text().await;
    socket.send(vec![b'x'; 100_000]).await;
    server.stop();
    assert_eq!(socket.chunk().await, None);
    assert!(socket.rest().await.is_empty());
    drop(socket);
    server.stopped().await;
}

#[tokio::test]
async fn a_long_poll_is_answered_at_once() {
    let server = TestServer::start().await;
    server.publish("f", &events(1, "a")).await;
    let mut socket = server.connect().await;
    socket
        .request(
            "GET",
            "/v1/projects/default/feeds/f?after=1&wait=60s",
            &[],
            b"",
        )
        .await;
    // What is answered behind it on another connection shows that it was received.
    server.get("feeds").await;
    server.stop();
    let page = socket.answer("GET").await;
    assert_eq!(
        (page.status, page.json()["cursor"].as_str()),
        (200, Some("1"))
    );
    assert!(socket.rest().await.is_empty());
    drop(socket);
    assert_eq!(server.stopped().await.cut_off, 0);
}

#[tokio::test]
async fn idle_connections_are_closed_at_once() {
    let server = TestServer::start().await;
    let mut socket = server.connect().await;
    socket
        .request("GET", "/v1/projects/default/feeds", &[], b"")
        .await;
    assert_eq!(socket.answer("GET").await.status, 200);
    server.stop();
    assert!(socket.rest().await.is_empty());
    drop(socket);
    assert_eq!(server.stopped().await.cut_off, 0);
}

#[tokio::test]
async fn a_request_that_is_being_sent_is_answered() {
    let server = TestServer::start().await;
    let mut socket = server.connect().await;
    let head = "POST /v1/projects/default/feeds/f/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 15\r\n\r\n";
    socket.send(head).await;
    assert_eq!(socket.head().await.status, 100);
    server.stop();
    socket.send(r#"{"type":"tick"}"#).await;
    let answer = socket.answer("POST").await;
    assert_eq!(
        (answer.status, answer.json()["first"].as_u64()),
        (200, Some(1))
    );
    assert_eq!(answer.header("connection"), Some("close"));
    drop(socket);
    assert_eq!(server.stopped().await.cut_off, 0);
}

#[tokio::test]
async fn who_does_not_finish_by_the_deadline_is_cut_off() {
    let limits = Limits {
        stop_deadline: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let mut socket = server.connect().await;
    let head = "POST /v1/projects/default/feeds/f/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 15\r\n\r\n";
    socket.send(head).await;
    assert_eq!(socket.head().await.status, 100);
    assert_eq!(server.stopped().await.cut_off, 1);
}

#[tokio::test]
async fn a_connection_that_never_sent_anything_is_not_waited_for_until_the_deadline() {
    let limits = Limits {
        first_request_grace: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let mut silent = server.connect().await;
    // Accepted before this one.
    server.get("feeds").await;
    server.stop();
    assert!(silent.rest().await.is_empty());
    assert_eq!(server.stopped().await.cut_off, 0);
}

#[tokio::test]
async fn a_request_that_arrives_on_a_new_connection_as_the_server_stops_is_answered() {
    let server = TestServer::start().await;
    let mut late = server.connect().await;
    server.get("feeds").await;
    server.stop();
    late.request("GET", "/v1/projects/default/feeds", &[], b"")
        .await;
    assert_eq!(late.answer("GET").await.status, 200);
    assert!(late.rest().await.is_empty());
    drop(late);
    assert_eq!(server.stopped().await.cut_off, 0);
}

#[tokio::test]
async fn a_socket_that_listens_already_is_taken_over() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let server = feedwire_http::Server::adopt(listener).expect("a socket that listens");
    assert_eq!(server.address().expect("it listens"), address);
}

#[tokio::test]
async fn a_core_that_closes_ends_streams_and_takes_nothing_more() {
    let server = TestServer::start().await;
    let mut stream = server.follow("feeds/f", "text/event-stream", &[]).await;
    stream.text().await;
    let mut poll = server.connect().await;
    poll.request("GET", "/v1/projects/default/feeds/f?wait=60s", &[], b"")
        .await;
    server.core.close().await;
    assert_eq!(stream.chunk().await, None);
    assert_eq!(poll.answer("GET").await.status, 200);
    let path = "/v1/projects/default/feeds/f/events";
    let json = ["content-type: application/json"];
    let refused = server.ask("POST", path, &json, br#"{"type":"tick"}"#).await;
    assert_eq!(refused.problem(), (503, "unavailable".into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
}
