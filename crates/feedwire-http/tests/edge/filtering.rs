//! Reading by an expression: pages, streams of both kinds, and what is refused.

use feedwire_testkit::{Socket, TestServer};

/// `data.delay > 60 && type == "flight.departed"`
const LATE: &str = "data.delay%20%3E%2060%20%26%26%20type%20%3D%3D%20%22flight.departed%22";

/// A departure that is so many minutes late, and a landing that is as late.
fn flights(delay: u64) -> String {
    let event = |ty: &str| format!(r#"{{"type":"flight.{ty}","data":{{"delay":{delay}}}}}"#);
    format!("[{},{}]", event("departed"), event("landed"))
}

/// What a stream sends up to `end`.
async fn up_to(socket: &mut Socket, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        text += &socket.text().await;
    }
    text
}

#[tokio::test]
async fn a_page_has_what_the_expression_is_true_of() {
    let server = TestServer::start().await;
    for delay in [75, 0, 61] {
        server.publish("flights", &flights(delay)).await;
    }
    server
        .publish("flights", r#"{"type":"flight.departed"}"#)
        .await;
    for (filter, positions) in [
        (LATE, vec![1, 5]),
        ("has(data.delay)%20%26%26%20data.delay%3C1", vec![3, 4]),
        ("data+%3D%3D+null", vec![7]),
        ("!(data.delay+%3E+0)", vec![3, 4]),
    ] {
        let page = server.get(&format!("feeds/flights?filter={filter}")).await;
        assert_eq!(page.status, 200, "{filter}: {}", page.text());
        assert_eq!(page.positions(), positions, "{filter}");
        assert_eq!(page.json()["cursor"], "7", "{filter}");
    }
    let narrowed = format!("feeds/_all?feeds=flights&types=flight.landed&filter={LATE}");
    assert!(server.get(&narrowed).await.positions().is_empty());
}

#[tokio::test]
async fn streams_have_what_it_is_true_of_from_the_log_and_from_the_tail() {
    for accept in ["text/event-stream", "application/x-ndjson"] {
        let server = TestServer::start().await;
        server.publish("flights", &flights(75)).await;
        let path = format!("feeds/flights?from=start&filter={LATE}");
        let mut socket = server.follow(&path, accept, &[]).await;
        let mut text = up_to(&mut socket, r#""position":1,"#).await;
        server.publish("flights", &flights(10)).await;
        server.publish("flights", &flights(90)).await;
        text += &up_to(&mut socket, r#""position":5,"#).await;
        assert_eq!(text.matches(r#""position":"#).count(), 2, "{text}");
    }
}

#[tokio::test]
async fn what_is_no_expression_is_refused_with_its_place() {
    let server = TestServer::start().await;
    let deep = "(".repeat(2_000);
    for (filter, reason) in [
        ("data.a+%3D+1", "line 1, column 8: '=' is not expected here"),
        ("datum", "line 1, column 1: there is no `datum`"),
        (
            "data.matches(%27a%27)",
            "line 1, column 6: there are no regular expressions",
        ),
        ("data&filter=data", "it is given more than once"),
        (&deep, "nested at most 32 deep"),
    ] {
        let path = format!("feeds/flights?filter={filter}");
        let answer = server.get(&path).await;
        assert_eq!(answer.problem(), (400, "invalid-parameter".to_owned()));
        assert_eq!(answer.json()["parameter"], "filter");
        assert!(answer.text().contains(reason), "{}", answer.text());
    }
}
