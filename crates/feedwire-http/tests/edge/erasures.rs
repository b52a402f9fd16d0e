//! Erasing over HTTP: the receipt, and what readers see from then on.

use feedwire_testkit::{Answer, PATIENCE, Socket, TestServer};
use insta::assert_snapshot;
use serde_json::Value;
use tokio::time::timeout;

use crate::events;

const ERASURES: &str = "/v1/projects/default/erasures";
const JSON: [&str; 1] = ["content-type: application/json"];
const SSE: &str = "text/event-stream";
const NDJSON: &str = "application/x-ndjson";

async fn erase(server: &TestServer, body: &str) -> Answer {
    server.ask("POST", ERASURES, &JSON, body.as_bytes()).await
}

/// The receipt at `address`, once the events are gone from disk.
async fn erased(server: &TestServer, address: &str) -> Answer {
    let erased = timeout(PATIENCE, async {
        loop {
            let receipt = server.ask("GET", address, &[], b"").await;
            assert_eq!(receipt.status, 200, "{}", receipt.text());
            if receipt.json()["erased_at"] != Value::Null {
                return receipt;
            }
        }
    });
    erased.await.expect("it is carried out")
}

/// Everything that a stream sends until it ends.
async fn everything(mut socket: Socket) -> String {
    let mut all = String::new();
    while let Some(chunk) = socket.chunk().await {
        all.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    all
}

#[tokio::test]
async fn an_erasure_is_answered_with_a_receipt_that_tells_how_far_it_is() {
    let server = TestServer::start().await;
    server.publish("flights", &events(2, "Ærø")).await;
    server.publish("flights", &events(1, "b")).await;
    let asked = erase(&server, r#"{"subject":"Ærø"}"#).await;
    assert_eq!(asked.status, 202);
    let address = asked.header("location").expect("an address").to_owned();
    assert_snapshot!(address, @"/v1/projects/default/erasures/id-5");
    assert_snapshot!(asked.text(), @r#"{"id":"id-5","feed":null,"subject":"\u00c6r\u00f8","through":3,"asked_at":"2026-11-21T08:00:00Z","erased_at":null,"events":null}"#);
    assert_snapshot!(erased(&server, &address).await.text(), @r#"{"id":"id-5","feed":null,"subject":"\u00c6r\u00f8","through":3,"asked_at":"2026-11-21T08:00:00Z","erased_at":"2026-11-21T08:00:00Z","events":2}"#);
}

#[tokio::test]
async fn what_is_erased_is_in_no_page_and_no_stream_any_more() {
    let server = TestServer::start().await;
    for subject in ["a", "b", "a"] {
        server.publish("flights", &events(2, subject)).await;
    }
    server.publish("trains", &events(1, "a")).await;
    assert_eq!(erase(&server, r#"{"subject":"a"}"#).await.status, 202);
    for feed in ["flights", "_all"] {
        let page = server.get(&format!("feeds/{feed}")).await;
        assert_eq!(page.positions(), [3, 4], "{feed}");
        let path = format!("feeds/{feed}?from=start&until=now");
        for accept in [SSE, NDJSON] {
            let all = everything(server.follow(&path, accept, &[]).await).await;
            assert_eq!(all.matches(r#""subject":"b""#).count(), 2, "{all}");
            assert!(!all.contains(r#""subject":"a""#), "{all}");
        }
    }
    let page = server.get("feeds/_all?subjects=a").await;
    assert_eq!(
        (page.positions(), page.json()["cursor"].as_str()),
        (vec![], Some("7"))
    );
}

#[tokio::test]
async fn a_stream_that_was_open_goes_on_with_what_the_subject_does_next() {
    let server = TestServer::start().await;
    let mut sse = server.follow("feeds/f?types=tick", SSE, &[]).await;
    sse.text().await;
    server.publish("f", &events(1, "a")).await;
    assert!(sse.text().await.contains("\"position\":1"));
    erase(&server, r#"{"subject":"a","feed":"f"}"#).await;
    server.publish("f", &events(1, "a")).await;
    let next = sse.text().await;
    assert!(
        next.contains("\"position\":2") && next.contains("\"version\":1"),
        "{next}"
    );
    assert_eq!(server.get("feeds/f").await.positions(), [2]);
}

#[tokio::test]
async fn a_feed_is_erased_without_the_others() {
    let server = TestServer::start().await;
    for feed in ["f", "g", "f"] {
        server.publish(feed, &events(1, "a")).await;
    }
    let asked = erase(&server, r#"{"feed":"f"}"#).await;
    assert_eq!(server.get("feeds/_all").await.positions(), [2]);
    let address = asked.header("location").expect("an address").to_owned();
    let receipt = erased(&server, &address).await.json();
    assert_eq!(
        (&receipt["feed"], &receipt["subject"], &receipt["events"]),
        (&"f".into(), &Value::Null, &2.into())
    );
}

#[tokio::test]
async fn what_is_no_erasure_is_refused() {
    let server = TestServer::start().await;
    for (body, kind, parameter) in [
        ("{}", "invalid-parameter", Some("subject")),
        (r#"{"subject":""}"#, "invalid-parameter", Some("subject")),
        (r#"{"feed":"_all"}"#, "invalid-parameter", Some("feed")),
        (r#"{"subjects":["a"]}"#, "invalid-json", None),
        (r#"["a","f"]"#, "invalid-json", None),
    ] {
        let answer = erase(&server, body).await;
        assert_eq!(answer.problem(), (400, kind.to_owned()), "{body}");
        assert_eq!(answer.json()["parameter"].as_str(), parameter, "{body}");
    }
    let long = "x".repeat(300);
    for id in ["other", "id-1", "%FF", "a%0Ab", &long] {
        let path = format!("{ERASURES}/{id}");
        let answer = server.ask("GET", &path, &[], b"").await;
        assert_eq!(answer.problem(), (404, "not-found".into()), "{id}");
    }
    let listing = server.ask("GET", ERASURES, &[], b"").await;
    assert_eq!(listing.problem(), (405, "method-not-allowed".into()));
}
