//! States, then a mark, then what follows: in pages and in streams, and gone on with in the middle.

use std::time::Duration;

use feedwire_testkit::{Socket, TestServer};
use insta::assert_snapshot;
use serde_json::Value;

use super::{plane, put};
use crate::access::bearer;

const SSE: &str = "text/event-stream";
const NDJSON: &str = "application/x-ndjson";

/// What a stream says until it says `end`.
async fn until(socket: &mut Socket, end: &str) -> String {
    let mut said = String::new();
    while !said.contains(end) {
        said += &socket.text().await;
    }
    said
}

async fn three(server: &TestServer) {
    put(server, "N1", r#"{"a":1}"#).await;
    put(server, "N2", r#"{"a":2}"#).await;
    put(server, "N3", r#"{"a":3}"#).await;
    put(server, "N1", r#"{"a":4}"#).await;
}

#[tokio::test]
async fn server_sent_events_tell_every_state_a_mark_and_what_follows() {
    let server = TestServer::start().await;
    three(&server).await;
    let mut socket = server.follow("feeds/planes?from=state", SSE, &[]).await;
    let states = until(&mut socket, "event: mark").await;
    put(&server, "N2", r#"{"a":2,"b":null}"#).await;
    let tail = until(&mut socket, "\"type\":\"update\"").await;
    assert_snapshot!(states + &tail, @r#"
    retry: 1000
    id: state:4:

    id: state:4:cGxhbmVzAE4x
    data: {"specversion":"1.0","id":"id-4","source":"/v1/projects/default/feeds/planes","type":"load","subject":"N1","time":"2026-11-21T08:00:00Z","feed":"planes","position":4,"recordedat":"2026-11-21T08:00:00Z","version":2,"entity":true,"stateposition":4,"data":{"a":4}}

    id: state:4:cGxhbmVzAE4y
    data: {"specversion":"1.0","id":"id-2","source":"/v1/projects/default/feeds/planes","type":"load","subject":"N2","time":"2026-11-21T08:00:00Z","feed":"planes","position":2,"recordedat":"2026-11-21T08:00:00Z","version":1,"entity":true,"stateposition":2,"data":{"a":2}}

    id: state:4:cGxhbmVzAE4z
    data: {"specversion":"1.0","id":"id-3","source":"/v1/projects/default/feeds/planes","type":"load","subject":"N3","time":"2026-11-21T08:00:00Z","feed":"planes","position":3,"recordedat":"2026-11-21T08:00:00Z","version":1,"entity":true,"stateposition":3,"data":{"a":3}}

    id: 4
    event: mark
    data: {"cursor":"4"}

    id: 5
    data: {"specversion":"1.0","id":"id-5","source":"/v1/projects/default/feeds/planes","type":"update","subject":"N2","time":"2026-11-21T08:00:00Z","feed":"planes","position":5,"recordedat":"2026-11-21T08:00:00Z","version":2,"entity":true,"data":{"b":null}}
    "#);
}

#[tokio::test]
async fn lines_say_where_they_stand_behind_states() {
    let server = TestServer::start().await;
    three(&server).await;
    let mut socket = server
        .follow("feeds/_all?from=state&subjects=N2,N3", NDJSON, &[])
        .await;
    let states = until(&mut socket, "{\"mark\"").await;
    assert_snapshot!(states, @r#"
    {"heartbeat":{"cursor":"state:4:"}}
    {"specversion":"1.0","id":"id-2","source":"/v1/projects/default/feeds/planes","type":"load","subject":"N2","time":"2026-11-21T08:00:00Z","feed":"planes","position":2,"recordedat":"2026-11-21T08:00:00Z","version":1,"entity":true,"stateposition":2,"data":{"a":2}}
    {"specversion":"1.0","id":"id-3","source":"/v1/projects/default/feeds/planes","type":"load","subject":"N3","time":"2026-11-21T08:00:00Z","feed":"planes","position":3,"recordedat":"2026-11-21T08:00:00Z","version":1,"entity":true,"stateposition":3,"data":{"a":3}}
    {"heartbeat":{"cursor":"state:4:cGxhbmVzAE4z"}}
    {"mark":{"cursor":"4"}}
    "#);
}

/// What of `said` an `EventSource` would send as its last id, having read `frames` of its frames.
fn id_behind(said: &str, frames: usize) -> &str {
    let frame = said.split("\n\n").nth(frames).expect("a frame");
    let id = frame.lines().find_map(|line| line.strip_prefix("id: "));
    id.expect("an id")
}

#[tokio::test]
async fn a_client_that_comes_back_among_states_goes_on_behind_the_last() {
    let server = TestServer::start().await;
    three(&server).await;
    let mut socket = server.follow("feeds/planes?from=state", SSE, &[]).await;
    let said = until(&mut socket, "event: mark").await;
    let id = id_behind(&said, 1);
    put(&server, "N1", r#"{"a":5}"#).await;
    put(&server, "N3", r#"{"a":6}"#).await;
    let header = format!("last-event-id: {id}");
    let mut socket = server
        .follow("feeds/planes?from=state", SSE, &[&header])
        .await;
    let rest = until(&mut socket, "\"position\":6,\"recordedat\"").await;
    let rest = rest.clone() + &until(&mut socket, "{\"a\":6}}").await;
    let positions: Vec<&str> = rest
        .split("\"position\":")
        .skip(1)
        .map(|rest| rest.split(',').next().unwrap_or_default())
        .collect();
    // The state of the third is told with its change already: that comes again, and is known by its position.
    assert_eq!(positions, ["2", "6", "5", "6"], "{rest}");
    assert!(rest.contains("id: 4\nevent: mark\n"), "{rest}");
    // Behind the mark there are only events, whatever the address says.
    let mut socket = server
        .follow("feeds/planes?from=state", SSE, &["last-event-id: 5"])
        .await;
    let tail = until(&mut socket, "\"type\"").await;
    assert!(
        tail.contains("\"position\":6") && !tail.contains("mark"),
        "{tail}"
    );
}

#[tokio::test]
async fn pages_of_states_end_with_the_mark_and_go_on_to_events() {
    let server = TestServer::start().await;
    three(&server).await;
    let first = server.get("feeds/planes?from=state&limit=2").await;
    assert_snapshot!(first.text(), @r#"{"events":[{"specversion":"1.0","id":"id-4","source":"/v1/projects/default/feeds/planes","type":"load","subject":"N1","time":"2026-11-21T08:00:00Z","feed":"planes","position":4,"recordedat":"2026-11-21T08:00:00Z","version":2,"entity":true,"stateposition":4,"data":{"a":4}},{"specversion":"1.0","id":"id-2","source":"/v1/projects/default/feeds/planes","type":"load","subject":"N2","time":"2026-11-21T08:00:00Z","feed":"planes","position":2,"recordedat":"2026-11-21T08:00:00Z","version":1,"entity":true,"stateposition":2,"data":{"a":2}}],"cursor":"state:4:cGxhbmVzAE4y","has_more":true,"head":4}"#);
    let cursor = first.json()["cursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    assert_eq!(first.header("feedwire-cursor"), Some(cursor.as_str()));
    put(&server, "N9", "{}").await;
    let path = format!("feeds/planes?limit=10&after={cursor}");
    let last = server.get(&path).await;
    assert_eq!(last.header("feedwire-cursor"), Some("4"));
    let last = last.json();
    let subjects = |page: &Value| {
        let events = page["events"].as_array().expect("events").iter();
        let subjects = events.map(|event| event["subject"].as_str().unwrap_or_default());
        subjects.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(subjects(&last), "N3 N9");
    assert_eq!((&last["cursor"], &last["mark"]), (&"4".into(), &4.into()));
    assert_eq!(
        (&last["has_more"], &last["head"]),
        (&true.into(), &5.into())
    );
    let tail = server.get("feeds/planes?after=4").await.json();
    assert_eq!(subjects(&tail), "N9");
    // A page that is full with the last state does not know that it is the last.
    let full = server.get("feeds/planes?from=state&limit=4").await.json();
    let cursor = full["cursor"].as_str().expect("a cursor");
    assert!(
        cursor.starts_with("state:5:") && full.get("mark").is_none(),
        "{full}"
    );
    let path = format!("feeds/planes?after={cursor}");
    let marked = server.get(&path).await.json();
    assert_eq!(
        (subjects(&marked).as_str(), &marked["mark"]),
        ("", &5.into())
    );
    // A page is cut where it reaches its bytes, and goes on behind what it has.
    let mut path = "feeds/planes?from=state&bytes=1".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = server.get(&path).await.json();
        seen.push(subjects(&page));
        let cursor = page["cursor"].as_str().expect("a cursor").to_owned();
        if page.get("mark").is_some() {
            break;
        }
        path = format!("feeds/planes?bytes=1&after={cursor}");
    }
    assert_eq!(seen.join(" ").trim(), "N1 N2 N3 N9");
}

#[tokio::test]
async fn a_limit_counts_states_too_and_an_end_in_the_past_ends_behind_the_mark() {
    let server = TestServer::start().await;
    three(&server).await;
    let mut socket = server
        .follow("feeds/planes?from=state&limit=2", SSE, &[])
        .await;
    let said = String::from_utf8(socket.rest().await).expect("text");
    let end = "event: end\ndata: {\"cursor\":\"state:4:cGxhbmVzAE4y\"}\n\n";
    assert!(said.contains(end) && !said.contains("mark"), "{said}");
    let mut socket = server
        .follow("feeds/planes?from=state&until=now", NDJSON, &[])
        .await;
    let said = String::from_utf8(socket.rest().await).expect("text");
    for line in [
        "{\"mark\":{\"cursor\":\"4\"}}\n",
        "{\"end\":{\"cursor\":\"4\"}}\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

#[tokio::test]
async fn what_cannot_be_meant_of_states_is_refused() {
    let server = TestServer::start().await;
    three(&server).await;
    for (query, name) in [
        ("from=state&types=update", "types"),
        ("after=state:4:&types=create", "types"),
        ("after=state:4", "after"),
        ("after=state:x:", "after"),
        ("after=state:4:!!!", "after"),
        ("from=state&after=3", "from"),
    ] {
        let answer = server.get(&format!("feeds/planes?{query}")).await;
        assert_eq!(
            answer.problem(),
            (400, "invalid-parameter".to_owned()),
            "{query}"
        );
        assert_eq!(answer.json()["parameter"], name, "{query}");
    }
    let array = ["accept: application/cloudevents-batch+json"];
    let path = "/v1/projects/default/feeds/planes?from=state";
    let answer = server.ask("GET", path, &array, b"").await;
    assert_eq!(answer.problem(), (400, "invalid-parameter".to_owned()));
    let answer = server.get("feeds/planes?after=state:99:").await;
    assert_eq!(answer.problem(), (400, "cursor-ahead".to_owned()));
    let both = server
        .get("feeds/planes?from=state&types=load,update")
        .await;
    assert_eq!(both.json()["events"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn states_outlive_the_events_that_made_them_and_a_reading_begun_too_long_ago_is_told() {
    let server = TestServer::start().await;
    three(&server).await;
    server.clock.advance(Duration::from_secs(100));
    put(&server, "N4", "{}").await;
    server.trim(Duration::from_secs(50)).await;
    let page = server.get("feeds/planes?from=state").await.json();
    assert_eq!(page["events"].as_array().map(Vec::len), Some(4));
    let answer = server.get("feeds/planes?after=state:1:").await;
    assert_eq!(answer.problem(), (410, "cursor-expired".to_owned()));
    assert!(answer.text().contains("from=state"), "{}", answer.text());
    let sse = ["accept: text/event-stream"];
    let path = "/v1/projects/default/feeds/planes?after=state:1:";
    let answer = server.ask("GET", path, &sse, b"").await;
    assert_eq!(answer.problem(), (410, "cursor-expired".to_owned()));
    assert!(answer.text().contains("from=state"), "{}", answer.text());
}

/// More states than connections hold on their way.
async fn many_large(server: &TestServer, headers: &[&str]) {
    for n in 0..40 {
        let body = format!(r#"{{"data":{{"a":"{}"}}}}"#, "x".repeat(400 * 1024));
        let put = plane(server, "PUT", &format!("N{n}"), headers, &body).await;
        assert_eq!(put.status, 201, "{}", put.text());
    }
}

#[tokio::test]
async fn a_stream_of_states_ends_with_the_credential_that_it_was_opened_by() {
    let server = TestServer::guarded().await;
    let made = server
        .credential("default", &[("default", "read,publish", "")])
        .await;
    let proof = bearer(made.secret.token().as_ref());
    many_large(&server, &[&proof]).await;
    let mut socket = server
        .follow("feeds/planes?from=state", SSE, &[&proof])
        .await;
    socket.text().await;
    let (home, key_id) = (&made.credential.home, made.credential.key_id);
    server
        .auth()
        .revoke(home, key_id, None)
        .await
        .expect("it is there");
    let rest = String::from_utf8(socket.rest().await).expect("text");
    assert!(!rest.contains("event: mark"));
}

#[tokio::test]
async fn a_stream_of_states_ends_in_order_when_the_server_stops() {
    let server = TestServer::start().await;
    many_large(&server, &[]).await;
    let mut socket = server.follow("feeds/planes?from=state", NDJSON, &[]).await;
    socket.text().await;
    server.stop();
    let rest = String::from_utf8(socket.rest().await).expect("text");
    assert!(rest.ends_with("\r\n0\r\n\r\n") && !rest.contains("\"mark\""));
}
