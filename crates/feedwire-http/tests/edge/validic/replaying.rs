//! What was recorded, once more.

use feedwire_testkit::TestServer;
use serde_json::Value;

use super::{ask, events, record, refusal};

#[tokio::test]
async fn a_replay_has_what_was_recorded_and_ends() {
    let server = TestServer::start().await;
    for (feed, ty, id) in [
        ("data", "summary", "a"),
        ("data", "sleep", "b"),
        ("connection", "create", "c"),
        ("data", "workout", "d"),
    ] {
        record(&server, feed, ty, "u1", id).await;
    }
    let path = "/replay?resources=summary,workout&event_types=data";
    let replayed = ask(&server, "GET", path, "").await;
    assert_eq!(
        (replayed.status, replayed.header("content-type")),
        (200, Some("text/event-stream"))
    );
    let data = events(&replayed.text())
        .into_iter()
        .filter(|(name, _)| name == "data");
    let ids: Vec<Value> = data.map(|(_, data)| data["id"].clone()).collect();
    assert_eq!(ids, ["a", "d"]);
    assert_eq!(
        ask(&server, "GET", "/replay?date=2020-01-01", "")
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_replay_begins_with_a_poke_and_has_rules_too_but_never_connections() {
    let server = TestServer::start().await;
    for (feed, ty, id) in [
        ("rule", "rule", "a"),
        ("connection", "create", "b"),
        ("data", "sleep", "c"),
    ] {
        record(&server, feed, ty, "u1", id).await;
    }
    let names = async |query: &str| {
        let answer = ask(&server, "GET", &format!("/replay?{query}"), "").await;
        let events = events(&answer.text()).into_iter();
        events.map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["poke", "rule", "data"]);
    assert_eq!(names("event_types=rule").await, ["poke", "rule"]);
    for lists in [
        "summary,sleep",
        "summary%2Csleep",
        "summary&resources=sleep",
    ] {
        let query = format!("event_types=data,connection&resources={lists}");
        assert_eq!(names(&query).await, ["poke", "data"], "{lists}");
    }
    let alone = ask(&server, "GET", "/replay?event_types=connection", "").await;
    assert_eq!(refusal(&alone).0, 400);
}
