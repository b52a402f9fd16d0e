//! Requests to publish that come again: what is known is answered with where it is, and not published twice.

use feedwire_testkit::{Answer, TestServer};
use insta::assert_snapshot;

async fn post(server: &TestServer, headers: &[&str], body: &str) -> Answer {
    let path = "/v1/projects/default/feeds/orders/events";
    let headers = [&["content-type: application/json"], headers].concat();
    server.ask("POST", path, &headers, body.as_bytes()).await
}

async fn post_lines(server: &TestServer, headers: &[&str], body: &str) -> Answer {
    let path = "/v1/projects/default/feeds/orders/events";
    let headers = [&["content-type: application/x-ndjson"], headers].concat();
    server.ask("POST", path, &headers, body.as_bytes()).await
}

fn named(id: impl std::fmt::Display) -> String {
    format!(r#"{{"type":"order.placed","id":"{id}","subject":"42"}}"#)
}

async fn stored(server: &TestServer) -> usize {
    let page = server.get("feeds/orders?limit=1000").await;
    page.positions().len()
}

#[tokio::test]
async fn a_repeated_event_is_answered_with_where_it_is() {
    let server = TestServer::start().await;
    assert_snapshot!(post(&server, &[], &named(1)).await.text(), @r#"{"first":1,"last":1,"count":1,"recorded_at":"2026-11-21T08:00:00Z","version":1}"#);
    server.clock.advance(std::time::Duration::from_mins(1));
    assert_snapshot!(post(&server, &[], &named(1)).await.text(), @r#"{"first":1,"last":1,"count":1,"recorded_at":"2026-11-21T08:00:00Z","version":1,"duplicate":true}"#);
    let batch = format!("[{},{}]", named(2), named(3));
    assert_eq!(post(&server, &[], &batch).await.json()["first"], 2);
    assert_snapshot!(post(&server, &[], &batch).await.text(), @r#"{"first":2,"last":3,"count":2,"recorded_at":"2026-11-21T08:01:00Z","version":2,"duplicate":true}"#);
    assert_eq!(stored(&server).await, 3);
}

#[tokio::test]
async fn events_without_an_id_are_never_repetitions() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        let answer = post(&server, &[], r#"{"type":"order.placed"}"#).await;
        assert_eq!(answer.json().get("duplicate"), None);
    }
    assert_eq!(stored(&server).await, 3);
}

#[tokio::test]
async fn a_batch_of_which_some_is_known_is_a_conflict_that_says_what() {
    let server = TestServer::start().await;
    post(&server, &[], &named(1)).await;
    let answer = post(&server, &[], &format!("[{},{}]", named(2), named(1))).await;
    assert_eq!(answer.problem(), (409, "partly-known".into()));
    assert_snapshot!(answer.text(), @r#"{"type":"urn:feedwire:problem:partly-known","title":"Some of the events are there already","status":409,"detail":"1 of the events are there already, the first of them event 1 at position 1; nothing was published","index":1,"known":1,"position":1}"#);
    assert_eq!(stored(&server).await, 1);
    let twice = post(&server, &[], &format!("[{},{}]", named(2), named(2))).await;
    assert_eq!(twice.problem(), (400, "invalid-event".into()));
    assert_snapshot!(twice.text(), @r#"{"type":"urn:feedwire:problem:invalid-event","title":"Not an event","status":400,"detail":"event 1 of the batch has the source, the id and the subject of event 0","attribute":"id","index":1}"#);
}

#[tokio::test]
async fn an_expectation_is_not_looked_at_for_a_repetition() {
    let server = TestServer::start().await;
    let path = "/v1/projects/default/feeds/orders/events?expect=none";
    let json = &["content-type: application/json"];
    for duplicate in [false, true] {
        let answer = server.ask("POST", path, json, named(1).as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json().get("duplicate").is_some(), duplicate);
    }
}

#[tokio::test]
async fn a_key_makes_a_request_known_and_is_refused_for_another() {
    let server = TestServer::start().await;
    let key = ["idempotency-key: \"8e03978e\""];
    let bare = ["idempotency-key: 8e03978e"];
    let body = r#"[{"type":"order.placed","subject":"42"},{"type":"order.paid","subject":"42"}]"#;
    assert_eq!(post(&server, &key, body).await.json()["last"], 2);
    assert_snapshot!(post(&server, &bare, body).await.text(), @r#"{"first":1,"last":2,"count":2,"recorded_at":"2026-11-21T08:00:00Z","version":1,"duplicate":true}"#);
    let other = post(&server, &key, r#"{"type":"order.placed"}"#).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused".into()));
    assert_snapshot!(other.text(), @r#"{"type":"urn:feedwire:problem:idempotency-key-reused","title":"The key is that of another request","status":422,"detail":"the key is that of another request, whose first event is at position 1","position":1}"#);
    for odd in [
        "idempotency-key: \"a",
        "idempotency-key: ",
        "idempotency-key: \u{e9}",
    ] {
        let refused = post(&server, &[odd], body).await;
        assert_eq!(refused.problem(), (400, "invalid-parameter".into()));
    }
    let twice = post(&server, &[key[0], key[0]], body).await;
    assert_eq!(twice.problem(), (400, "invalid-parameter".into()));
    assert_eq!(stored(&server).await, 2);
}

#[tokio::test]
async fn of_a_body_of_lines_what_is_known_is_left_out() {
    let server = TestServer::start().await;
    let lines = |ids: std::ops::Range<u32>| ids.map(|id| named(id) + "\n").collect::<String>();
    assert_snapshot!(post_lines(&server, &[], &lines(500..1_700)).await.text(), @r#"{"first":1,"last":1200,"count":1200,"batches":2,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    // Everything known, some known, and some twice in one body.
    assert_snapshot!(post_lines(&server, &[], &lines(600..700)).await.text(), @r#"{"first":101,"last":200,"count":100,"duplicates":100,"batches":0,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    let mixed = lines(0..2_500) + "{\"type\":\"t\"}\n" + &lines(2_400..2_600);
    assert_snapshot!(post_lines(&server, &[], &mixed).await.text(), @r#"{"first":1201,"last":2601,"count":2701,"duplicates":1300,"batches":3,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    let feeds = server.get("feeds").await;
    assert_eq!(feeds.json()["feeds"][0]["events"], 2_601);
}

#[tokio::test]
async fn a_key_of_lines_is_that_of_one_batch() {
    let server = TestServer::start().await;
    let key = ["idempotency-key: k"];
    let line = "{\"type\":\"t\"}\n";
    let many = post_lines(&server, &key, &line.repeat(1_001)).await;
    assert_eq!(many.problem(), (400, "invalid-parameter".into()));
    for duplicates in [None, Some(1_000)] {
        let answer = post_lines(&server, &key, &line.repeat(1_000)).await.json();
        let told = answer.get("duplicates").and_then(serde_json::Value::as_u64);
        assert_eq!((answer["first"].as_u64(), told), (Some(1), duplicates));
    }
}
