//! What is told of a feed that there is no room for at present: its vendor's client does not survive a refusal.

use feedwire_core::RateLimits;
use feedwire_testkit::{Setup, TestServer};

use super::{CHANGE, open, refusal};

fn with(address_limits: RateLimits) -> Setup {
    Setup {
        address_limits,
        ..Setup::default()
    }
}

#[tokio::test]
async fn a_reader_beyond_what_there_may_be_is_told_in_a_stream_when_to_come_again() {
    let limits = RateLimits {
        readers: Some(1),
        ..RateLimits::default()
    };
    let server = TestServer::set_up(with(limits)).await;
    let feed = open(&server, CHANGE, &[]).await;
    let answer = server.ask("GET", CHANGE, &[], b"").await;
    assert_eq!(answer.status, 200);
    let events = Some("text/event-stream; charset=utf-8");
    assert_eq!(answer.header("content-type"), events);
    assert_eq!(answer.header("connection"), Some("close"));
    let seconds: u64 = answer
        .header("retry-after")
        .and_then(|at| at.parse().ok())
        .expect("a span");
    let expected = format!(
        ": this address has as many readers at one time as it may: try again in {seconds} s\nretry: {}\n",
        seconds * 1_000
    );
    assert_eq!(answer.text(), expected);
    let mut old = server.connect().await;
    let request = format!("GET {CHANGE} HTTP/1.0\r\nhost: localhost\r\n\r\n");
    old.send(request.as_bytes()).await;
    let told = String::from_utf8(old.rest().await).expect("text");
    assert!(told.starts_with("HTTP/1.0 200 "), "{told}");
    // What is wrong with a request is told first: coming again does not mend it.
    let answer = server
        .ask("GET", &format!("{CHANGE}?last_id=x"), &[], b"")
        .await;
    assert_eq!(refusal(&answer).0, 400);
    drop(feed);
    let metrics = server.ask("GET", "/metrics", &[], b"").await.text();
    let counted = "feedwire_http_problems_total{kind=\"too-many-requests\"} 2\n";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn so_is_a_request_beyond_what_there_may_be_but_what_does_not_stream() {
    let limits = RateLimits {
        requests_per_second: Some(1),
        ..RateLimits::default()
    };
    let server = TestServer::set_up(with(limits)).await;
    let mut told = Vec::new();
    while told.len() < 3 {
        let mut socket = server.connect().await;
        socket.request("GET", CHANGE, &[], b"").await;
        let head = socket.head().await;
        assert_eq!(head.status, 200);
        if let Some(seconds) = head.header("retry-after") {
            told.push(seconds.to_owned());
        }
    }
    loop {
        let answer = server.ask("POST", CHANGE, &[], b"").await;
        if answer.status == 429 {
            assert_eq!(refusal(&answer).1, "temporarily_unavailable");
            break;
        }
    }
}
