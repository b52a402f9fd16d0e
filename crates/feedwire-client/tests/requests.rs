//! Requests and what becomes of them: an answer, a refusal, a lost connection, nobody there.

use std::time::Duration;

use feedwire_client::{Client, Error, Expect, NewErasure, NewEvent, PublishError, Retention};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Takes one request, answers it with `answer` and returns it.
async fn answered(answer: &str, listener: TcpListener) -> String {
    let (mut socket, _) = listener.accept().await.expect("a connection");
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        let read = socket.read(&mut buffer).await.expect("a request");
        request.extend_from_slice(&buffer[..read]);
    }
    socket.write_all(answer.as_bytes()).await.expect("sent");
    String::from_utf8(request).expect("UTF-8")
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    match head.split_once("content-length: ") {
        Some((_, length)) => length
            .lines()
            .next()
            .is_some_and(|l| l.parse() == Ok(body.len())),
        None => !head.contains("chunked") || body.ends_with("0\r\n\r\n"),
    }
}

async fn server() -> (Client, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let client = Client::new(&format!("http://{address}")).expect("an address");
    (client, listener)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn an_event_is_sent_as_json_and_its_position_comes_back() {
    let (client, listener) = server().await;
    let body = r#"{"first":7,"last":7,"count":1,"recorded_at":"2013-01-01T10:00:00Z","version":2,"new":1}"#;
    let answer = answer("200 OK", "content-type: application/json\r\n", body);
    let event = NewEvent::new("t").subject("s").id("7");
    let publish = client.publish("f").expect(Expect::Version(1)).event(&event);
    let (published, request) = tokio::join!(publish, answered(&answer, listener));
    let published = published.expect("published");
    assert_eq!((published.last, published.version), (7, Some(2)));
    let first = "POST /v1/projects/default/feeds/f/events?expect=version%3A1 HTTP/1.1\r\n";
    assert!(request.starts_with(first), "{request}");
    assert!(
        request.contains("content-type: application/json\r\n"),
        "{request}"
    );
    assert!(
        request.ends_with("\r\n\r\n{\"type\":\"t\",\"subject\":\"s\",\"id\":\"7\"}"),
        "{request}"
    );
}

#[tokio::test]
async fn a_refusal_is_in_the_servers_words() {
    let (client, listener) = server().await;
    let body = r#"{"type":"urn:feedwire:problem:unavailable","title":"Unavailable","status":503,"detail":"the server is stopping"}"#;
    let headers = "content-type: application/problem+json\r\nretry-after: 3\r\n";
    let answer = answer("503 Service Unavailable", headers, body);
    let (feeds, _) = tokio::join!(client.feeds(), answered(&answer, listener));
    let error = feeds.expect_err("a refusal");
    assert_eq!(error.to_string(), "the server is stopping");
    assert!(error.is_passing());
    match error {
        Error::Refused {
            problem,
            retry_after,
        } => {
            assert_eq!(problem.kind(), "unavailable");
            assert_eq!(retry_after, Some(Duration::from_secs(3)));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_not_feedwire_is_said_not_to_be() {
    for status in ["200 OK", "404 Not Found"] {
        let (client, listener) = server().await;
        let answer = answer(status, "content-type: text/html\r\n", "<html>\n");
        let (feeds, _) = tokio::join!(client.feeds(), answered(&answer, listener));
        let error = feeds.expect_err("no answer of ours");
        assert!(matches!(error, Error::Strange { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_told_from_a_server_that_is_not_there() {
    let (client, listener) = server().await;
    let event = NewEvent::new("t");
    let publish = client.publish("f").tries(1).event(&event);
    let (published, _) = tokio::join!(publish, answered("", listener));
    match published {
        Err(PublishError::InDoubt { tries: 1, last }) => {
            assert!(matches!(last, Error::Lost(_)), "{last:?}");
        }
        other => panic!("{other:?}"),
    }
    match client.publish("f").tries(1).event(&event).await {
        Err(PublishError::GaveUp { tries: 1, last }) => {
            assert!(matches!(last, Error::Unreachable { .. }), "{last:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_is_read_with_its_cursor() {
    let (client, listener) = server().await;
    let body = r#"{"events":[{"specversion":"1.0","id":"a","source":"/s","type":"t","time":"2013-01-01T10:00:00Z","feed":"f","position":8,"recordedat":"2013-01-01T10:00:01Z","data":{"n":1.50}}],"cursor":"9","has_more":true,"head":12}"#;
    let answer = answer("200 OK", "content-type: application/json\r\n", body);
    let read = client
        .read("f")
        .after("7")
        .limit(1)
        .wait(Duration::from_secs(30));
    let (page, request) = tokio::join!(read.page(), answered(&answer, listener));
    let page = page.expect("a page");
    assert_eq!(
        (page.cursor.as_str(), page.has_more, page.head),
        ("9", true, 12)
    );
    assert!(page.events[0].json().ends_with(r#""data":{"n":1.50}}"#));
    let first = "GET /v1/projects/default/feeds/f?after=7&limit=1&wait=30s HTTP/1.1\r\n";
    assert!(request.starts_with(first), "{request}");
}

#[tokio::test]
async fn a_retention_is_sent_whole_and_told_as_the_server_took_it() {
    let (client, listener) = server().await;
    let answer = answer("200 OK", "", r#"{"age":"30d","bytes":null}"#);
    let retention = Retention {
        age: Some("30days".into()),
        bytes: None,
    };
    let (set, request) = tokio::join!(
        client.set_retention(&retention),
        answered(&answer, listener)
    );
    assert_eq!(set.expect("set").age.as_deref(), Some("30d"));
    let first = "PUT /v1/projects/default/retention HTTP/1.1\r\n";
    assert!(request.starts_with(first), "{request}");
    assert!(
        request.contains("content-type: application/json\r\n"),
        "{request}"
    );
    assert!(
        request.ends_with(r#"{"age":"30days","bytes":null}"#),
        "{request}"
    );
}

#[tokio::test]
async fn an_erasure_is_asked_for_and_its_receipt_is_read() {
    let erasure = NewErasure {
        subject: Some("a b".into()),
        feed: None,
    };
    let asked = r#"{"id":"e/1","feed":null,"subject":"a b","through":7,"asked_at":"2026-11-21T08:00:00Z","erased_at":null,"events":null}"#;
    let (client, listener) = server().await;
    let accepted = answer("202 Accepted", "", asked);
    let (receipt, request) = tokio::join!(client.erase(&erasure), answered(&accepted, listener));
    let receipt = receipt.expect("asked");
    assert_eq!((receipt.through, receipt.events), (7, None));
    assert!(
        request.ends_with("\r\n\r\n{\"subject\":\"a b\"}"),
        "{request}"
    );

    let (client, listener) = server().await;
    let told = answer("200 OK", "", asked);
    let (again, request) = tokio::join!(client.erasure(&receipt.id), answered(&told, listener));
    assert_eq!(again.expect("a receipt"), receipt);
    let first = "GET /v1/projects/default/erasures/e%2F1 HTTP/1.1\r\n";
    assert!(request.starts_with(first), "{request}");
}

#[tokio::test]
async fn a_query_that_no_url_holds_is_an_error() {
    let (client, _listener) = server().await;
    let subjects = (0..20_000).map(|n| format!("subject-{n}"));
    let error = client
        .read("f")
        .subjects(subjects)
        .page()
        .await
        .expect_err("too long");
    assert!(matches!(error, Error::Unwritable(_)), "{error:?}");
}

#[tokio::test]
async fn a_load_job_that_is_waited_for_is_asked_for_again_when_its_server_is_back() {
    let (client, listener) = server().await;
    let load = r#"{"id":"l1","feeds":["f"],"subjects":[],"labels":[],"filter":null,"phase":"done","error":null,"start":1,"total":1,"done":1,"written":1,"bytes":1,"max_bytes":1,"rate":1.0,"started_at":"","ended_at":""}"#;
    let json = "content-type: application/json\r\n";
    let served = async {
        // Taken and cut off, as by a server that stops.
        drop(listener.accept().await.expect("a connection"));
        answered(&answer("200 OK", json, load), listener).await
    };
    let mut waits = 0;
    let patient = client.load_patiently("l1", |_, _| waits += 1);
    let (load, request) = tokio::join!(patient, served);
    assert_eq!(load.expect("a load job").phase, "done");
    assert_eq!(waits, 1);
    let first = "GET /v1/projects/default/loads/l1 HTTP/1.1\r\n";
    assert!(request.starts_with(first), "{request}");
    let (client, listener) = server().await;
    let problem =
        r#"{"type":"urn:feedwire:problem:not-found","title":"x","status":404,"detail":"x"}"#;
    let refused = answer(
        "404 Not Found",
        "content-type: application/problem+json\r\n",
        problem,
    );
    let patient = client.load_patiently("l1", |_, _| waits += 1);
    let (load, _) = tokio::join!(patient, answered(&refused, listener));
    assert!(matches!(load, Err(Error::Refused { .. })), "{load:?}");
    assert_eq!(waits, 1, "what does not pass is not waited for");
}
