//! Many entities: bodies of lines, and lists.

use feedwire_testkit::TestServer;
use insta::assert_snapshot;

use super::{LINES, PLANES, put};

async fn put_lines(server: &TestServer, lines: &str) -> feedwire_testkit::Answer {
    server.ask("POST", PLANES, &[LINES], lines.as_bytes()).await
}

/// The subjects of a list, and where it goes on.
async fn listed(server: &TestServer, path: &str) -> (String, Option<String>) {
    let list = server.get(path).await.json();
    let entities = list["entities"].as_array().expect("entities").iter();
    let name = |entity: &serde_json::Value| {
        let text = |name: &str| entity[name].as_str().expect("a text").to_owned();
        format!("{}/{}", text("feed"), text("subject"))
    };
    let names: Vec<String> = entities.map(name).collect();
    (names.join(" "), list["next"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn lines_are_put_as_they_come_and_told_apart_by_what_became_of_them() {
    let server = TestServer::start().await;
    put(&server, "N0", r#"{"n":0}"#).await;
    let line = |n| format!("{{\"subject\":\"N{n}\",\"data\":{{\"n\":{n}}}}}\n");
    let mut lines: String = (0..2_500).map(line).collect();
    // One that comes again is another batch's.
    lines += "\n{\"subject\":\"N1\",\"data\":{\"n\":-1}}\n{\"subject\":\"N1\",\"data\":{\"n\":-2}}";
    let answer = put_lines(&server, &lines).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_snapshot!(answer.text(), @r#"{"count":2502,"created":2499,"updated":2,"unchanged":1,"last":2502,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    let last = server.get("feeds/planes/entities/N1").await.json();
    assert_eq!(
        (&last["data"]["n"], &last["version"]),
        (&(-2).into(), &3.into())
    );
}

#[tokio::test]
async fn what_stands_before_a_bad_line_is_put_and_the_line_is_named() {
    let server = TestServer::start().await;
    let good = |n| format!("{{\"subject\":\"N{n}\",\"data\":{{}}}}\n");
    let broken = put_lines(&server, &(good(1) + &good(2) + "{\"subject\":\"N3\"}\n")).await;
    assert_eq!(broken.problem(), (400, "invalid-parameter".to_owned()));
    assert_snapshot!(broken.text(), @r#"{"type":"urn:feedwire:problem:invalid-parameter","title":"A parameter cannot be meant","status":400,"detail":"line 3: data: an entity has a state, which is a JSON object","created":2,"last":2,"line":3,"parameter":"data","put":2,"unchanged":0,"updated":0}"#);
    // Only what is put says whether it is too large: what stands before it is put, and what stands behind is not.
    let large = format!(
        "{{\"subject\":\"N5\",\"data\":{{\"a\":\"{}\"}}}}\n",
        "x".repeat(520 * 1024)
    );
    let answer = put_lines(&server, &(good(3) + &good(4) + &large + &good(6))).await;
    assert_eq!(answer.problem(), (413, "event-too-large".to_owned()));
    let told = answer.json();
    let detail = told["detail"].as_str().unwrap_or_default();
    let words = "line 3: an entity has at most ";
    assert!(detail.starts_with(words), "{detail}");
    assert_eq!((&told["line"], &told["put"]), (&3.into(), &2.into()));
    let (names, _) = listed(&server, "feeds/planes/entities").await;
    assert!(names.starts_with("planes/N1 planes/N2"), "{names}");
    assert!(!names.contains("N6"), "{names}");
    for (header, parameter) in [
        ("if-match: \"1\"", "If-Match"),
        ("if-none-match: *", "If-None-Match"),
        ("idempotency-key: k", "Idempotency-Key"),
    ] {
        let headers = [LINES, header];
        let answer = server
            .ask("POST", PLANES, &headers, good(7).as_bytes())
            .await;
        assert_eq!(answer.problem(), (400, "invalid-parameter".to_owned()));
        assert_eq!(answer.json()["parameter"], parameter);
    }
    let empty = put_lines(&server, "\n\n").await;
    assert_eq!(empty.problem(), (400, "invalid-parameter".to_owned()));
    let json = ["content-type: application/json"];
    let answer = server.ask("POST", PLANES, &json, b"{}").await;
    assert_eq!(answer.problem(), (415, "unsupported-media-type".to_owned()));
}

#[tokio::test]
async fn a_list_is_in_order_and_goes_on_where_it_says() {
    let server = TestServer::start().await;
    for subject in ["b", "a%2Fc", "d"] {
        put(&server, subject, "{}").await;
    }
    let gates = "/v1/projects/default/feeds/gates/entities/a";
    let json = ["content-type: application/json"];
    server.ask("PUT", gates, &json, br#"{"data":{}}"#).await;
    server
        .publish("planes", r#"{"type":"tick","subject":"e"}"#)
        .await;
    let (all, next) = listed(&server, "feeds/planes/entities").await;
    assert_eq!((all.as_str(), next), ("planes/a/c planes/b planes/d", None));
    let (first, next) = listed(&server, "feeds/planes/entities?limit=1").await;
    assert_eq!(
        (first.as_str(), next.as_deref()),
        ("planes/a/c", Some("a/c"))
    );
    let (second, _) = listed(&server, "feeds/planes/entities?limit=1&after=a%2Fc").await;
    assert_eq!(second, "planes/b");
    let (first, next) = listed(&server, "feeds/_all/entities?limit=2").await;
    let expected = ("gates/a planes/a/c", Some("planes/a/c"));
    assert_eq!((first.as_str(), next.as_deref()), expected);
    let (rest, _) = listed(&server, "feeds/_all/entities?after=planes%2Fa%2Fc").await;
    assert_eq!(rest, "planes/b planes/d");
    let (named, _) = listed(&server, "feeds/_all/entities?feeds=gates&subjects=a,b").await;
    assert_eq!(named, "gates/a");
    let labels = "/v1/projects/default/subjects/b/labels";
    server
        .ask("PUT", labels, &json, br#"{"labels":{"big":""}}"#)
        .await;
    let (labelled, _) = listed(&server, "feeds/_all/entities?labels=big").await;
    assert_eq!(labelled, "planes/b");
    let refused = server.get("feeds/planes/entities?types=load").await;
    assert_eq!(refused.problem(), (400, "invalid-parameter".to_owned()));
}
