//! Requests that have no answer, and what is said of why.

use std::time::Duration;

use feedwire_push::{Failure, Stage};
use tokio::net::TcpListener;

use crate::receiver::{Receiver, Reply, Then};
use crate::sender::{NAME, Sender};

/// What comes of `reply`.
async fn failure(reply: Reply) -> Failure {
    let sender = Sender::new();
    let receiver = Receiver::start(vec![reply]).await;
    let failure = sender.send(receiver.port).await.expect_err("no answer");
    assert_eq!(receiver.seen().len(), 1);
    let words = format!("{failure} {failure:?}");
    for secret in ["swordfish", "grouper", "events"] {
        assert!(!words.contains(secret), "{words}");
    }
    failure
}

#[tokio::test]
async fn a_receiver_that_closes_before_the_head_is_whole_has_not_answered() {
    for text in [
        "",
        "HTTP/1.1",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n",
    ] {
        let failure = failure(Reply::new(text, Then::Close)).await;
        assert!(
            matches!(failure, Failure::Closed(_)),
            "{text:?}: {failure:?}"
        );
    }
}

#[tokio::test]
async fn a_head_without_measure_is_not_taken() {
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(1_000_000));
    let whole = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(200_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(101));
    for text in [endless, whole, many] {
        let failure = failure(Reply::new(text, Then::Endless)).await;
        assert_eq!(failure, Failure::HeadTooLarge);
    }
    let sender = Sender::new();
    let many = "x: y\r\n".repeat(99);
    let long = format!("x: {}\r\n", "x".repeat(60_000));
    for headers in [many, long] {
        let receiver = Receiver::start(vec![Reply::with("200 OK", &headers)]).await;
        assert!(sender.send(receiver.port).await.is_ok());
    }
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    for text in [
        "220 mail.example ESMTP\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        let failure = failure(Reply::new(text, Then::Close)).await;
        assert!(
            matches!(failure, Failure::Malformed(_)),
            "{text:?}: {failure:?}"
        );
    }
}

#[tokio::test]
async fn where_nothing_listens_nothing_is_reached() {
    let listener = TcpListener::bind("127.0.0.2:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let failure = Sender::new().send(port).await.expect_err("nobody");
    assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
    assert!(failure.to_string().contains("refused"), "{failure}");
}

// Time is paused: nothing but the limit of the sender ends the wait.
#[tokio::test(start_paused = true)]
async fn a_receiver_that_does_not_answer_in_time_is_given_up() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\n",
    ] {
        let started = tokio::time::Instant::now();
        let failure = failure(Reply::new(text, Then::Silence)).await;
        assert_eq!(failure, Failure::TimedOut(Stage::Answering));
        assert!(started.elapsed() >= Duration::from_secs(30));
        assert!(started.elapsed() <= Duration::from_secs(31));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_given_up_has_its_connection_closed() {
    let sender = Sender::new();
    let mut receiver = Receiver::start(vec![Reply::new("", Then::Silence)]).await;
    assert!(sender.send(receiver.port).await.is_err());
    receiver.ended().await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_resolved_in_time_is_given_up() {
    let sender = Sender::new();
    sender.names.hang();
    let started = tokio::time::Instant::now();
    let failure = sender.send(80).await.expect_err("nobody says");
    assert_eq!(failure, Failure::TimedOut(Stage::Resolving));
    assert!(started.elapsed() <= Duration::from_secs(6));
    // Within the request's own time, which may be shorter.
    let mut delivery = sender.delivery(&format!("http://{NAME}/"));
    delivery.timeout = Duration::from_secs(1);
    let failure = sender.outgoing.send(delivery).await;
    assert_eq!(failure, Err(Failure::TimedOut(Stage::Connecting)));
}
