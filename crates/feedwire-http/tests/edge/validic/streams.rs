//! Streams: made, told, listed, renamed and deleted.

use std::time::Duration;

use feedwire_http::Limits;
use feedwire_testkit::TestServer;
use serde_json::{Value, json};

use super::{JSON, ask, connect, record, refusal, stream, text};

#[tokio::test]
async fn a_stream_is_made_told_renamed_and_deleted() {
    let server = TestServer::start().await;
    let members = r#","resource_filter":["summary"],"start_date":"2026-01-02""#;
    let body = format!(r#"{{"name":"one"{members}}}"#);
    let made = ask(&server, "POST", "/streams", &body).await.json();
    let id = text(&made["id"]);
    assert!(
        id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(made["group"], format!("stream_{id}"));
    assert_eq!(made["start_date"], "2026-01-02");
    assert_eq!(
        (&made["resource_filter"], &made["event_type_filter"]),
        (&json!(["summary"]), &Value::Null)
    );

    let path = format!("/streams/{id}");
    let shown = ask(&server, "GET", &path, "{}").await.json();
    assert_eq!(
        (&shown["event_type_filter"], &shown["members"]),
        (&json!([]), &json!(0))
    );
    let mut member = connect(&server, &id).await;
    let renamed = ask(&server, "PUT", &format!("{path}/"), r#"{"name":"two"}"#).await;
    assert_eq!(
        (renamed.status, &renamed.json()["name"]),
        (200, &json!("two"))
    );
    record(&server, "data", "summary", "u1", "a").await;
    assert_eq!(member.told().await.1["id"], "a");

    let listed = ask(&server, "GET", "/streams/?q=name=two", "").await.json();
    assert_eq!(
        listed["meta"],
        json!({ "total": 1, "sort": ["-created_at"] })
    );
    assert_eq!(
        (
            &listed["streams"][0]["id"],
            &listed["streams"][0]["members"]
        ),
        (&json!(id), &json!(1))
    );

    let connected = ask(&server, "DELETE", &path, "{}").await;
    assert_eq!(connected.status, 422, "{}", connected.text());
    drop(member);
    // The place is free once the connection is found to be closed.
    let deleted = loop {
        let deleted = ask(&server, "DELETE", &path, "").await;
        if deleted.status != 422 {
            break deleted;
        }
    };
    assert_eq!(deleted.status, 200);
    assert!(deleted.json()["deleted_at"].is_string());
    assert_eq!(ask(&server, "GET", &path, "").await.status, 404);
    assert_eq!(
        ask(&server, "GET", &format!("{path}/connect"), "")
            .await
            .status,
        404
    );
}

/// The names of the streams that `query` asks for.
async fn names(server: &TestServer, query: &str) -> Vec<String> {
    let listed = ask(server, "GET", &format!("/streams?{query}"), "{}").await;
    assert_eq!(listed.status, 200, "{query}: {}", listed.text());
    let listed = listed.json();
    let streams = listed["streams"].as_array().expect("streams");
    assert_eq!(listed["meta"]["total"], streams.len());
    streams.iter().map(|one| text(&one["name"])).collect()
}

#[tokio::test]
async fn streams_are_listed_newest_first_or_as_asked() {
    let server = TestServer::start().await;
    for name in ["b", "Ab", "c"] {
        stream(&server, name, "").await;
        server.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(names(&server, "").await, ["c", "Ab", "b"]);
    assert_eq!(names(&server, "sort=name").await, ["Ab", "b", "c"]);
    assert_eq!(names(&server, "sort[]=created_at").await, ["b", "Ab", "c"]);
    assert_eq!(names(&server, "q=name~B").await, ["Ab", "b"]);
    assert_eq!(names(&server, "q=name=B").await, [""; 0]);
    let refused = ask(&server, "GET", "/streams?sort=size", "").await;
    assert_eq!(refused.status, 400);
    assert!(refusal(&refused).1.starts_with("sort: "));
}

#[tokio::test]
async fn no_two_streams_have_one_name_and_one_that_is_renamed_frees_its_own() {
    let server = TestServer::start().await;
    let id = stream(&server, "one", "").await;
    stream(&server, "two", "").await;
    let rename = async |name: &str| {
        let body = json!({ "name": name }).to_string();
        ask(&server, "PUT", &format!("/streams/{id}"), &body).await
    };
    let taken = "name: there is another stream of this name";
    assert_eq!(refusal(&rename("two").await), (422, taken.to_owned()));
    assert_eq!(rename("one").await.status, 200, "its own is no other's");
    assert_eq!(rename("three").await.status, 200);
    stream(&server, "one", "").await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_its_name() {
    let server = TestServer::start().await;
    let check = async |body: &str, status: u16, part: &str| {
        let refused = refusal(&ask(&server, "POST", "/streams", body).await);
        assert_eq!(refused.0, status, "{body}: {}", refused.1);
        assert!(refused.1.contains(part), "{body}: {}", refused.1);
    };
    check("", 400, "not JSON").await;
    check("{", 400, "not JSON").await;
    check("{}", 422, "name").await;
    check(r#"{"name":"a\nb"}"#, 422, "name").await;
    check(
        r#"{"name":"a","start_date":"2999-01-01"}"#,
        422,
        "start_date",
    )
    .await;
    check(
        r#"{"name":"a","event_type_filter":["poke"]}"#,
        422,
        "event_type_filter",
    )
    .await;
    assert_eq!(names(&server, "").await, [""; 0]);
}

#[tokio::test]
async fn streams_of_others_are_none_of_this_api_and_its_own_are_theirs() {
    let server = TestServer::start().await;
    let native = "/v1/projects/default/streams";
    let digits = "598372650b11e700018284ab";
    for body in [
        json!({ "name": "plain", "mode": "delivered" }).to_string(),
        json!({ "name": digits, "mode": "explicit" }).to_string(),
    ] {
        let made = server.ask("POST", native, JSON, body.as_bytes()).await;
        assert!(made.status < 300, "{}", made.text());
    }
    for id in ["plain", digits, "none", "%20", "a%2Fb"] {
        for (method, path, body) in [
            ("GET", "", ""),
            ("PUT", "", r#"{"name":"x"}"#),
            ("DELETE", "", ""),
            ("GET", "/connect", ""),
        ] {
            let answer = ask(&server, method, &format!("/streams/{id}{path}"), body).await;
            assert_eq!(answer.status, 404, "{method} {id}{path}");
        }
    }
    assert_eq!(names(&server, "").await, [""; 0]);
    let id = stream(&server, "one", "").await;
    let told = server.get(&format!("streams/{id}")).await.json();
    assert_eq!(
        (&told["display_name"], &told["mode"]),
        (&json!("one"), &json!("delivered"))
    );
}

#[tokio::test]
async fn there_are_as_many_streams_and_connections_as_the_server_is_set_to() {
    let server = TestServer::with(Limits {
        validic_streams_max: 1,
        validic_members_max: 1,
        ..Limits::default()
    })
    .await;
    let id = stream(&server, "one", "").await;
    let (status, words) = refusal(&ask(&server, "POST", "/streams", r#"{"name":"two"}"#).await);
    assert!(status == 422 && words.contains("which is 1"), "{words}");
    let _member = connect(&server, &id).await;
    let full = ask(&server, "GET", &format!("/streams/{id}/connect"), "").await;
    let (status, words) = refusal(&full);
    assert!(status == 422 && words.contains("which is 1"), "{words}");
    assert!(full.header("retry-after").is_some());
}

#[tokio::test]
async fn what_is_not_there_or_not_done_is_told_in_the_words_of_this_api() {
    let server = TestServer::start().await;
    let nowhere = ask(&server, "GET", "/nowhere", "").await;
    assert_eq!(refusal(&nowhere).0, 404);
    let patched = ask(&server, "PATCH", "/streams", "{}").await;
    assert_eq!(refusal(&patched).0, 405);
    assert_eq!(patched.header("allow"), Some("GET,HEAD,POST"));
}

#[tokio::test]
async fn there_are_five_streams_of_different_names_with_three_connections_each() {
    let server = TestServer::start().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(stream(&server, name, "").await);
    }
    for name in ["a", "f"] {
        let refused = ask(
            &server,
            "POST",
            "/streams",
            &format!(r#"{{"name":"{name}"}}"#),
        )
        .await;
        assert_eq!(refused.status, 422);
        assert!(refused.json()["errors"][0].is_string());
    }
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(connect(&server, &ids[0]).await);
    }
    let full = ask(&server, "GET", &format!("/streams/{}/connect", ids[0]), "").await;
    assert_eq!((full.status, full.header("retry-after")), (422, Some("10")));
    assert!(full.json()["errors"][0].is_string());
}
