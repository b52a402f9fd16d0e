//! Emulated devices.

use feedwire_testkit::TestServer;
use serde_json::json;

use super::{ask, emulate, get, post, refusal, tell, text};

#[tokio::test]
async fn a_device_is_there_once_it_is_made_and_tells_what_it_is_made_to_tell() {
    let server = TestServer::start().await;
    let made = post(
        &server,
        "/projects/default/devices",
        r#"{"type":"temperature","labels":{"name":"Küche"}}"#,
    )
    .await;
    let name = text(&made["name"]);
    let id = name.rsplit('/').next().expect("an id");
    assert!(id.starts_with("emu") && id.len() == 23, "{id}");
    let expected = json!({
        "name": name,
        "type": "temperature",
        "labels": { "name": "Küche", "virtual-sensor": "" },
        "reported": {},
    });
    assert_eq!(made, expected);
    assert_eq!(get(&server, &format!("/{name}")).await, expected);
    tell(&server, id, r#"{"temperature":{"value":21.5}}"#).await;
    tell(&server, id, r#"{"battery_status":{"percentage":7}}"#).await;
    tell(&server, id, r#"{"temperature":{"value":-3}}"#).await;
    let time = "2026-11-21T08:00:00.000000Z";
    assert_eq!(
        get(&server, &format!("/{name}")).await["reported"],
        json!({
            "batteryStatus": { "percentage": 7, "updateTime": time },
            "temperature": {
                "value": -3,
                "samples": [{ "value": -3, "sampleTime": time }],
                "isBackfilled": false,
                "updateTime": time,
            },
        })
    );
}

#[tokio::test]
async fn a_device_that_is_deleted_is_gone_with_all_it_told() {
    let server = TestServer::start().await;
    let id = emulate(&server, "default", "touch", "").await;
    tell(&server, &id, r#"{"touch":{}}"#).await;
    let path = format!("/projects/default/devices/{id}");
    let deleted = ask(&server, "DELETE", &path, "").await;
    assert_eq!((deleted.status, deleted.json()), (200, json!({})));
    let unknown = (404, format!("there is no device {id}"));
    for (method, rest) in [
        ("GET", ""),
        ("GET", "/events"),
        ("DELETE", ""),
        ("POST", ":publish"),
    ] {
        let answer = ask(&server, method, &format!("{path}{rest}"), r#"{"touch":{}}"#).await;
        assert_eq!(refusal(&answer), unknown, "{method} {rest}");
    }
    let feed = server.get("feeds/devices?from=start").await;
    assert_eq!(feed.positions(), Vec::<u64>::new());
    let labels = server.get(&format!("subjects/{id}/labels")).await;
    assert_eq!(labels.json(), json!({ "labels": {} }));
    let audit = server
        .ask(
            "GET",
            "/v1/projects/_system/feeds/_audit?from=start",
            &[],
            b"",
        )
        .await;
    assert!(audit.text().contains("subject.erase"), "{}", audit.text());
}

#[tokio::test]
async fn what_is_no_emulated_device_is_neither_deleted_nor_made_to_tell() {
    let server = TestServer::start().await;
    let event = r#"{"type":"touch","subject":"real"}"#;
    assert_eq!(server.publish("devices", event).await.status, 200);
    let refused = (400, "device real is no emulated one".to_owned());
    let delete = ask(&server, "DELETE", "/projects/default/devices/real", "").await;
    assert_eq!(refusal(&delete), refused);
    let path = "/projects/default/devices/real:publish";
    let publish = ask(&server, "POST", path, r#"{"touch":{}}"#).await;
    assert_eq!(refusal(&publish), refused);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_and_makes_nothing() {
    let server = TestServer::start().await;
    let path = "/projects/default/devices";
    for body in ["", "{", "[]", r#"{"type":"lamp"}"#, r#"{"labels":{}}"#] {
        let answer = ask(&server, "POST", path, body).await;
        assert_eq!(refusal(&answer).0, 400, "{body}");
    }
    let id = emulate(&server, "default", "touch", "").await;
    let publish = format!("{path}/{id}:publish");
    for body in [
        "",
        "null",
        "{}",
        r#"{"touch":7}"#,
        r#"{"touch":{},"motion":{"state":"x"}}"#,
    ] {
        let answer = ask(&server, "POST", &publish, body).await;
        assert_eq!(refusal(&answer).0, 400, "{body}");
    }
    let all = get(&server, path).await;
    assert_eq!(super::ids(&all), [id.as_str()]);
    assert_eq!(all["devices"][0]["reported"], json!({}));
}

#[tokio::test]
async fn a_colon_is_a_colon_however_it_is_written() {
    let server = TestServer::start().await;
    let id = emulate(&server, "default", "touch", "").await;
    for colon in [":", "%3A", "%3a"] {
        let path = format!("/projects/default/devices/{id}{colon}publish");
        post(&server, &path, r#"{"touch":{}}"#).await;
        let path = format!("/projects/default/devices{colon}batchUpdate");
        post(
            &server,
            &path,
            r#"{"devices":["projects/-/devices/x"],"removeLabels":["a"]}"#,
        )
        .await;
        let path = format!("/projects/default/devices{colon}stream");
        let wrong = ask(&server, "DELETE", &path, "").await;
        assert_eq!(
            (wrong.status, wrong.header("allow")),
            (405, Some("GET,HEAD"))
        );
    }
    // A device may have one in its id.
    let event = r#"{"type":"touch","subject":"urn:dev:7"}"#;
    server.publish("devices", event).await;
    for name in ["urn:dev:7", "urn%3Adev%3a7"] {
        let device = get(&server, &format!("/projects/default/devices/{name}")).await;
        assert_eq!(device["name"], "projects/default/devices/urn:dev:7");
    }
}

#[tokio::test]
async fn a_web_page_cannot_have_written_what_its_browser_would_not_ask_for() {
    let server = TestServer::start().await;
    let body = br#"{"type":"touch"}"#;
    let sent = async |headers: &[&str]| {
        let path = "/disruptive/v2/projects/default/devices";
        server.ask("POST", path, headers, body).await.status
    };
    let page = "origin: https://evil.example";
    assert_eq!(sent(&[page, "content-type: text/plain"]).await, 415);
    assert_eq!(sent(&[page]).await, 415);
    assert_eq!(sent(&[page, "content-type: application/json"]).await, 200);
    assert_eq!(sent(&["content-type: text/plain"]).await, 200);
}

/// What was told while a device was deleted came to stand behind its end: it was there again, and no emulated one.
#[tokio::test]
async fn nothing_is_left_of_a_device_that_is_deleted_while_it_tells_something() {
    let server = TestServer::start().await;
    for _ in 0..20 {
        let id = emulate(&server, "default", "touch", "").await;
        let path = format!("/projects/default/devices/{id}");
        let publish = format!("{path}:publish");
        let labels = format!(
            r#"{{"devices":["{}"],"addLabels":{{"a":"b"}}}}"#,
            &path[1..]
        );
        let update = "/projects/default/devices:batchUpdate";
        let tell = || ask(&server, "POST", &publish, r#"{"touch":{}}"#);
        let label = || ask(&server, "POST", update, &labels);
        let delete = ask(&server, "DELETE", &path, "");
        let (.., deleted) = tokio::join!(tell(), tell(), label(), tell(), label(), tell(), delete);
        assert_eq!(deleted.status, 200, "{}", deleted.text());
        let left = get(&server, "/projects/default/devices").await;
        assert_eq!(super::ids(&left), [""; 0]);
    }
}
