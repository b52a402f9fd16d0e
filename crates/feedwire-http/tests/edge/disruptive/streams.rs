//! Live streams.

use std::time::Duration;

use feedwire_http::Limits;
use feedwire_testkit::{Socket, TestServer};
use serde_json::{Value, json};

use super::{emulate, found, label, refusal, tell, text};

const LINES: &str = "application/json";
const SSE: &str = "text/event-stream";

/// A stream whose head and first ping are read.
async fn stream(server: &TestServer, query: &str, accept: &str) -> Socket {
    let mut socket = server.connect().await;
    let path = format!("/disruptive/v2/projects/default/devices:stream?{query}");
    let accept_header = format!("accept: {accept}");
    socket
        .request(
            "GET",
            &path,
            &[&accept_header, "accept-encoding: gzip"],
            b"",
        )
        .await;
    let head = socket.head().await;
    assert_eq!(head.status, 200, "{head:?}");
    let media_type = if accept == SSE { SSE } else { LINES };
    for (name, value) in [
        ("content-type", Some(media_type)),
        ("transfer-encoding", Some("chunked")),
        ("connection", Some("close")),
        ("content-encoding", None),
    ] {
        assert_eq!(head.header(name), value, "{name}");
    }
    let [ping] = &next(&mut socket, media_type).await[..] else {
        panic!("the first chunk is a ping");
    };
    assert_eq!(ping["eventType"], "ping");
    assert_eq!(ping["data"], Value::Null);
    assert_eq!(ping["targetName"], "projects/default");
    socket
}

/// The events of the next chunk, which holds whole ones.
async fn next(socket: &mut Socket, media_type: &str) -> Vec<Value> {
    let chunk = socket.text().await;
    assert!(chunk.is_ascii());
    let parted = if media_type == SSE {
        chunk
            .strip_suffix("\n\n")
            .expect("whole events")
            .split("\n\n")
            .map(|event| event.strip_prefix("data: ").expect("nothing but data"))
            .collect::<Vec<_>>()
    } else {
        chunk
            .strip_suffix('\n')
            .expect("whole lines")
            .split('\n')
            .collect()
    };
    let events = parted.into_iter().map(|json| {
        let told: Value = serde_json::from_str(json).expect("JSON on one line");
        told["result"]["event"].clone()
    });
    events.collect()
}

/// The ids of the next `count` events; pings are passed over.
async fn next_ids(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let events = next(socket, LINES).await;
        let told = events.iter().filter(|event| event["eventType"] != "ping");
        ids.extend(told.map(|event| text(&event["eventId"])));
    }
    ids
}

#[tokio::test]
async fn a_stream_tells_what_comes_as_lines_or_as_server_sent_events() {
    let server = TestServer::start().await;
    let id = emulate(&server, "default", "touch", "").await;
    tell(&server, &id, r#"{"touch":{}}"#).await;
    for (accept, media_type) in [("*/*", LINES), (LINES, LINES), (SSE, SSE)] {
        let mut socket = stream(&server, "", accept).await;
        tell(
            &server,
            &id,
            r#"{"connectionStatus":{"connection":"ÅNGSTRÖM","available":[]}}"#,
        )
        .await;
        let [event] = &next(&mut socket, media_type).await[..] else {
            panic!("one event");
        };
        assert_eq!(
            event["targetName"],
            format!("projects/default/devices/{id}")
        );
        assert_eq!(event["eventType"], "connectionStatus");
        let time = "2026-11-21T08:00:00.000000Z";
        let data = json!({ "connectionStatus": { "connection": "ÅNGSTRÖM", "available": [], "updateTime": time } });
        assert_eq!(event["data"], data);
        assert_eq!(event["timestamp"], time);
        assert!(event["eventId"].is_string());
    }
}

#[tokio::test]
async fn filters_are_met_each_by_one_of_its_values_in_either_spelling() {
    let server = TestServer::start().await;
    for (subject, labels) in [
        ("a", r#"{"device-type":"touch","room":"7","floor":"1"}"#),
        ("b", r#"{"device-type":"temperature","room":"8"}"#),
        ("c", r#"{"device-type":"ccon","room":"","floor":"1"}"#),
    ] {
        label(&server, subject, labels).await;
    }
    let cases = [
        ("", "a1 a2 b1 b2 c1 c2 d1 d2"),
        ("device_ids=a&deviceIds=d", "a1 a2 d1 d2"),
        ("device_ids=a,b&event_types=touch", "a1 b1"),
        // What has no label is what its events tell.
        ("deviceTypes=ccon&device_types=touch", "a1 a2 c1 c2 d1"),
        ("eventTypes=touch,motion&event_types=x", "a1 b1 c1 d1"),
        ("label_filters=room", "a1 a2 b1 b2 c1 c2"),
        ("label_filters=room%3D7&labelFilters=room=8", "a1 a2 b1 b2"),
        ("label_filters=room%3D", "c1 c2"),
        (
            "labelFilters=floor%3D1&deviceTypes=touch&eventTypes=batteryStatus",
            "a2",
        ),
        (
            "organization=x&ping_interval=10s",
            "a1 a2 b1 b2 c1 c2 d1 d2",
        ),
    ];
    let mut sockets = Vec::new();
    for (query, _) in cases {
        sockets.push(stream(&server, query, LINES).await);
    }
    for subject in ["a", "b", "c", "d"] {
        let events = format!(
            r#"[{{"id":"{subject}1","type":"touch","subject":"{subject}"}},{{"id":"{subject}2","type":"batteryStatus","subject":"{subject}"}}]"#
        );
        server.publish("devices", &events).await;
        // What is in other feeds is of no device.
        server
            .publish("others", &events.replace("\"id\":\"", "\"id\":\"o"))
            .await;
    }
    for ((query, expected), socket) in cases.iter().zip(&mut sockets) {
        let count = expected.split(' ').count();
        assert_eq!(
            next_ids(socket, count).await.join(" "),
            *expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn labels_count_as_they_are_when_an_event_comes() {
    let server = TestServer::start().await;
    let id = emulate(&server, "default", "touch", "").await;
    let mut socket = stream(&server, "label_filters=room%3D7&event_types=touch", LINES).await;
    let update = async |change: &str| {
        let body = format!(r#"{{"devices":["projects/default/devices/{id}"],{change}}}"#);
        super::post(&server, "/projects/default/devices:batchUpdate", &body).await;
    };
    let touch = async |time: &str| {
        tell(
            &server,
            &id,
            &format!(r#"{{"touch":{{"updateTime":"{time}"}}}}"#),
        )
        .await;
    };
    touch("2026-11-21T08:00:01Z").await;
    update(r#""addLabels":{"room":"7"}"#).await;
    touch("2026-11-21T08:00:02Z").await;
    let [event] = &next(&mut socket, LINES).await[..] else {
        panic!("one event");
    };
    assert_eq!(event["timestamp"], "2026-11-21T08:00:02.000000Z");
}

#[tokio::test]
async fn pings_keep_their_schedule_while_events_come() {
    let server = TestServer::start().await;
    let id = emulate(&server, "default", "touch", "").await;
    // Less than there may be, and events that its filter keeps back.
    let mut socket = stream(&server, "pingInterval=0.1s&event_types=none", LINES).await;
    let mut busy = stream(&server, "ping_interval=1s", LINES).await;
    let mut types = Vec::new();
    while types.iter().filter(|ty| *ty == "ping").count() < 2 {
        tell(&server, &id, r#"{"touch":{}}"#).await;
        let events = next(&mut busy, LINES).await;
        types.extend(events.iter().map(|event| text(&event["eventType"])));
    }
    assert!(types.contains(&"touch".to_owned()));
    let idle = next(&mut socket, LINES).await;
    assert_eq!(idle[0]["eventType"], "ping");
}

#[tokio::test]
async fn a_stream_ends_in_good_order_when_its_time_is_over_and_when_the_server_stops() {
    let limits = Limits {
        disruptive_lifetime: Some(Duration::from_millis(100)),
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    for accept in [LINES, SSE] {
        let mut socket = stream(&server, "", accept).await;
        assert_eq!(socket.chunk().await, None, "a last chunk");
        assert_eq!(socket.rest().await, b"", "and the end of the connection");
    }
    let server = TestServer::start().await;
    let mut socket = stream(&server, "", LINES).await;
    server.stop();
    assert_eq!(socket.chunk().await, None);
    assert_eq!(socket.rest().await, b"");
}

/// A reader that had fallen behind was told a good end, and missed what it had not been sent.
#[tokio::test]
async fn a_reader_that_is_behind_when_its_time_is_over_is_told_all_or_that_it_was_not() {
    for grace in [Duration::ZERO, Duration::from_mins(1)] {
        let limits = Limits {
            disruptive_lifetime: Some(Duration::from_millis(100)),
            end_grace: grace,
            ..Limits::default()
        };
        let server = TestServer::with(limits).await;
        let mut socket = stream(&server, "", LINES).await;
        // More than a connection holds whose other end takes nothing.
        let event = format!(
            r#"{{"type":"touch","subject":"a","data":{{"x":"{}"}}}}"#,
            "x".repeat(100_000)
        );
        let batch = format!("[{}]", vec![event; 20].join(","));
        for _ in 0..10 {
            server.publish("devices", &batch).await;
        }
        let mut lines = Vec::new();
        while let Some(chunk) = socket.chunk().await {
            lines.extend(chunk);
        }
        let text = String::from_utf8(lines).expect("ASCII");
        let told = text.matches("\"eventType\":\"touch\"").count();
        let is_late = text
            .trim_end()
            .rsplit('\n')
            .next()
            .is_some_and(|last| last.contains("too slow"));
        // Whoever has all there was has whole batches.
        assert!(is_late || told.is_multiple_of(20), "{told}");
        assert!(grace.is_zero() || !is_late, "{told}");
    }
}

#[tokio::test]
async fn whoever_asks_for_lines_is_refused_in_a_line_that_its_client_survives() {
    let server = TestServer::start().await;
    let get = async |path: &str, accept: &str| {
        let path = format!("/disruptive/v2{path}");
        let accept = format!("accept: {accept}");
        server.ask("GET", &path, &[&accept], b"").await
    };
    for (path, status) in [
        ("/projects/none/devices:stream", 404),
        ("/projects/none/devices%3Astream", 404),
        ("/projects/default/devices:stream?ping_interval=soon", 400),
        (
            "/projects/default/devices:stream?label_filters=device-type",
            400,
        ),
    ] {
        let answer = get(path, "*/*").await;
        assert_eq!(answer.status, status, "{path}");
        let text = answer.text();
        let line = text.strip_suffix('\n').expect("a line with its end");
        assert!(!line.contains('\n'));
        let error = &answer.json()["error"];
        assert_eq!(
            (&error["code"], &error["httpCode"]),
            (&json!(status), &json!(status))
        );
        assert!(error["message"].is_string() && error["details"].is_array());
        let answer = get(path, SSE).await;
        assert_eq!(refusal(&answer).0, status, "{path}");
    }
}

#[tokio::test]
async fn a_stream_of_every_project_tells_what_comes_in_each() {
    let server = TestServer::start().await;
    for name in ["one", "two"] {
        found(&server, name).await;
    }
    let mut socket = server.connect().await;
    let path = "/disruptive/v2/projects/-/devices:stream?event_types=touch";
    socket.request("GET", path, &[], b"").await;
    assert_eq!(socket.head().await.status, 200);
    let mut told = Vec::new();
    let publish = async |project: &str, id: String| {
        let path = format!("/v1/projects/{project}/feeds/devices/events");
        let event = format!(r#"{{"id":"{id}","type":"touch","subject":"d"}}"#);
        let json = ["content-type: application/json"];
        let sent = server.ask("POST", &path, &json, event.as_bytes()).await;
        assert_eq!(sent.status, 200, "{}", sent.text());
    };
    let projects = ["default", "one", "two"];
    let publishing = async {
        for round in 0..20 {
            for project in projects {
                publish(project, format!("{project}-{round}")).await;
            }
        }
    };
    let reading = async {
        while told.len() < 60 {
            let events = next(&mut socket, LINES).await;
            told.extend(
                events
                    .into_iter()
                    .filter(|event| event["eventType"] != "ping"),
            );
        }
    };
    tokio::join!(publishing, reading);
    for project in projects {
        let name = format!("projects/{project}/devices/d");
        let own = told.iter().filter(|event| event["targetName"] == name);
        let own: Vec<String> = own.map(|event| text(&event["eventId"])).collect();
        let all = (0..20).map(|round| format!("{project}-{round}"));
        assert_eq!(own, all.collect::<Vec<_>>());
    }
    // It goes on when one of them is deleted.
    let path = "/v1/projects/one";
    let asked = server.ask("DELETE", path, &[], b"").await.json();
    let path = format!("{path}?delete_token={}", text(&asked["delete_token"]));
    let gone = server.ask("DELETE", &path, &[], b"").await;
    assert_eq!(gone.status, 204, "{}", gone.text());
    publish("two", "last".to_owned()).await;
    while !next(&mut socket, LINES)
        .await
        .iter()
        .any(|event| event["eventId"] == "last")
    {}
    server.stop();
    while let Some(chunk) = socket.chunk().await {
        assert!(String::from_utf8_lossy(&chunk).contains("ping"));
    }
}
