//! Tokens: on every request, to one server, and what becomes of those that are not taken.

use std::time::Duration;

use feedwire_client::{Client, Error, FollowError, NewEvent, PublishError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;

const TOKEN: &str = "fwk_abcdefghijklmnopqrst_secret";
const PUBLISHED: &str =
    r#"{"first":1,"last":1,"count":1,"recorded_at":"2013-01-01T10:00:00Z","version":1,"new":1}"#;

async fn server() -> (Client, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let client = Client::new(&format!("http://{address}")).expect("an address");
    (client.token(TOKEN).expect("a token"), listener)
}

/// Answers one request after the other, each on a connection of its own, and returns their heads.
async fn answered(listener: &TcpListener, answers: &[(&str, &str)]) -> Vec<String> {
    let mut heads = Vec::new();
    for (head, body) in answers {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let mut request = Vec::new();
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = socket.read_buf(&mut request).await.expect("a request");
            assert!(read > 0, "a whole head");
        }
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        socket.write_all(answer.as_bytes()).await.expect("sent");
        socket.shutdown().await.expect("closed");
        // What is left of the request is read, so that the answer is not reset.
        while socket
            .read_buf(&mut request)
            .await
            .is_ok_and(|read| read > 0)
        {}
        heads.push(String::from_utf8_lossy(&request).into_owned());
    }
    heads
}

#[tokio::test(start_paused = true)]
async fn every_try_bears_the_token() {
    let (client, listener) = server().await;
    let client = client.project("p");
    let event = NewEvent::new("t");
    let answers = [("503 Service Unavailable", ""), ("200 OK", PUBLISHED)];
    let (published, heads) = tokio::join!(
        client.publish("f").event(&event),
        answered(&listener, &answers)
    );
    published.expect("published at the second try");
    let mut follow = client.read("f").follow();
    let answers = [("503 Service Unavailable", ""), ("204 No Content", "")];
    let (end, more) = tokio::join!(follow.next(), answered(&listener, &answers));
    assert!(end.expect("an end").is_none());
    for head in heads.iter().chain(&more) {
        let header = format!("authorization: Bearer {TOKEN}\r\n");
        assert_eq!(head.matches(&header).count(), 1, "{head}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_an_end() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let (client, listener) = server().await;
        let event = NewEvent::new("t");
        let refusal = [(status, "{}")];
        let (published, _) = tokio::join!(
            client.publish("f").event(&event),
            answered(&listener, &refusal)
        );
        let error = published.expect_err("it is refused");
        assert!(matches!(error, PublishError::Refused(_)), "{error:?}");
        let mut follow = client.read("f").follow();
        let (step, _) = tokio::join!(follow.step(), answered(&listener, &refusal));
        let end = step.expect_err("it is refused");
        assert!(matches!(end, FollowError::Refused(_)), "{end:?}");
        let shown = format!("{error} {error:?} {end} {end:?} {client:?} {follow:?}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_often_comes_back_when_it_is_told_to() {
    let (client, listener) = server().await;
    let event = NewEvent::new("t");
    let answers = [
        ("429 Too Many Requests\r\nretry-after: 7", ""),
        ("200 OK", PUBLISHED),
    ];
    let started = Instant::now();
    let (published, _) = tokio::join!(
        client.publish("f").event(&event),
        answered(&listener, &answers)
    );
    published.expect("published at the second try");
    assert_eq!(
        started.elapsed().as_secs(),
        Duration::from_secs(7).as_secs()
    );
    let answers = [
        ("429 Too Many Requests\r\nretry-after: 9", ""),
        ("204 No Content", ""),
    ];
    let started = Instant::now();
    let mut follow = client.read("f").follow();
    let (end, _) = tokio::join!(follow.next(), answered(&listener, &answers));
    assert!(end.expect("an end").is_none());
    assert_eq!(
        started.elapsed().as_secs(),
        Duration::from_secs(9).as_secs()
    );
}

#[tokio::test]
async fn a_token_is_not_carried_to_where_a_redirect_leads() {
    let (client, listener) = server().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = elsewhere.local_addr().expect("an address");
    let redirect = format!("307 Temporary Redirect\r\nlocation: http://{address}/");
    let answers = [(redirect.as_str(), "")];
    let (feeds, _) = tokio::join!(client.feeds(), answered(&listener, &answers));
    let error = feeds.expect_err("no answer of ours");
    assert!(
        matches!(error, Error::Strange { status: 307, .. }),
        "{error:?}"
    );
    let nobody = tokio::select! {
        biased;
        _ = elsewhere.accept() => false,
        () = std::future::ready(()) => true,
    };
    assert!(nobody, "somebody came to where the redirect leads");
}
