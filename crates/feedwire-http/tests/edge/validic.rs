//! The `validic` dialect: streams that connections share, and the replay.

use feedwire_testkit::{Answer, Socket, TestServer};
use serde_json::{Value, json};

const JSON: &[&str] = &["content-type: application/json"];

async fn ask(server: &TestServer, method: &str, path: &str, body: &str) -> Answer {
    let path = format!("/validic{path}");
    server.ask(method, &path, JSON, body.as_bytes()).await
}

/// Makes a stream that is called `name`, with further members; returns its id.
async fn stream(server: &TestServer, name: &str, members: &str) -> String {
    let body = format!(r#"{{"name":"{name}"{members}}}"#);
    let made = ask(server, "POST", "/streams", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    text(&made.json()["id"])
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A connection to the stream `id`, whose first poke is read.
async fn connect(server: &TestServer, id: &str) -> Socket {
    let mut socket = server.connect().await;
    let path = format!("/validic/streams/{id}/connect");
    socket.request("GET", &path, &[], b"").await;
    let head = socket.head().await;
    assert_eq!(
        (head.status, head.header("content-type")),
        (200, Some("text/event-stream"))
    );
    assert_eq!(next(&mut socket).await.0, "poke");
    socket
}

/// The next event: its name and its data.
async fn next(socket: &mut Socket) -> (String, Value) {
    let chunk = socket.text().await;
    let event = chunk.strip_suffix("\n\n").expect("a whole event");
    let (name, data) = event.split_once('\n').expect("two lines");
    let name = name.strip_prefix("event: ").expect("its name");
    let data = data.strip_prefix("data: ").expect("its data");
    (
        name.to_owned(),
        serde_json::from_str(data).expect("JSON on one line"),
    )
}

/// The next event that is no poke.
async fn told(socket: &mut Socket) -> (String, Value) {
    loop {
        let (name, data) = next(socket).await;
        if name != "poke" {
            return (name, data);
        }
    }
}

/// Publishes a record of `user`.
async fn record(server: &TestServer, feed: &str, ty: &str, user: &str, id: &str) {
    let event = json!({ "type": ty, "subject": user, "data": { "id": id, "metrics": [] } });
    let published = server.publish(feed, &event.to_string()).await;
    assert_eq!(published.status, 200, "{}", published.text());
}

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
    assert_eq!(told(&mut member).await.1["id"], "a");

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

#[tokio::test]
async fn connections_share_a_stream_and_what_one_had_comes_again_to_the_others() {
    let server = TestServer::start().await;
    let id = stream(&server, "one", "").await;
    let mut one = connect(&server, &id).await;
    record(&server, "data", "summary", "u1", "a").await;
    assert_eq!(told(&mut one).await.1["id"], "a");
    let mut other = connect(&server, &id).await;
    drop(one);
    let (name, again) = told(&mut other).await;
    assert_eq!(
        (name.as_str(), &again["id"], &again["type"]),
        ("data", &json!("a"), &json!("summary"))
    );
    assert_eq!(again["checksum"].as_str().map(str::len), Some(32));
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
    let (name, data) = told(&mut member).await;
    assert_eq!(
        (name.as_str(), &data["connection"]["id"]),
        ("connection", &json!("d"))
    );
    let (name, data) = told(&mut member).await;
    assert_eq!((name.as_str(), &data["id"]), ("data", &json!("e")));
}

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
    let body = replayed.text();
    let data = body
        .split_terminator("\n\n")
        .filter_map(|event| event.strip_prefix("event: data\ndata: "));
    let ids: Vec<Value> = data
        .map(|data| serde_json::from_str::<Value>(data).expect("JSON")["id"].clone())
        .collect();
    assert_eq!(ids, ["a", "d"]);
    assert_eq!(
        ask(&server, "GET", "/replay?date=2020-01-01", "")
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_token_in_the_address_proves_who_asks_whatever_the_method() {
    let server = TestServer::guarded().await;
    let created = server
        .credential("default", &[("default", "streams,read", "")])
        .await;
    let token = created.secret.token().to_string();
    let path = format!("/streams?token={token}");
    let made = ask(&server, "POST", &path, r#"{"name":"one"}"#).await;
    assert_eq!(made.status, 201, "{}", made.text());
    for path in [
        "/streams".to_owned(),
        "/streams?token=no".to_owned(),
        "/replay".to_owned(),
    ] {
        let refused = ask(&server, "GET", &path, "").await;
        assert_eq!(refused.status, 403);
        assert_eq!(
            refused.json(),
            json!({ "errors": ["Invalid authentication credentials"] })
        );
    }
    let replay = ask(&server, "GET", &format!("/replay?token={token}"), "").await;
    assert_eq!(replay.status, 200);
}
