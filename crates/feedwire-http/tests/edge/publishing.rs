//! Publishing: one event, batches, expectations, and bodies of lines that are longer than a batch.

use feedwire_engine::memory::Options;
use feedwire_testkit::{Answer, TestServer};
use insta::assert_snapshot;

use crate::events;

async fn post(
    server: &TestServer,
    query: &str,
    content_type: &str,
    body: impl AsRef<[u8]>,
) -> Answer {
    let path = format!("/v1/projects/default/feeds/flights/events{query}");
    server
        .ask(
            "POST",
            &path,
            &[&format!("content-type: {content_type}")],
            body.as_ref(),
        )
        .await
}

#[tokio::test]
async fn an_event_and_a_batch_are_answered_with_their_positions() {
    let server = TestServer::start().await;
    let one = post(
        &server,
        "",
        "application/json",
        r#"{"type":"tick","subject":"N1","data":{"n":1}}"#,
    )
    .await;
    assert_snapshot!(one.text(), @r#"{"first":1,"last":1,"count":1,"recorded_at":"2026-11-21T08:00:00Z","version":1}"#);
    let batch = post(
        &server,
        "",
        "application/cloudevents-batch+json",
        events(2, "N1"),
    )
    .await;
    assert_snapshot!(batch.text(), @r#"{"first":2,"last":3,"count":2,"recorded_at":"2026-11-21T08:00:00Z","version":2}"#);
    let mixed = r#"[{"type":"tick","subject":"N1"},{"type":"tock"}]"#;
    assert_snapshot!(post(&server, "", "application/json; charset=utf-8", mixed).await.text(), @r#"{"first":4,"last":5,"count":2,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    assert_snapshot!(server.get("feeds/flights?limit=1").await.text(), @r#"{"events":[{"specversion":"1.0","id":"id-1","source":"/v1/projects/default/feeds/flights","type":"tick","subject":"N1","time":"2026-11-21T08:00:00Z","feed":"flights","position":1,"recordedat":"2026-11-21T08:00:00Z","version":1,"data":{"n":1}}],"cursor":"1","has_more":true,"head":5}"#);
}

#[tokio::test]
async fn an_expectation_that_does_not_hold_is_a_conflict_that_says_where_the_subject_is() {
    let server = TestServer::start().await;
    let expect = async |expected: &str| {
        let query = format!("?expect={expected}");
        post(&server, &query, "application/json", events(2, "N1")).await
    };
    assert_eq!(expect("none").await.status, 200);
    assert_eq!(expect("version:1").await.status, 200);
    assert_eq!(expect("position:4").await.status, 200);
    let conflict = expect("version:1").await;
    assert_eq!(conflict.problem(), (409, "conflict".into()));
    assert_snapshot!(conflict.text(), @r#"{"type":"urn:feedwire:problem:conflict","title":"Not where it was expected","status":409,"detail":"subject \"N1\" of feed flights is not where it was expected: it is at version 3, its last event at position 6","position":6,"subject":"N1","version":3}"#);
    let many = r#"[{"type":"t","subject":"a"},{"type":"t","subject":"b"}]"#;
    let many = post(&server, "?expect=none", "application/json", many).await;
    assert_eq!(many.problem(), (400, "invalid-parameter".into()));
}

#[tokio::test]
async fn lines_are_published_in_batches_of_a_thousand() {
    let server = TestServer::start().await;
    let line = "{\"type\":\"tick\"}\r\n\n";
    let sent = post(&server, "", "application/x-ndjson", line.repeat(2_001)).await;
    assert_snapshot!(sent.text(), @r#"{"first":1,"last":2001,"count":2001,"batches":3,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    let only = post(
        &server,
        "?expect=none",
        "application/jsonl",
        "{\"type\":\"t\",\"subject\":\"new\"}",
    )
    .await;
    assert_snapshot!(only.text(), @r#"{"first":2002,"last":2002,"count":1,"batches":1,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    let many = "{\"type\":\"t\",\"subject\":\"newer\"}\n".repeat(1_001);
    let many = post(&server, "?expect=none", "application/x-ndjson", many).await;
    assert_eq!(many.problem(), (400, "invalid-parameter".into()));
    assert_eq!(many.json()["appended"], 0);
}

#[tokio::test]
async fn lines_that_are_large_make_smaller_batches() {
    let server = TestServer::start().await;
    let line = format!(
        "{{\"type\":\"tick\",\"data\":\"{}\"}}\n",
        "x".repeat(500 * 1024)
    );
    let sent = post(&server, "", "application/x-ndjson", line.repeat(40)).await;
    assert_eq!(
        (
            sent.json()["count"].as_u64(),
            sent.json()["batches"].as_u64()
        ),
        (Some(40), Some(3))
    );
}

#[tokio::test]
async fn a_bad_line_says_which_it_is_and_how_far_the_body_came() {
    let server = TestServer::start().await;
    let good = "{\"type\":\"tick\"}\n";
    let check = async |bad: &[u8]| {
        let body = [good.repeat(1_005).as_bytes(), bad, b"\n", good.as_bytes()].concat();
        let answer = post(&server, "", "application/x-ndjson", body).await;
        answer.problem();
        assert_eq!(
            answer.header("connection"),
            Some("close"),
            "the rest of the body was not read"
        );
        answer.text()
    };
    assert_snapshot!(check(b"{\"type\":\"tick\",}").await, @r#"{"type":"urn:feedwire:problem:invalid-json","title":"Not JSON as it is asked for","status":400,"detail":"line 1006 column 16: trailing comma","appended":1000,"column":16,"last":1000,"line":1006}"#);
    assert_snapshot!(check(b"{\"type\":7}").await, @r#"{"type":"urn:feedwire:problem:invalid-event","title":"Not an event","status":400,"detail":"line 1006: type: it has to be a string","appended":1000,"attribute":"type","last":2000,"line":1006}"#);
    assert_snapshot!(check(b"{\"type\":\"\xff\"}").await, @r#"{"type":"urn:feedwire:problem:invalid-json","title":"Not JSON as it is asked for","status":400,"detail":"line 1006 column 10: this is not UTF-8","appended":1000,"column":10,"last":3000,"line":1006}"#);
    assert_snapshot!(check("x".repeat(600 * 1024).as_bytes()).await, @r#"{"type":"urn:feedwire:problem:event-too-large","title":"An event is too large","status":413,"detail":"line 1006 has more than 589824 bytes","appended":1000,"last":4000,"line":1006}"#);
    let empty = post(&server, "", "application/x-ndjson", "\n \r\n").await;
    assert_eq!(empty.problem(), (400, "invalid-event".into()));
}

#[tokio::test]
async fn lines_are_on_disk_before_the_body_has_ended() {
    let server = TestServer::start().await;
    let mut socket = server.connect().await;
    let path = "/v1/projects/default/feeds/flights/events";
    let headers = [
        "content-type: application/x-ndjson",
        "transfer-encoding: chunked",
    ];
    socket.request("POST", path, &headers, b"").await;
    let piece = "{\"type\":\"tick\"}\n".repeat(1_000);
    socket
        .send(format!("{:x}\r\n{piece}\r\n", piece.len()))
        .await;
    let page = server.get("feeds/flights?wait=9s").await;
    assert_eq!(page.json()["head"], 1_000);
    socket.send("0\r\n\r\n").await;
    assert_eq!(socket.answer("POST").await.json()["count"], 1_000);
}

#[tokio::test]
async fn lines_before_a_pause_of_the_body_are_published_without_waiting_for_more() {
    let server = TestServer::start().await;
    let start = async |query: &str| {
        let mut socket = server.connect().await;
        let path = format!("/v1/projects/default/feeds/flights/events{query}");
        let headers = [
            "content-type: application/x-ndjson",
            "transfer-encoding: chunked",
        ];
        socket.request("POST", &path, &headers, b"").await;
        socket
    };
    let piece = |subject: &str| {
        let piece =
            format!("{{\"type\":\"tick\",\"subject\":\"{subject}\"}}\n{{\"type\":\"tick\",");
        format!("{:x}\r\n{piece}\r\n", piece.len())
    };
    let last = "e\r\n\"subject\":\"b\"}\r\n0\r\n\r\n";
    let mut expecting = start("?expect=none").await;
    expecting.send(piece("b")).await;
    let mut slow = start("").await;
    slow.send(piece("a")).await;
    let page = server.get("feeds/flights?wait=9s").await;
    assert_eq!(page.positions(), [1]);
    slow.send(last.replace("\"b\"", "\"a\"")).await;
    let answer = slow.answer("POST").await;
    assert_eq!(
        (&answer.json()["count"], &answer.json()["batches"]),
        (&2.into(), &2.into())
    );
    // What is expected is expected of one batch, which a pause does not part.
    expecting.send(last).await;
    let answer = expecting.answer("POST").await;
    assert_eq!(
        (&answer.json()["count"], &answer.json()["batches"]),
        (&2.into(), &1.into())
    );
}

#[tokio::test]
async fn a_body_of_an_unknown_or_missing_type_is_told_what_is_taken() {
    let server = TestServer::start().await;
    let wrong = post(&server, "", "text/plain", "{}").await;
    assert_eq!(wrong.problem(), (415, "unsupported-media-type".into()));
    assert!(
        wrong.text().contains("application/x-ndjson"),
        "{}",
        wrong.text()
    );
    let headers = ["content-type: application/json", "content-encoding: gzip"];
    let packed = server
        .ask(
            "POST",
            "/v1/projects/default/feeds/f/events",
            &headers,
            b"\x1f\x8b",
        )
        .await;
    assert_eq!(packed.problem(), (415, "unsupported-media-type".into()));
    let none = server
        .ask("POST", "/v1/projects/default/feeds/f/events", &[], b"{}")
        .await;
    assert_eq!(none.problem(), (415, "unsupported-media-type".into()));
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_was_published_stays() {
    let options = Options {
        log_bytes_max: Some(10_000),
    };
    let server = TestServer::over(options).await;
    server.publish("f", &events(3, "a")).await;
    let large = format!(r#"{{"type":"t","data":"{}"}}"#, "x".repeat(20_000));
    let full = post(&server, "", "application/json", large).await;
    assert_eq!(full.problem(), (507, "no-space".into()));
    server.publish("f", &events(1, "a")).await;
    assert_eq!(server.get("feeds/f").await.positions().len(), 4);
}
