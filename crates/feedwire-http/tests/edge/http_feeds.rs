//! Arrays of events, as clients of HTTP Feeds poll them.

use std::time::Duration;

use feedwire_testkit::{Answer, TestServer};
use insta::assert_snapshot;

use crate::events;

const FEED: &str = "/v1/projects/default/feeds/f";
const BATCH: &str = "accept: application/cloudevents-batch+json";

/// The ids of the events of an array.
fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let media_type = Some("application/cloudevents-batch+json");
    assert_eq!(answer.header("content-type"), media_type);
    let array = answer.json();
    let events = array.as_array().expect("an array").iter();
    events
        .map(|event| event["id"].as_str().expect("an id").to_owned())
        .collect()
}

async fn poll(server: &TestServer, query: &str) -> Answer {
    server
        .ask("GET", &format!("{FEED}?{query}"), &[BATCH], b"")
        .await
}

#[tokio::test]
async fn an_array_has_the_events_and_the_position_of_each_as_its_id() {
    let server = TestServer::start().await;
    let body = r#"[{"type":"t","id":"a","subject":"s","data":1},{"type":"t","id":"b","x":"y"}]"#;
    server.publish("f", body).await;
    let array = poll(&server, "").await;
    assert_eq!(ids(&array), ["1", "2"]);
    assert_eq!(array.header("feedwire-cursor"), Some("2"));
    assert_eq!(array.header("feedwire-head"), Some("2"));
    assert_eq!(array.header("cache-control"), Some("no-store"));
    assert_snapshot!(array.text(), @r#"[{"specversion":"1.0","id":"1","source":"/v1/projects/default/feeds/f","type":"t","subject":"s","time":"2026-11-21T08:00:00Z","feed":"f","position":1,"recordedat":"2026-11-21T08:00:00Z","version":1,"publishedid":"a","data":1},{"specversion":"1.0","id":"2","source":"/v1/projects/default/feeds/f","type":"t","time":"2026-11-21T08:00:00Z","feed":"f","position":2,"recordedat":"2026-11-21T08:00:00Z","publishedid":"b","x":"y"}]"#);
}

#[tokio::test]
async fn a_client_that_sends_back_the_last_id_gets_everything_once() {
    let server = TestServer::start().await;
    for subject in ["a", "b", "c"] {
        server.publish("f", &events(2, subject)).await;
        server.publish("other", &events(1, subject)).await;
    }
    // As the pseudo code of HTTP Feeds has it: it says nothing of what it takes, and starts with `null`.
    let (mut last, mut seen) = ("null".to_owned(), Vec::new());
    loop {
        let path = format!("{FEED}?lastEventId={last}&timeout=1&limit=2");
        let page = ids(&server.ask("GET", &path, &[], b"").await);
        let Some(id) = page.last() else { break };
        last.clone_from(id);
        seen.extend(page);
    }
    assert_eq!(seen, ["1", "2", "4", "5", "7", "8"]);
    // From the middle of a batch too.
    assert_eq!(ids(&poll(&server, "lastEventId=4").await), ["5", "7", "8"]);
}

#[tokio::test]
async fn a_client_that_waits_is_answered_by_the_next_event_or_by_an_empty_array() {
    let server = TestServer::start().await;
    server.publish("other", &events(3, "a")).await;
    let empty = poll(&server, "lastEventId=&timeout=1").await;
    assert_eq!((ids(&empty).len(), empty.text().as_str()), (0, "[]"));
    assert_eq!(empty.header("feedwire-cursor"), Some("3"));
    let mut socket = server.connect().await;
    let path = format!("{FEED}?lastEventId=3&timeout=18446744073709551615");
    socket.request("GET", &path, &[], b"").await;
    server.publish("f", &events(1, "a")).await;
    assert_eq!(ids(&socket.answer("GET").await), ["4"]);
}

#[tokio::test]
async fn an_array_is_filtered_and_bounded_as_a_page_is() {
    let server = TestServer::start().await;
    for subject in ["a", "b", "a", "b"] {
        server.publish("f", &events(1, subject)).await;
    }
    assert_eq!(ids(&poll(&server, "subjects=a").await), ["1", "3"]);
    assert_eq!(ids(&poll(&server, "subjects=a&limit=1").await), ["1"]);
    assert_eq!(ids(&poll(&server, "bytes=1").await), ["1"]);
    assert_eq!(ids(&poll(&server, "after=2").await), ["3", "4"]);
    let now = poll(&server, "from=now&timeout=1").await;
    assert_eq!(now.problem(), (400, "invalid-parameter".into()));
    let head = server.ask("HEAD", FEED, &[BATCH], b"").await;
    assert_eq!(head.header("feedwire-head"), Some("4"));
}

#[tokio::test]
async fn an_id_that_cannot_be_gone_on_behind_is_never_answered_by_events() {
    let server = TestServer::start().await;
    server.publish("f", &events(2, "a")).await;
    server.clock.advance(Duration::from_hours(2));
    server.publish("f", &events(2, "a")).await;
    server.trim(Duration::from_hours(1)).await;
    let gone = poll(&server, "lastEventId=1").await;
    assert_eq!(gone.problem(), (410, "cursor-expired".into()));
    assert_eq!(ids(&poll(&server, "lastEventId=2").await), ["3", "4"]);
    let ahead = poll(&server, "lastEventId=5").await;
    assert_eq!(ahead.problem(), (400, "cursor-ahead".into()));
    for id in [
        "fa3e2a22-398c-4d02-ad08-9415e43178e6",
        "-1",
        "1x",
        "%00",
        "None",
    ] {
        let odd = poll(&server, &format!("lastEventId={id}")).await;
        assert_eq!(odd.problem(), (400, "invalid-parameter".into()), "{id}");
        assert_eq!(odd.json()["parameter"], "lastEventId");
    }
}

#[tokio::test]
async fn an_id_of_the_server_is_no_extension_of_a_producer() {
    let server = TestServer::start().await;
    let path = format!("{FEED}/events");
    let json = ["content-type: application/json"];
    let body = br#"{"type":"t","publishedid":"x"}"#;
    let refused = server.ask("POST", &path, &json, body).await;
    assert_eq!(refused.problem(), (400, "invalid-event".into()));
    assert_eq!(refused.json()["attribute"], "publishedid");
}
