//! Streams of the native API: made, joined, acknowledged, and given to others.

mod access;
mod ending;
mod failing;

use feedwire_testkit::{Answer, Socket, TestServer};
use serde_json::{Value, json};

const STREAMS: &str = "/v1/projects/default/streams";
const JSON: &[&str] = &["content-type: application/json"];

async fn ask(server: &TestServer, method: &str, path: &str, body: &str) -> Answer {
    server
        .ask(method, &format!("{STREAMS}{path}"), JSON, body.as_bytes())
        .await
}

async fn post(server: &TestServer, path: &str, body: &Value) -> Value {
    let answer = ask(server, "POST", path, &body.to_string()).await;
    assert!(answer.status < 300, "{}", answer.text());
    answer.json()
}

/// A server with the stream `s`, which has further `members`.
async fn with(members: Value) -> TestServer {
    let server = TestServer::start().await;
    let mut body = json!({ "name": "s" });
    body.as_object_mut()
        .expect("an object")
        .extend(members.as_object().expect("an object").clone());
    post(&server, "", &body).await;
    server
}

async fn member(server: &TestServer, accept: &str) -> Socket {
    let mut socket = server.connect().await;
    let accept = format!("accept: {accept}");
    let path = format!("{STREAMS}/s/connect");
    socket.request("GET", &path, &[&accept], b"").await;
    let head = socket.head().await;
    assert_eq!(head.status, 200, "{head:?}");
    socket
}

/// The lines of a member that is sent NDJSON, in turn.
struct Lines {
    socket: Socket,
    ready: Vec<Value>,
}

impl Lines {
    async fn of(server: &TestServer) -> Self {
        let socket = member(server, "application/x-ndjson").await;
        Self {
            socket,
            ready: Vec::new(),
        }
    }

    async fn next(&mut self) -> Value {
        while self.ready.is_empty() {
            let chunk = self.socket.text().await;
            let lines = chunk.strip_suffix('\n').expect("whole lines").split('\n');
            let lines = lines.map(|line| serde_json::from_str(line).expect("JSON"));
            self.ready = lines.collect::<Vec<_>>();
            self.ready.reverse();
        }
        self.ready.pop().expect("there is one")
    }

    /// The next event.
    async fn event(&mut self) -> Value {
        loop {
            let line = self.next().await;
            if line.get("specversion").is_some() {
                return line;
            }
        }
    }

    /// The next heartbeat that holds.
    async fn heartbeat(&mut self, holds: impl Fn(&Value) -> bool) {
        loop {
            let line = self.next().await;
            if line.get("heartbeat").is_some_and(&holds) {
                return;
            }
        }
    }
}

async fn publish(server: &TestServer, subject: &str) {
    let event = json!({ "type": "t", "subject": subject });
    let published = server.publish("f", &event.to_string()).await;
    assert_eq!(published.status, 200, "{}", published.text());
}

#[tokio::test]
async fn a_stream_is_made_looked_at_changed_and_deleted() {
    let server = TestServer::start().await;
    let body = json!({ "name": "s", "filter": { "feeds": ["f"] }, "max_deliveries": null, "heartbeat": "2s" });
    let made = ask(&server, "POST", "", &body.to_string()).await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, Some("/v1/projects/default/streams/s"))
    );
    let again = ask(&server, "POST", "", &body.to_string()).await;
    assert_eq!(again.problem().0, 409);
    let shown = ask(&server, "GET", "/s", "").await.json();
    let members = [
        "start",
        "mode",
        "heartbeat",
        "max_deliveries",
        "ack_timeout",
    ];
    let told = members.map(|name| shown[name].clone());
    assert_eq!(
        told,
        [
            json!("start"),
            json!("explicit"),
            json!("2s"),
            Value::Null,
            json!("30s")
        ]
    );
    assert_eq!(
        shown["partition_details"].as_array().map(Vec::len),
        Some(64)
    );
    let changed = ask(
        &server,
        "PATCH",
        "/s",
        r#"{"ack_timeout":"1min","max_deliveries":3}"#,
    )
    .await;
    assert_eq!(
        (changed.status, &changed.json()["max_deliveries"]),
        (200, &json!(3))
    );
    let listed = ask(&server, "GET", "", "").await.json();
    assert_eq!(
        (&listed["streams"][0]["ack_timeout"], &listed["next"]),
        (&json!("1m"), &Value::Null)
    );
    assert_eq!(ask(&server, "DELETE", "/s", "").await.status, 204);
    assert_eq!(ask(&server, "GET", "/s", "").await.problem().0, 404);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_by_its_name() {
    let server = with(json!({})).await;
    for (member, value) in [
        ("name", json!("_odd")),
        ("start", json!("tomorrow")),
        ("mode", json!("maybe")),
        ("partitions", json!(3)),
        ("members_max", json!(65)),
        ("heartbeat", json!("1ms")),
        ("checkpoint_lifetime", json!("0s")),
        ("ack_timeout", json!("2days")),
        ("max_in_flight", json!(0)),
        ("max_deliveries", json!(0)),
        ("on_failure", json!("stop")),
    ] {
        let body = json!({ "name": "t", member: value });
        let refused = ask(&server, "POST", "", &body.to_string()).await;
        assert_eq!(refused.status, 400, "{member}");
        assert!(refused.text().contains(member), "{}", refused.text());
    }
    for body in [r#"{"partitions":8}"#, r#"{"name":"t"}"#, r#"{"odd":1}"#] {
        assert_eq!(
            ask(&server, "PATCH", "/s", body).await.status,
            400,
            "{body}"
        );
    }
    for (path, body) in [
        ("/s/ack", r"{}"),
        ("/s/ack", r#"{"receipts":["1.2"]}"#),
        ("/s/nack", r#"{"receipts":["1.2.3"],"delay":"2days"}"#),
        ("/s/seek", r#"{"to":"there"}"#),
        ("/s/seek", r#"{"to":"77"}"#),
        ("/s/dead-letters/redrive", r"{}"),
        ("/s/dead-letters/drop", r#"{"positions":[1],"all":true}"#),
    ] {
        assert_eq!(
            ask(&server, "POST", path, body).await.status,
            400,
            "{path} {body}"
        );
    }
    assert_eq!(
        ask(&server, "POST", "/none/seek", r#"{"to":"now"}"#)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_member_acknowledges_by_the_receipts_of_its_events() {
    let server = with(json!({})).await;
    let mut member = member(&server, "text/event-stream").await;
    assert!(member.text().await.starts_with("event: heartbeat\ndata: {"));
    publish(&server, "a").await;
    let frame = member.text().await;
    let (id, rest) = frame
        .strip_prefix("id: ")
        .and_then(|frame| frame.split_once('\n'))
        .expect("an id");
    let data = rest.strip_prefix("data: ").expect("data").trim_end();
    let event: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(
        (&event["receipt"], &event["attempt"]),
        (&json!(id), &json!(1))
    );
    let settled = post(
        &server,
        "/s/ack",
        &json!({ "receipts": [id, "0.9007199254740991.1"] }),
    )
    .await;
    assert_eq!(
        settled,
        json!({ "settled": 1, "refused": [{ "receipt": "0.9007199254740991.1", "reason": "unknown" }] })
    );
    let lag = &ask(&server, "GET", "/s", "").await.json()["lag"];
    assert_eq!(lag["events"], 0);
}

#[tokio::test]
async fn what_a_member_had_comes_to_another_when_its_connection_is_closed() {
    let server = with(json!({})).await;
    let mut one = Lines::of(&server).await;
    publish(&server, "a").await;
    let first = one.event().await;
    drop(one);
    let mut other = Lines::of(&server).await;
    let again = other.event().await;
    assert_eq!(
        (&again["position"], &again["attempt"]),
        (&first["position"], &json!(2))
    );
    let stale = post(
        &server,
        "/s/ack",
        &json!({ "receipts": [first["receipt"]] }),
    )
    .await;
    assert_eq!(stale["refused"][0]["reason"], "stale");
    let through = post(&server, "/s/ack", &json!({ "through": [again["receipt"]] })).await;
    assert_eq!(through["settled"], 1);
}

#[tokio::test]
async fn a_member_is_told_what_leaves_it_and_it_goes_on_once_that_is_settled() {
    let server = with(json!({ "partitions": 2 })).await;
    let mut one = Lines::of(&server).await;
    let mut receipts = Vec::new();
    for subject in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        publish(&server, subject).await;
        receipts.push(one.event().await["receipt"].clone());
    }
    let mut other = Lines::of(&server).await;
    let leaves = |heartbeat: &Value| {
        heartbeat["partitions"]
            .as_array()
            .is_some_and(|held| held.iter().any(|held| held["leaving"] == true))
    };
    one.heartbeat(leaves).await;
    post(&server, "/s/ack", &json!({ "receipts": receipts })).await;
    other
        .heartbeat(|told| told["partitions"].as_array().map(Vec::len) == Some(1))
        .await;
}

#[tokio::test]
async fn a_member_too_many_is_told_when_to_come_again() {
    let server = with(json!({ "members_max": 1 })).await;
    let mut one = Lines::of(&server).await;
    one.heartbeat(|_| true).await;
    let path = format!("{STREAMS}/s/connect");
    let full = server
        .ask("GET", &path, &["accept: application/x-ndjson"], b"")
        .await;
    assert_eq!(full.problem(), (429, "stream-full".into()));
    assert_eq!(full.header("retry-after"), Some("10"));
    let source = server
        .ask("GET", &path, &["accept: text/event-stream"], b"")
        .await;
    assert_eq!(source.status, 200);
    assert!(
        source
            .text()
            .starts_with("retry: 10000\nevent: overloaded\n")
    );
}

#[tokio::test]
async fn a_stream_is_sent_elsewhere_while_it_has_members() {
    let server = with(json!({})).await;
    let mut one = Lines::of(&server).await;
    publish(&server, "a").await;
    let first = one.event().await;
    let sought = post(&server, "/s/seek", &json!({ "to": "start" })).await;
    assert_eq!(sought, json!({ "position": 0 }));
    let again = one.event().await;
    assert_eq!(again["position"], first["position"]);
    assert_ne!(again["receipt"], first["receipt"]);
}

#[tokio::test]
async fn dead_letters_are_listed_sent_once_more_and_forgotten() {
    let server = with(json!({ "max_deliveries": 1 })).await;
    let mut one = Lines::of(&server).await;
    for subject in ["a", "b"] {
        publish(&server, subject).await;
        let event = one.event().await;
        post(
            &server,
            "/s/nack",
            &json!({ "receipts": [event["receipt"]] }),
        )
        .await;
    }
    let letters = loop {
        let letters = ask(&server, "GET", "/s/dead-letters", "").await.json();
        if letters["dead_letters"]
            .as_array()
            .is_some_and(|letters| letters.len() == 2)
        {
            break letters;
        }
    };
    assert_eq!(letters["dead_letters"][0]["event"]["subject"], "a");
    assert_eq!(letters["dead_letters"][0]["deliveries"], 1);
    let redriven = post(
        &server,
        "/s/dead-letters/redrive",
        &json!({ "positions": [1] }),
    )
    .await;
    assert_eq!(redriven, json!({ "count": 1 }));
    let again = one.event().await;
    assert_eq!(
        (&again["subject"], &again["attempt"]),
        (&json!("a"), &json!(1))
    );
    let dropped = post(&server, "/s/dead-letters/drop", &json!({ "all": true })).await;
    assert_eq!(dropped, json!({ "count": 2 }));
}

#[tokio::test]
async fn nothing_is_acknowledged_of_a_stream_that_settles_what_was_sent() {
    let server = with(json!({ "mode": "delivered" })).await;
    let mut one = Lines::of(&server).await;
    publish(&server, "a").await;
    let event = one.event().await;
    assert!(event.get("receipt").is_none() && event.get("attempt").is_none());
    let refused = ask(&server, "POST", "/s/ack", r#"{"receipts":["1.2.3"]}"#).await;
    assert_eq!(refused.problem(), (409, "not-acknowledged".into()));
}

#[tokio::test]
async fn members_are_sent_away_in_order_when_the_server_stops() {
    let server = with(json!({})).await;
    let mut one = member(&server, "application/x-ndjson").await;
    one.text().await;
    server.stop();
    while let Some(chunk) = one.chunk().await {
        assert!(chunk.ends_with(b"\n"));
    }
    server.stopped().await;
}

#[tokio::test]
async fn joining_takes_the_right_to_streams_and_a_token_in_the_address_will_do() {
    let server = TestServer::guarded().await;
    let reader = server
        .credential("default", &[("default", "read", "")])
        .await;
    let member = server
        .credential("default", &[("default", "streams", "")])
        .await;
    let list = async |token: &str| {
        ask(&server, "GET", &format!("?token={token}"), "")
            .await
            .status
    };
    assert_eq!(list(&reader.secret.token()).await, 403);
    assert_eq!(list(&member.secret.token()).await, 200);
}
