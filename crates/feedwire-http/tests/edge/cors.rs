//! Web pages of other origins: which may call, and what their browsers are told.

use feedwire_http::{Origin, Origins};
use feedwire_testkit::{Answer, TestServer};

use crate::events;

const FEED: &str = "/v1/projects/default/feeds/f";
const APP: &str = "https://app.example.com";

async fn open_to(origins: &[&str]) -> TestServer {
    let origins = origins
        .iter()
        .map(|origin| origin.parse::<Origin>().expect("an origin"));
    TestServer::open_to(origins.collect::<Origins>()).await
}

/// The answer to `method` from a page of `origin`.
async fn from(server: &TestServer, origin: &str, method: &str, headers: &[&str]) -> Answer {
    let origin = format!("origin: {origin}");
    let headers = [&[origin.as_str()], headers].concat();
    server.ask(method, FEED, &headers, b"").await
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

#[tokio::test]
async fn no_page_of_another_origin_may_call_unless_it_is_named() {
    let server = TestServer::start().await;
    let page = from(&server, APP, "GET", &[]).await;
    assert_eq!((page.status, allowed(&page)), (200, None));
    assert_eq!(page.header("vary"), None);
    let asks = ["access-control-request-method: PUT"];
    let preflight = from(&server, APP, "OPTIONS", &asks).await;
    assert_eq!(preflight.problem(), (405, "method-not-allowed".into()));
    assert_eq!(allowed(&preflight), None);
}

#[tokio::test]
async fn pages_of_the_named_origins_may_call_and_others_may_not() {
    let server = open_to(&[APP, "http://localhost:5173"]).await;
    for origin in [APP, "http://localhost:5173"] {
        let page = from(&server, origin, "GET", &[]).await;
        assert_eq!((page.status, allowed(&page)), (200, Some(origin)));
        assert_eq!(page.header("vary"), Some("origin"));
        assert_eq!(page.header("access-control-allow-credentials"), None);
    }
    for origin in ["https://example.com", "http://app.example.com", "null"] {
        let page = from(&server, origin, "GET", &[]).await;
        assert_eq!(allowed(&page), None, "{origin}");
        assert_eq!(page.header("vary"), Some("origin"), "{origin}");
    }
}

#[tokio::test]
async fn pages_of_any_origin_may_call_where_that_is_asked_for() {
    let server = open_to(&[APP, "*"]).await;
    for origin in [APP, "https://example.com", "null"] {
        assert_eq!(allowed(&from(&server, origin, "GET", &[]).await), Some("*"));
    }
}

#[tokio::test]
async fn a_browser_that_asks_first_is_told_the_methods_and_headers() {
    let server = open_to(&[APP]).await;
    let asks = [
        "access-control-request-method: PUT",
        "access-control-request-headers: content-type,if-match,last-event-id",
    ];
    let preflight = from(&server, APP, "OPTIONS", &asks).await;
    assert_eq!((preflight.status, allowed(&preflight)), (200, Some(APP)));
    for (name, value) in [
        (
            "access-control-allow-methods",
            "GET,HEAD,POST,PUT,PATCH,DELETE",
        ),
        (
            "access-control-allow-headers",
            "content-type,if-match,last-event-id",
        ),
        ("access-control-max-age", "3600"),
    ] {
        assert_eq!(preflight.header(name), Some(value), "{name}");
    }
    assert!(preflight.body.is_empty());
    let stranger = from(&server, "https://example.com", "OPTIONS", &asks).await;
    assert_eq!(allowed(&stranger), None);
    // Not a browser's question: it names no method.
    let plain = from(&server, APP, "OPTIONS", &[]).await;
    assert_eq!(plain.problem(), (405, "method-not-allowed".into()));
}

#[tokio::test]
async fn a_page_can_read_the_headers_that_a_client_needs() {
    let server = open_to(&[APP]).await;
    server.publish("f", &events(2, "a")).await;
    let head = from(&server, APP, "HEAD", &[]).await;
    assert_eq!(head.header("feedwire-head"), Some("2"));
    assert_eq!(
        head.header("access-control-expose-headers"),
        Some(
            "allow,etag,location,retry-after,www-authenticate,ratelimit,ratelimit-policy,feedwire-cursor,feedwire-head"
        )
    );
}

#[tokio::test]
async fn streams_are_open_to_pages_too() {
    let server = open_to(&[APP]).await;
    let origin = format!("origin: {APP}");
    for accept in ["accept: text/event-stream", "accept: application/x-ndjson"] {
        let mut socket = server.connect().await;
        let headers = [accept, origin.as_str(), "last-event-id: 0"];
        socket.request("GET", FEED, &headers, b"").await;
        let head = socket.head().await;
        assert_eq!((head.status, allowed(&head)), (200, Some(APP)));
        assert_eq!(head.header("vary"), Some("origin"));
        assert!(!socket.text().await.is_empty());
    }
}

#[tokio::test]
async fn a_page_is_told_what_is_wrong_with_its_request() {
    let server = open_to(&[APP]).await;
    let origin = format!("origin: {APP}");
    let long = format!("{FEED}?subjects={}", "x".repeat(40_000));
    for (path, kind) in [
        (long.as_str(), (414, "uri-too-long")),
        ("/v1/nothing", (404, "not-found")),
        (&format!("{FEED}?page=2"), (400, "invalid-parameter")),
    ] {
        let answer = server.ask("GET", path, &[&origin], b"").await;
        assert_eq!(answer.problem(), (kind.0, kind.1.to_owned()));
        assert_eq!(allowed(&answer), Some(APP));
    }
}
