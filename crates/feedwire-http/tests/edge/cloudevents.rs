//! CloudEvents' HTTP binding: events in binary, structured and batched mode.

use feedwire_testkit::{Answer, TestServer};
use insta::assert_snapshot;
use serde_json::Value;

const EVENTS: &str = "/v1/projects/default/feeds/f/events";
const TYPE: &str = "ce-type: t";

async fn post(server: &TestServer, headers: &[&str], body: &[u8]) -> Answer {
    server.ask("POST", EVENTS, headers, body).await
}

/// The one event of the feed.
async fn stored(server: &TestServer) -> Value {
    let page = server.get("feeds/f").await.json();
    assert_eq!(page["events"].as_array().map(Vec::len), Some(1), "{page}");
    page["events"][0].clone()
}

#[tokio::test]
async fn an_event_in_binary_mode_is_told_as_it_was_sent() {
    let server = TestServer::start().await;
    let headers = [
        "CE-SpecVersion: 1.0",
        "ce-id: a-1",
        "ce-source: /planes",
        "ce-type: flight.departed",
        "ce-subject: N14228%20%E2%82%AC",
        "ce-time: 2013-01-01T12:00:00%2B02:00",
        "ce-traceid: \"4 f\"",
        "content-type: application/json; charset=utf-8",
    ];
    let answer = post(&server, &headers, b"{\"dest\" : \"IAH\"}\n").await;
    assert_snapshot!(answer.text(), @r#"{"first":1,"last":1,"count":1,"recorded_at":"2026-11-21T08:00:00Z","version":1}"#);
    assert_snapshot!(stored(&server).await.to_string(), @r#"{"data":{"dest":"IAH"},"datacontenttype":"application/json; charset=utf-8","feed":"f","id":"a-1","position":1,"recordedat":"2026-11-21T08:00:00Z","source":"/planes","specversion":"1.0","subject":"N14228 €","time":"2013-01-01T10:00:00Z","traceid":"4 f","type":"flight.departed","version":1}"#);
}

#[tokio::test]
async fn an_expectation_holds_for_an_event_in_binary_mode_too() {
    let server = TestServer::start().await;
    let path = format!("{EVENTS}?expect=none");
    let headers = [TYPE, "ce-subject: a"];
    let once = server.ask("POST", &path, &headers, b"").await;
    assert_eq!(once.status, 200);
    let twice = server.ask("POST", &path, &headers, b"").await;
    assert_eq!(twice.problem(), (409, "conflict".into()));
}

#[tokio::test]
async fn any_bytes_are_data_up_to_their_limit() {
    let server = TestServer::start().await;
    let headers = [TYPE, "content-type: image/png"];
    assert_eq!(post(&server, &headers, b"\x89PNG\r\n\0").await.status, 200);
    let event = stored(&server).await;
    assert_eq!(event["data_base64"], "iVBORw0KAA==");
    assert_eq!(event["datacontenttype"], "image/png");
    for len in [400 * 1024, 600 * 1024, 10 << 20] {
        let large = post(&server, &headers, &vec![0; len]).await;
        assert_eq!(large.problem(), (413, "event-too-large".into()), "{len}");
    }
    assert_eq!(server.get("feeds/f").await.json()["head"], 1);
}

#[tokio::test]
async fn a_body_that_is_an_event_wins_over_headers_that_are_one() {
    let server = TestServer::start().await;
    let headers = [
        "ce-specversion: 0.3",
        "ce-type: other",
        "ce-subject: %zz",
        "ce-id: a",
        "ce-id: b",
        "content-type: application/cloudevents+json",
    ];
    let answer = post(&server, &headers, br#"{"type":"t","id":"c"}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let event = stored(&server).await;
    assert_eq!((&event["type"], &event["id"]), (&"t".into(), &"c".into()));
}

#[tokio::test]
async fn headers_that_are_no_event_are_told_by_attribute_and_nothing_is_published() {
    let server = TestServer::start().await;
    let json = "content-type: application/json";
    let many: Vec<String> = (0..65).map(|at| format!("ce-a{at}: x")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (headers, attribute) in [
        (&["ce-id: 1", json][..], "type"),
        (&["ce-source: /a", json], "type"),
        (&["ce-specversion: 1.0", json], "type"),
        (&[TYPE, "ce-specversion: 2.0", json], "specversion"),
        (&[TYPE, "Ce-Type: t", json], "type"),
        (&[TYPE, "ce-subject: a", "CE-SUBJECT: a", json], "subject"),
        (&[TYPE, "ce-subject: 100%", json], "subject"),
        (&[TYPE, "ce-subject: %C0%A0", json], "subject"),
        (&[TYPE, "ce-subject: a%0d%0aset-cookie:x", json], "subject"),
        (&[TYPE, "ce-subject: \u{e9}", json], "subject"),
        (&[TYPE, "ce-subject: \"a", json], "subject"),
        (&["ce-type: a b", json], "type"),
        (&[TYPE, "ce-time: now", json], "time"),
        (
            &[TYPE, "ce-datacontenttype: text/plain", json],
            "datacontenttype",
        ),
        (&[TYPE, "content-type: nonsense"], "datacontenttype"),
        (&[TYPE, "ce-trace_id: 1", json], "trace_id"),
        (&[TYPE, "ce-recordedat: 1", json], "recordedat"),
        (&[TYPE, "ce-entity: true", json], "entity"),
        (&[&[TYPE, json], many.as_slice()].concat(), "a64"),
    ] {
        let answer = post(&server, headers, b"{}").await;
        let kind = (400, "invalid-event".to_owned());
        assert_eq!(answer.problem(), kind, "{headers:?}");
        assert_eq!(answer.json()["attribute"], attribute, "{headers:?}");
    }
    let broken = post(&server, &[TYPE, json], b"{\"a\":\n}").await;
    assert_eq!(broken.problem(), (400, "invalid-json".into()));
    assert_eq!(broken.json()["line"], 2);
    let packed = [TYPE, "content-type: text/plain", "content-encoding: gzip"];
    let packed = post(&server, &packed, b"\x1f\x8b").await;
    assert_eq!(packed.problem(), (415, "unsupported-media-type".into()));
    assert_eq!(server.get("feeds/f").await.json()["head"], 0);
}

#[tokio::test]
async fn a_media_type_of_cloudevents_says_whether_there_is_one_event_or_an_array() {
    let server = TestServer::start().await;
    let (one, array) = (r#"{"type":"t"}"#, r#"[{"type":"t"}]"#);
    let event = "application/cloudevents+json";
    let batch = "application/cloudevents-batch+json; charset=UTF-8";
    let avro = "application/cloudevents+avro";
    let invalid = Some("invalid-json");
    let unsupported = Some("unsupported-media-type");
    for (content_type, body, problem) in [
        (event, one, None),
        (event, array, invalid),
        (batch, array, None),
        (batch, one, invalid),
        ("application/json", one, None),
        ("application/json", array, None),
        (avro, one, unsupported),
        ("application/cloudevents", one, unsupported),
        ("application/cloudevents-batch+avro", array, unsupported),
        (
            "application/cloudevents+json; charset=utf-16",
            one,
            unsupported,
        ),
        ("application/json; charset=iso-8859-1", one, unsupported),
    ] {
        let content_type = format!("content-type: {content_type}");
        // What a body says that it is, headers do not change.
        let headers = [content_type.as_str(), "x-ce-type: t"];
        let answer = post(&server, &headers, body.as_bytes()).await;
        let found = (answer.status != 200).then(|| answer.problem().1);
        assert_eq!(found.as_deref(), problem, "{content_type} {body}");
    }
    let other = ["content-type: application/cloudevents+avro", TYPE];
    let answer = post(&server, &other, b"Obj\x01").await;
    assert_eq!(answer.problem(), (415, "unsupported-media-type".into()));
}

#[tokio::test]
async fn an_empty_batch_is_taken_where_cloudevents_has_it() {
    let server = TestServer::start().await;
    let batch = ["content-type: application/cloudevents-batch+json"];
    let answer = post(&server, &batch, b" [ ] ").await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let json = post(&server, &["content-type: application/json"], b"[]").await;
    assert_eq!(json.problem(), (400, "invalid-event".into()));
    let path = format!("{EVENTS}?expect=none");
    let expecting = server.ask("POST", &path, &batch, b"[]").await;
    assert_eq!(expecting.problem(), (400, "invalid-parameter".into()));
    assert_eq!(server.get("feeds/f").await.json()["head"], 0);
}

#[tokio::test]
async fn an_event_that_comes_again_is_known_in_whichever_mode() {
    let server = TestServer::start().await;
    let json = "content-type: application/json";
    let headers = ["ce-id: a", "ce-source: /a", TYPE, json];
    assert_eq!(
        post(&server, &headers, b"{\"b\":1}").await.json()["last"],
        1
    );
    let again = post(&server, &headers, b"{ \"b\": 1 }").await;
    assert_eq!(again.json()["last"], 1, "{}", again.text());
    assert_eq!(again.json()["duplicate"], true);
    let structured = ["content-type: application/cloudevents+json"];
    let body = br#"{"id":"a","source":"/a","type":"t","datacontenttype":"application/json","data":{"b":1}}"#;
    let again = post(&server, &structured, body).await;
    assert_eq!(again.json()["duplicate"], true, "{}", again.text());
    assert_eq!(stored(&server).await["position"], 1);
}
