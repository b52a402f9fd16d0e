//! What is made of an answer, and of how little of it there is or how much.

use std::time::Duration;

use feedwire_push::Answer;

use crate::receiver::{Receiver, Reply, Then};
use crate::sender::Sender;

async fn answer(reply: Reply) -> (Answer, Receiver, Sender) {
    let sender = Sender::new();
    let receiver = Receiver::start(vec![reply, Reply::status("200 OK")]).await;
    let answer = sender.send(receiver.port).await.expect("an answer");
    (answer, receiver, sender)
}

#[tokio::test]
async fn every_status_but_a_redirect_is_an_answer() {
    for status in [
        200, 201, 202, 204, 299, 400, 401, 404, 410, 413, 429, 500, 503, 599,
    ] {
        let line = format!("{status} Whatever");
        let (answer, ..) = answer(Reply::status(&line)).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.retry_after, None);
    }
}

#[tokio::test]
async fn retry_after_is_in_seconds_or_a_date_by_the_receivers_clock_or_ours() {
    for (headers, seconds) in [
        ("retry-after: 120\r\n", Some(120)),
        ("retry-after: Thu, 26 Nov 2026 12:01:00 GMT\r\n", Some(60)),
        (
            "retry-after: Thu, 26 Nov 2026 09:00:10 GMT\r\ndate: Thu, 26 Nov 2026 09:00:00 GMT\r\n",
            Some(10),
        ),
        ("retry-after: Thu, 26 Nov 2026 11:00:00 GMT\r\n", Some(0)),
        ("retry-after: later\r\n", None),
    ] {
        let (answer, ..) = answer(Reply::with("429 Too Many Requests", headers)).await;
        assert_eq!(answer.status, 429);
        assert_eq!(
            answer.retry_after,
            seconds.map(Duration::from_secs),
            "{headers}"
        );
    }
}

#[tokio::test]
async fn the_beginning_of_the_body_is_shown() {
    let text = "HTTP/1.1 400 Bad Request\r\ncontent-length: 15\r\n\r\n\u{e9}\x1b[1m no\r\nway!";
    let (answer, ..) = answer(Reply::new(text, Then::Next)).await;
    assert_eq!(answer.excerpt, "\u{e9}[1m noway!");
}

// Time is paused, and the receiver never rests: nothing but the limit of bytes ends it.
#[tokio::test(start_paused = true)]
async fn a_body_without_an_end_is_left_and_its_connection_closed() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
            u64::MAX / 4
        ),
    ] {
        let (answer, mut receiver, sender) = answer(Reply::new(head, Then::Endless)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.excerpt, "x".repeat(256));
        // It cannot write any more.
        receiver.ended().await;
        sender.send(receiver.port).await.expect("an answer");
        assert_eq!(receiver.connections(), 2);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing_of_the_status() {
    for (rest, excerpt) in [
        ("content-length: 100\r\n\r\nso far", "so far"),
        (
            "transfer-encoding: chunked\r\n\r\n6\r\nso far\r\n",
            "so far",
        ),
        ("transfer-encoding: chunked\r\n\r\nno chunk", ""),
        ("content-length: 100\r\n\r\n", ""),
    ] {
        let text = format!("HTTP/1.1 202 Accepted\r\n{rest}");
        let (answer, mut receiver, sender) = answer(Reply::new(text, Then::Close)).await;
        assert_eq!(answer.status, 202);
        assert_eq!(answer.excerpt, excerpt);
        receiver.ended().await;
        sender.send(receiver.port).await.expect("an answer");
    }
}

// Time is paused: nothing but the limit of the sender ends the wait.
#[tokio::test(start_paused = true)]
async fn a_body_that_stands_still_is_not_waited_for() {
    let text = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nso far";
    let started = tokio::time::Instant::now();
    let (answer, mut receiver, _sender) = answer(Reply::new(text, Then::Silence)).await;
    assert!(started.elapsed() <= Duration::from_secs(2));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.excerpt, "so far");
    assert!(answer.latency <= Duration::from_secs(1));
    receiver.ended().await;
}
