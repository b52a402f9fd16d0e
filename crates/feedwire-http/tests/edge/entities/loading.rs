//! Load jobs.

use feedwire_testkit::{Answer, TestServer};
use insta::assert_snapshot;

use super::{JSON, put};

const LOADS: &str = "/v1/projects/default/loads";

async fn start(server: &TestServer, feed: &str, body: &str) -> Answer {
    let path = format!("/v1/projects/default/feeds/{feed}/loads");
    server.ask("POST", &path, &[JSON], body.as_bytes()).await
}

/// The load job at `address` once it has ended.
async fn ended(server: &TestServer, address: &str) -> serde_json::Value {
    loop {
        let load = server.ask("GET", address, &[], b"").await.json();
        if !load["ended_at"].is_null() {
            return load;
        }
    }
}

#[tokio::test]
async fn a_load_writes_the_state_of_each_entity_once() {
    let server = TestServer::start().await;
    put(&server, "N1", r#"{"a":1}"#).await;
    put(&server, "N2", r#"{"a":2}"#).await;
    put(&server, "N1", r#"{"a":3}"#).await;
    let started = start(&server, "planes", "{}").await;
    assert_eq!(started.status, 201, "{}", started.text());
    let address = started.header("location").expect("an address").to_owned();
    let load = ended(&server, &address).await;
    assert_eq!(load["phase"], "done");
    for (name, value) in [("total", 2), ("done", 2), ("written", 2), ("start", 3)] {
        assert_eq!(load[name], value, "{name}");
    }
    let all = server.ask("GET", LOADS, &[], b"").await.json();
    assert_eq!(all["loads"][0]["id"], load["id"]);
    let events = server.get("feeds/_load.planes").await.json();
    let events = events["events"].as_array().expect("events").iter();
    let told = events.map(|event| {
        let text = |name: &str| event[name].to_string();
        let names = [
            "type",
            "subject",
            "feed",
            "position",
            "stateposition",
            "data",
        ];
        names.map(text).join(" ")
    });
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    "load" "N1" "_load.planes" 4 3 {"a":3}
    "load" "N2" "_load.planes" 5 2 {"a":2}
    "#);
    // Nobody who reads every feed has them too.
    let everything = server.get("feeds/_all").await.json();
    assert_eq!(everything["events"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_load_is_of_what_it_names_and_can_be_ended() {
    let server = TestServer::start().await;
    put(&server, "N1", "{}").await;
    put(&server, "N2", "{}").await;
    let body = r#"{"feeds":["planes"],"subjects":["N2"],"max_bytes":100000}"#;
    let started = start(&server, "_all", body).await.json();
    assert_eq!(
        (&started["feeds"][0], &started["subjects"][0]),
        (&"planes".into(), &"N2".into())
    );
    let address = format!("{LOADS}/{}", started["id"].as_str().expect("an id"));
    let load = ended(&server, &address).await;
    assert_eq!(
        (&load["written"], &load["max_bytes"]),
        (&1.into(), &100_000.into())
    );
    let cancelled = server
        .ask("POST", &format!("{address}/cancel"), &[], b"")
        .await;
    assert_eq!(cancelled.json()["phase"], "done");
    let unknown = format!("{LOADS}/none");
    for (method, path) in [
        ("GET", unknown.clone()),
        ("POST", format!("{unknown}/cancel")),
    ] {
        let answer = server.ask(method, &path, &[], b"").await;
        assert_eq!(answer.problem(), (404, "not-found".to_owned()));
    }
    for (feed, body) in [
        ("planes", r#"{"feeds":["planes"]}"#),
        ("planes", r#"{"max_bytes":0}"#),
    ] {
        let answer = start(&server, feed, body).await;
        assert_eq!(
            answer.problem(),
            (400, "invalid-parameter".to_owned()),
            "{body}"
        );
    }
}
