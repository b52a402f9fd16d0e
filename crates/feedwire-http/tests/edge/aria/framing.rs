//! What is on the wire around events.

use std::time::Duration;

use feedwire_http::{Aria, Limits};
use feedwire_testkit::{Setup, TestServer};

use super::{CHANGE, events, open, put, put_all};

/// The head and all that follows it of what is answered to `request`, up to the end of the connection; the server stops meanwhile.
async fn wire(server: TestServer, request: String) -> (String, String) {
    let mut socket = server.connect().await;
    socket.send(request).await;
    // The head of the answer has no such line.
    let mut whole = socket.through(":\n").await;
    let id = put(&server, "live", r#"{"a":"\n"}"#).await;
    while !whole.contains(&format!("id: C{id}\n")) {
        whole += &socket.through("\n\n").await;
    }
    server.stop();
    whole += &String::from_utf8(socket.rest().await).expect("ASCII");
    let (head, body) = whole.split_once("\r\n\r\n").expect("a head");
    (head.to_ascii_lowercase(), body.to_owned())
}

fn close_delimited() -> Setup {
    Setup {
        aria: Aria {
            is_close_delimited: true,
            ..Aria::default()
        },
        ..Setup::default()
    }
}

/// That nothing but events and comments is in a body, which the end of the connection alone ends.
fn check_close_delimited(head: &str, body: &str) {
    assert!(head.starts_with("http/1.0 200"), "{head}");
    for name in ["transfer-encoding", "content-length", "keep-alive"] {
        assert!(!head.contains(name), "{head}");
    }
    assert!(head.contains("connection: close"), "{head}");
    assert!(body.starts_with(":\nid: C"), "{body}");
    assert!(body.ends_with("\n\n") && !body.contains('\r'), "{body}");
    assert_eq!(events(body).len(), 3);
}

#[tokio::test]
async fn by_configuration_the_end_of_the_connection_ends_a_feed() {
    let server = TestServer::set_up(close_delimited()).await;
    put_all(&server, 2).await;
    let request = format!("GET {CHANGE}?last_id=C0 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let (head, body) = wire(server, request).await;
    check_close_delimited(&head, &body);
}

#[tokio::test]
async fn a_request_of_http_1_0_has_its_feed_ended_so_in_any_case() {
    let server = TestServer::start().await;
    put_all(&server, 2).await;
    let request = format!(
        "GET {CHANGE}?last_id=C0 HTTP/1.0\r\nhost: localhost\r\nconnection: keep-alive\r\n\r\n"
    );
    let (head, body) = wire(server, request).await;
    check_close_delimited(&head, &body);
}

#[tokio::test]
async fn a_chunk_has_whole_events_and_the_last_one_is_there() {
    let server = TestServer::start().await;
    let first = put_all(&server, 300).await;
    let mut feed = open(&server, &format!("{CHANGE}?last_id=C0"), &[]).await;
    let mut ids = Vec::new();
    while ids.len() < 300 {
        let chunk = feed.socket.text().await;
        assert!(chunk.ends_with("\n\n"), "{chunk}");
        ids.extend(events(&chunk).into_iter().map(|event| event.id));
    }
    let expected: Vec<String> = (first..first + 300).map(|at| format!("C{at}")).collect();
    assert_eq!(ids, expected);
    server.stop();
    feed.ended().await;
}

#[tokio::test]
async fn a_sign_of_life_is_a_line_and_no_more() {
    let limits = Limits {
        aria_heartbeat: Duration::from_millis(20),
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    let mut feed = open(&server, CHANGE, &[]).await;
    for _ in 0..3 {
        assert_eq!(feed.socket.text().await, ":\n");
    }
}
