//! What a device told.

use std::time::Duration;

use feedwire_testkit::TestServer;
use serde_json::{Value, json};

use super::{ask, emulate, get, refusal, tell, text};

/// The values of the temperatures of a page, and its token.
fn told(page: &Value) -> (Vec<i64>, String) {
    let events = page["events"].as_array().expect("events").iter();
    let values = events.map(|event| event["data"]["temperature"]["value"].as_i64());
    let values = values.map(Option::unwrap_or_default);
    (values.collect(), text(&page["nextPageToken"]))
}

#[tokio::test]
async fn a_history_is_told_newest_first_and_its_pages_stay_while_events_arrive() {
    let server = TestServer::start().await;
    let id = emulate(&server, "default", "temperature", "").await;
    let other = emulate(&server, "default", "temperature", "").await;
    let warm = async |value: i64| {
        tell(
            &server,
            &id,
            &format!(r#"{{"temperature":{{"value":{value}}}}}"#),
        )
        .await;
        tell(&server, &other, r#"{"temperature":{"value":99}}"#).await;
    };
    for value in 1..=5 {
        warm(value).await;
    }
    let path = format!("/projects/default/devices/{id}/events");
    let first = get(&server, &format!("{path}?pageSize=2")).await;
    assert_eq!(told(&first).0, [5, 4]);
    assert_eq!(
        first["events"][0]["targetName"],
        format!("projects/default/devices/{id}")
    );
    let mut token = told(&first).1;
    let mut rest = Vec::new();
    while !token.is_empty() {
        warm(6).await;
        let page = get(&server, &format!("{path}?page_size=2&pageToken={token}")).await;
        let (values, next) = told(&page);
        rest.extend(values);
        token = next;
    }
    assert_eq!(rest, [3, 2, 1]);
    for token in ["x", "-1", "999999"] {
        let answer = ask(&server, "GET", &format!("{path}?page_token={token}"), "").await;
        let (status, words) = refusal(&answer);
        assert!(status == 400 && words.contains("page"), "{token}: {words}");
    }
}

#[tokio::test]
async fn a_window_goes_by_the_time_of_events_and_is_the_last_day_where_nothing_is_said() {
    let server = TestServer::start().await;
    let id = emulate(&server, "default", "temperature", "").await;
    for (value, time) in [
        (1, "2026-11-20T07:59:59.999999Z"),
        (2, "2026-11-20T08:00:00Z"),
        (3, "2026-11-21T07:00:00Z"),
    ] {
        let event = format!(r#"{{"temperature":{{"value":{value},"updateTime":"{time}"}}}}"#);
        tell(&server, &id, &event).await;
    }
    let path = format!("/projects/default/devices/{id}/events");
    let values = async |query: &str| told(&get(&server, &format!("{path}{query}")).await).0;
    assert_eq!(values("").await, [3, 2]);
    assert_eq!(values("?startTime=2026-11-01T00:00:00Z").await, [3, 2, 1]);
    let window = "?start_time=2026-11-20T07:59:59.999999Z&endTime=2026-11-20T08:00:00Z";
    assert_eq!(values(window).await, [2, 1], "both ends are in it");
    assert_eq!(
        values("?startTime=2026-11-21T07:00:00.000001Z").await,
        [0; 0]
    );
    server.clock.advance(Duration::from_hours(1));
    assert_eq!(values("").await, [3]);
    let odd = ask(&server, "GET", &format!("{path}?startTime=yesterday"), "").await;
    assert_eq!(refusal(&odd).0, 400);
}

#[tokio::test]
async fn events_are_told_by_type_and_changes_of_labels_when_they_are_asked_for() {
    let server = TestServer::start().await;
    let id = emulate(&server, "default", "temperature", "").await;
    tell(&server, &id, r#"{"temperature":{"value":1}}"#).await;
    tell(&server, &id, r#"{"touch":{}}"#).await;
    let update =
        format!(r#"{{"devices":["projects/default/devices/{id}"],"addLabels":{{"a":"b"}}}}"#);
    super::post(&server, "/projects/default/devices:batchUpdate", &update).await;
    let path = format!("/projects/default/devices/{id}/events");
    let types = async |query: &str| {
        let page = get(&server, &format!("{path}{query}")).await;
        let events = page["events"].as_array().expect("events").iter();
        let types: Vec<String> = events.map(|event| text(&event["eventType"])).collect();
        types.join(" ")
    };
    assert_eq!(types("").await, "touch temperature");
    assert_eq!(types("?event_types=touch").await, "touch");
    assert_eq!(
        types("?eventTypes=temperature&eventTypes=labelsChanged").await,
        "labelsChanged temperature"
    );
    assert_eq!(types("?eventTypes=motion").await, "");
}

#[tokio::test]
async fn what_was_published_by_the_native_api_is_told_as_if_a_device_had() {
    let server = TestServer::start().await;
    let event = r#"{"id":"e1","type":"temperature","subject":"d","time":"2026-11-21T07:00:00Z","data":{"temperature":{"value":21.5}}}"#;
    assert_eq!(server.publish("devices", event).await.status, 200);
    let time = "2026-11-21T07:00:00.000000Z";
    let reading = json!({
        "value": 21.5,
        "updateTime": time,
        "samples": [{ "value": 21.5, "sampleTime": time }],
        "isBackfilled": false,
    });
    let page = get(&server, "/projects/-/devices/d/events").await;
    assert_eq!(
        page["events"],
        json!([{
            "eventId": "e1",
            "targetName": "projects/default/devices/d",
            "eventType": "temperature",
            "data": { "temperature": reading },
            "timestamp": time,
        }])
    );
    let device = get(&server, "/projects/default/devices/d").await;
    assert_eq!(
        device,
        json!({ "name": "projects/default/devices/d", "type": "temperature", "labels": {}, "reported": { "temperature": reading } })
    );
}
