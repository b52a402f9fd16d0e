//! What goes over the wire, and over which connection.

use bytes::Bytes;
use feedwire_push::{Failure, check_header};

use crate::receiver::{Receiver, Reply, Then};
use crate::sender::{NAME, Sender};

#[tokio::test]
async fn a_delivery_is_one_post_with_the_headers_of_both() {
    let sender = Sender::new();
    let receiver = Receiver::start(vec![Reply::status("204 No Content")]).await;
    let answer = sender.send(receiver.port).await.expect("an answer");
    assert_eq!(answer.status, 204);
    assert_eq!(answer.excerpt, "");
    let seen = receiver.seen();
    let [request] = &seen[..] else {
        panic!("{seen:?}");
    };
    assert!(
        request
            .head
            .starts_with("POST /events?key=grouper HTTP/1.1\r\n"),
        "{}",
        request.head
    );
    assert_eq!(request.body, b"{\"n\":1}");
    let host = format!("{NAME}:{}", receiver.port);
    let version = format!("Feedwire/{}", env!("CARGO_PKG_VERSION"));
    for (name, value) in [
        ("host", host.as_str()),
        ("content-length", "7"),
        ("content-type", "application/json"),
        ("user-agent", &version),
        ("x-password", "swordfish"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    // Nothing that nobody asked for.
    assert_eq!(request.head.lines().count(), 7, "{}", request.head);
}

#[tokio::test]
async fn users_name_the_agent_but_not_what_is_sent() {
    let sender = Sender::new();
    let receiver = Receiver::start(vec![Reply::status("200 OK")]).await;
    let mut delivery = sender.delivery(&format!("http://{NAME}:{}", receiver.port));
    let agent = check_header("User-Agent", "ours/1").expect("a header");
    delivery.custom.extend([agent]);
    let kind = "text/plain".parse().expect("a value");
    delivery.custom.insert("content-type", kind);
    delivery.body = Bytes::new();
    sender.outgoing.send(delivery).await.expect("an answer");
    let request = &receiver.seen()[0];
    assert_eq!(request.header("user-agent"), Some("ours/1"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert!(
        request.head.starts_with("POST / HTTP/1.1\r\n"),
        "{}",
        request.head
    );
}

#[tokio::test]
async fn a_connection_is_used_again_by_all_clones() {
    let sender = Sender::new();
    let with_body =
        "HTTP/1.1 200 OK\r\ncontent-length: 16384\r\n\r\n".to_owned() + &"x".repeat(16_384);
    let replies = vec![
        Reply::status("200 OK"),
        Reply::status("500 Internal Server Error"),
        Reply::new(with_body, Then::Next),
        Reply::new(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            Then::Next,
        ),
        Reply::status("200 OK"),
    ];
    let receiver = Receiver::start(replies).await;
    for _ in 0..5 {
        let outgoing = sender.outgoing.clone();
        let url = format!("http://{NAME}:{}/", receiver.port);
        outgoing
            .send(sender.delivery(&url))
            .await
            .expect("an answer");
    }
    assert_eq!(receiver.seen().len(), 5);
    assert_eq!(receiver.connections(), 1);
}

/// Receivers close connections that are idle whenever they like: nobody has to hear of it.
#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_made_again() {
    let sender = Sender::new();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let replies = vec![Reply::new(answer, Then::Close), Reply::status("200 OK")];
    let mut receiver = Receiver::start(replies).await;
    sender.send(receiver.port).await.expect("an answer");
    receiver.ended().await;
    sender.send(receiver.port).await.expect("an answer");
    assert_eq!(receiver.connections(), 2);
}

/// It was written, and the receiver may have done what it asks for.
#[tokio::test]
async fn a_request_whose_fate_is_unknown_is_not_sent_again() {
    let sender = Sender::new();
    let replies = vec![Reply::status("200 OK"), Reply::new("", Then::Close)];
    let receiver = Receiver::start(replies).await;
    sender.send(receiver.port).await.expect("an answer");
    let lost = sender.send(receiver.port).await;
    assert!(matches!(lost, Err(Failure::Closed(_))), "{lost:?}");
    assert_eq!(receiver.seen().len(), 2);
    assert_eq!(receiver.connections(), 1);
}
