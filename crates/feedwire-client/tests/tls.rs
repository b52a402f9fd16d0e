//! https: which servers are trusted, and what is said of the others.

use std::time::Duration;

use feedwire_client::{Client, Error, NewEvent, PublishError, RootsError, Step};
use feedwire_http::Limits;
use feedwire_testkit::{AUTHORITY, Pair, STRANGER, TestServer};

async fn server() -> TestServer {
    TestServer::with_tls(Limits::default()).await.0
}

fn at(address: &str) -> Client {
    Client::new(address).expect("an address")
}

/// A client of `server` that trusts its authority.
fn client(server: &TestServer) -> Client {
    let client = at(&format!("https://{}", server.address));
    let trusting = client.with_root_certificates(AUTHORITY.as_bytes());
    trusting.expect("a certificate")
}

/// Why the server is refused, which has to be an end.
async fn refusal(client: &Client) -> String {
    let event = NewEvent::new("t");
    let published = client.publish("f").tries(3).event(&event).await;
    match published {
        Err(PublishError::Refused(error @ Error::Untrusted { .. })) => {
            assert!(!error.is_passing() && !error.is_in_doubt());
            error.to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_published_is_followed_until_the_server_stops() {
    let server = server().await;
    let client = client(&server).token("fwk_k_s").expect("a token");
    for id in ["a", "b"] {
        let event = NewEvent::new("t").id(id);
        client.publish("f").event(&event).await.expect("published");
    }
    assert_eq!(client.feeds().await.expect("feeds").feeds.len(), 1);
    let mut follow = client.read("f").from("start").follow();
    for id in ["a", "b"] {
        let event = follow.next().await.expect("it goes on").expect("an event");
        assert_eq!(event.attributes().id, id);
    }
    server.stop();
    let lost = loop {
        match follow.step().await.expect("it goes on") {
            Step::Lost { reason, .. } => break reason.to_string(),
            Step::Idle => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(lost, "the server ended the stream");
    drop((client, follow));
    server.stopped().await;
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_refused_with_what_to_do() {
    let server = server().await;
    let stranger = at(&format!("https://{}", server.address));
    let stranger = stranger.with_root_certificates(STRANGER.as_bytes());
    let words = refusal(&stranger.expect("a certificate")).await;
    assert!(words.contains("--ca-file"), "{words}");
    assert!(words.contains(&server.address.to_string()), "{words}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_with_the_names_that_it_is_for() {
    let (server, tls) = TestServer::with_tls(Limits::default()).await;
    tls.renew(Pair::ELSEWHERE.read());
    let words = refusal(&client(&server)).await;
    assert!(words.contains("feeds.example.org"), "{words}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused_as_one() {
    let (server, tls) = TestServer::with_tls(Limits::default()).await;
    tls.renew(Pair::EXPIRED.read());
    let words = refusal(&client(&server)).await;
    assert!(words.contains("expired"), "{words}");
}

#[tokio::test]
async fn http_and_https_where_the_other_is_spoken_are_told_apart() {
    let (plain, secured) = (TestServer::start().await, server().await);
    let error = client(&plain).feeds().await.expect_err("no TLS");
    let Error::Unreachable { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(source.to_string().contains("http://"), "{source}");
    let error = at(&format!("http://{}", secured.address)).feeds().await;
    let error = error.expect_err("TLS").to_string();
    assert!(error.contains("https://"), "{error}");
}

// Time is paused: nothing but the limit of the client ends the wait.
#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_the_handshake_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let started = tokio::time::Instant::now();
    let error = at(&format!("https://{address}"))
        .with_root_certificates(AUTHORITY.as_bytes())
        .expect("a certificate")
        .feeds()
        .await
        .expect_err("nobody answers");
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(started.elapsed() <= Duration::from_secs(11));
}

#[test]
fn what_is_no_certificate_of_an_authority_is_refused() {
    let check = |pem: &str| {
        let client = at("https://h").with_root_certificates(pem.as_bytes());
        client.expect_err("it is refused")
    };
    assert!(matches!(check(""), RootsError::Empty));
    assert!(matches!(check(Pair::SERVER.key), RootsError::Empty));
    assert!(matches!(check(&AUTHORITY[..200]), RootsError::Pem(_)));
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(check(hollow), RootsError::Malformed(_)));
}
