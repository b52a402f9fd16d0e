//! Connections to streams: what each is sent, and what comes again.

use std::cell::RefCell;
use std::time::Duration;

use feedwire_testkit::TestServer;
use serde_json::json;

use super::{Connection, ask, connect, poked, record, stream};

#[tokio::test]
async fn connections_share_a_stream_and_what_one_had_comes_again_to_the_others() {
    let server = TestServer::start().await;
    let id = stream(&server, "one", "").await;
    let mut one = connect(&server, &id).await;
    record(&server, "data", "summary", "u1", "a").await;
    assert_eq!(one.told().await.1["id"], "a");
    let mut other = connect(&server, &id).await;
    drop(one);
    let (name, again) = other.told().await;
    assert_eq!(
        (name.as_str(), &again["id"], &again["type"]),
        ("data", &json!("a"), &json!("summary"))
    );
    assert_eq!(again["checksum"].as_str().map(str::len), Some(32));
}

#[tokio::test]
async fn a_poke_comes_first_and_tells_the_stream_and_how_many_connections_it_has() {
    let server = TestServer::start().await;
    let stream = stream(&server, "one", "").await;
    let mut members = Vec::new();
    for count in 1..=3 {
        let (member, poke) = poked(&server, &stream).await;
        assert_eq!(
            (&poke["stream"], &poke["members"]),
            (&json!(stream), &json!({ "count": count, "max": 3 }))
        );
        members.push(member);
    }
    let shown = ask(&server, "GET", &format!("/streams/{stream}"), "").await;
    assert_eq!(shown.json()["members"], 3);
}

#[tokio::test]
async fn each_record_goes_to_one_connection_and_those_of_a_user_to_one_in_their_order() {
    let server = TestServer::start().await;
    let stream = stream(&server, "one", "").await;
    let mut one = connect(&server, &stream).await;
    let mut other = connect(&server, &stream).await;
    let users = 24;
    for turn in 0..3 {
        for user in 0..users {
            let user = format!("u{user}");
            record(&server, "data", "summary", &user, &format!("{user}-{turn}")).await;
        }
    }
    let seen = RefCell::new([Vec::new(), Vec::new()]);
    let take = async |member: &mut Connection, own: usize| {
        while seen.borrow().iter().map(Vec::len).sum::<usize>() < 3 * users {
            let found = member.record().await;
            seen.borrow_mut()[own].push(found);
        }
    };
    tokio::select! {
        () = take(&mut one, 0) => {}
        () = take(&mut other, 1) => {}
    }
    let [ones, others] = seen.into_inner();
    assert!(
        !ones.is_empty() && !others.is_empty(),
        "both have something to do"
    );
    for user in 0..users {
        let of = |seen: &[String]| -> Vec<String> {
            let own = seen
                .iter()
                .filter(|id| id.starts_with(&format!("u{user}-")));
            own.cloned().collect()
        };
        let wanted: Vec<String> = (0..3).map(|turn| format!("u{user}-{turn}")).collect();
        let (ones, others) = (of(&ones), of(&others));
        assert!(
            (ones == wanted && others.is_empty()) || (others == wanted && ones.is_empty()),
            "{ones:?} {others:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_event_that_was_told_does_not_come_again_where_records_do() {
    let server = TestServer::start().await;
    let stream = stream(&server, "one", "").await;
    let mut member = connect(&server, &stream).await;
    record(&server, "connection", "create", "u1", "c").await;
    record(&server, "data", "summary", "u1", "a").await;
    assert_eq!(member.told().await.0, "connection");
    assert_eq!(member.record().await, "a");
    let mut later = connect(&server, &stream).await;
    drop(member);
    assert_eq!(later.told().await.1["id"], "a");
    record(&server, "data", "summary", "u1", "b").await;
    assert_eq!(later.record().await, "b");
}

#[tokio::test]
async fn a_stream_with_a_start_has_what_was_recorded_since() {
    let server = TestServer::start().await;
    record(&server, "data", "summary", "u1", "before").await;
    server.clock.advance(Duration::from_hours(48));
    record(&server, "data", "summary", "u1", "since").await;
    let stream = stream(&server, "one", r#","start_date":"2026-11-23""#).await;
    assert_eq!(connect(&server, &stream).await.record().await, "since");
}

#[tokio::test]
async fn the_place_of_a_connection_that_ended_is_free_again() {
    let server = TestServer::start().await;
    let stream = stream(&server, "one", "").await;
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(connect(&server, &stream).await);
    }
    members.pop();
    let path = format!("/validic/streams/{stream}/connect");
    // Until the connection is found to be closed.
    loop {
        let mut again = server.connect().await;
        again.request("GET", &path, &[], b"").await;
        let head = again.head().await;
        if head.status == 200 {
            break;
        }
        assert_eq!(head.status, 422);
    }
}

#[tokio::test]
async fn what_a_stream_lets_through_is_sent_and_connections_are_told_to_those_who_are_there() {
    let server = TestServer::start().await;
    let filters = r#","resource_filter":["summary"],"event_type_filter":["data","connection"]"#;
    let id = stream(&server, "one", filters).await;
    record(&server, "connection", "create", "u1", "before").await;
    let mut member = connect(&server, &id).await;
    for (feed, ty, id) in [
        ("data", "sleep", "b"),
        ("rule", "rule", "c"),
        ("connection", "create", "d"),
        ("data", "summary", "e"),
    ] {
        record(&server, feed, ty, "u1", id).await;
    }
    let (name, data) = member.told().await;
    assert_eq!(
        (name.as_str(), &data["connection"]["id"]),
        ("connection", &json!("d"))
    );
    let (name, data) = member.told().await;
    assert_eq!((name.as_str(), &data["id"]), ("data", &json!("e")));
}
