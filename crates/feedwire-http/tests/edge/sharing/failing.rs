//! What fails, and what there is too much of.

use feedwire_testkit::TestServer;
use serde_json::{Value, json};

use super::{Lines, STREAMS, ask, post, publish, with};

/// A member that was sent two events of one subject, and their receipts.
async fn sent_two(server: &TestServer) -> (Lines, [Value; 2]) {
    let mut member = Lines::of(server).await;
    publish(server, "a").await;
    publish(server, "a").await;
    let first = member.event().await["receipt"].clone();
    let second = member.event().await["receipt"].clone();
    (member, [first, second])
}

#[tokio::test]
async fn what_failed_comes_again_and_what_is_behind_it_of_its_subject_once_it_is_done() {
    let server = with(json!({})).await;
    let (mut member, [first, _]) = sent_two(&server).await;
    let failed = post(&server, "/s/nack", &json!({ "receipts": [first] })).await;
    assert_eq!(failed, json!({ "settled": 1, "refused": [] }));
    for position in [1, 2] {
        let again = member.event().await;
        assert_eq!(
            (&again["position"], &again["attempt"]),
            (&json!(position), &json!(2))
        );
        let receipts = json!({ "receipts": [again["receipt"]] });
        assert_eq!(post(&server, "/s/ack", &receipts).await["settled"], 1);
    }
}

#[tokio::test]
async fn what_is_behind_a_failed_event_of_its_subject_is_taken_back() {
    let server = with(json!({})).await;
    let (_member, [first, second]) = sent_two(&server).await;
    let put_off = json!({ "receipts": [first], "delay": "1day" });
    assert_eq!(post(&server, "/s/nack", &put_off).await["settled"], 1);
    let void = post(&server, "/s/ack", &json!({ "receipts": [second] })).await;
    let stale = json!({ "receipt": second, "reason": "stale" });
    assert_eq!(void, json!({ "settled": 0, "refused": [stale] }));
}

#[tokio::test]
async fn the_later_events_of_a_subject_go_on_where_they_need_not_wait() {
    let server = with(json!({ "on_failure": "go_on" })).await;
    let (_member, [first, second]) = sent_two(&server).await;
    let put_off = json!({ "receipts": [first], "delay": "1day" });
    assert_eq!(post(&server, "/s/nack", &put_off).await["settled"], 1);
    let done = post(&server, "/s/ack", &json!({ "receipts": [second] })).await;
    assert_eq!(done["settled"], 1);
    let shown = ask(&server, "GET", "/s", "").await.json();
    assert_eq!(shown["lag"]["events"], 1);
}

#[tokio::test]
async fn streams_are_listed_in_pages_and_there_are_no_more_than_there_may_be() {
    let server = TestServer::start().await;
    for number in 0..100 {
        post(&server, "", &json!({ "name": format!("s{number:02}") })).await;
    }
    let more = ask(&server, "POST", "", r#"{"name":"more"}"#).await;
    assert_eq!(more.problem(), (409, "too-many-streams".into()));
    let page = ask(&server, "GET", "?after=s96&limit=2", "").await.json();
    let names: Vec<_> = page["streams"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|stream| &stream["name"])
        .collect();
    assert_eq!(names, ["s97", "s98"]);
    assert_eq!(page["next"], "s98");
    let last = ask(&server, "GET", "?after=s98&limit=2", "").await.json();
    assert_eq!(last["next"], json!(null));
}

#[tokio::test]
async fn streams_have_no_more_partitions_together_than_they_may() {
    let server = TestServer::start().await;
    let stream = |name: String| json!({ "name": name, "partitions": 1024 });
    for number in 0..8 {
        post(&server, "", &stream(format!("s{number}"))).await;
    }
    let least = json!({ "name": "more", "partitions": 1, "members_max": 1 }).to_string();
    let more = ask(&server, "POST", "", &least).await;
    assert_eq!(more.problem(), (409, "too-many-partitions".into()));
    assert_eq!(ask(&server, "DELETE", "/s0", "").await.status, 204);
    post(&server, "", &stream("again".into())).await;
}

#[tokio::test]
async fn a_member_is_sent_lines_or_server_sent_events_and_nothing_else() {
    let server = with(json!({})).await;
    let path = format!("{STREAMS}/s/connect");
    for (accept, told) in [
        ("application/json", (406, "not-acceptable")),
        ("text/html", (406, "not-acceptable")),
    ] {
        let accept = format!("accept: {accept}");
        let refused = server.ask("GET", &path, &[&accept], b"").await;
        assert_eq!(refused.problem(), (told.0, told.1.into()));
    }
    let odd = format!("{path}?after=1");
    let refused = server.ask("GET", &odd, &[], b"").await;
    assert_eq!(refused.problem(), (400, "invalid-parameter".into()));
    assert_eq!(
        ask(&server, "GET", "/s", "").await.json()["member_count"],
        0
    );
}
