//! Labels of devices.

use feedwire_testkit::TestServer;
use serde_json::{Value, json};

use super::{ask, emulate, found, get, post, refusal, text};

async fn update(server: &TestServer, project: &str, body: &str) -> Value {
    post(
        server,
        &format!("/projects/{project}/devices:batchUpdate"),
        body,
    )
    .await
}

/// What is told of changes of labels, in order.
async fn changes(server: &TestServer) -> Vec<Value> {
    let page = server
        .get("feeds/devices?from=start&types=labelsChanged")
        .await;
    let page = page.json();
    let events = page["events"].as_array().expect("events").iter();
    events.map(|event| event["data"].clone()).collect()
}

#[tokio::test]
async fn labels_are_changed_for_many_devices_and_each_change_is_told() {
    let server = TestServer::start().await;
    let one = emulate(&server, "default", "touch", r#""name":"old","floor":"1""#).await;
    let two = emulate(&server, "default", "touch", "").await;
    let body = format!(
        r#"{{"devices":["projects/default/devices/{one}","projects/-/devices/{two}","projects/default/devices/none","projects/other/devices/{one}"],
           "addLabels":{{"name":"new","room":"7"}},"removeLabels":["floor"]}}"#
    );
    let answer = update(&server, "default", &body).await;
    let errors = answer["batchErrors"].as_array().expect("errors").iter();
    let errors: Vec<(String, String)> = errors
        .map(|error| (text(&error["device"]), text(&error["status"]["code"])))
        .collect();
    let expected = [
        (
            "projects/default/devices/none".to_owned(),
            "NOT_FOUND".to_owned(),
        ),
        (
            format!("projects/other/devices/{one}"),
            "NOT_FOUND".to_owned(),
        ),
    ];
    assert_eq!(errors, expected);
    let labels = |more: Value| {
        let mut labels = json!({ "virtual-sensor": "", "name": "new", "room": "7" });
        labels
            .as_object_mut()
            .expect("labels")
            .extend(more.as_object().expect("labels").clone());
        labels
    };
    for id in [&one, &two] {
        let device = get(&server, &format!("/projects/default/devices/{id}")).await;
        assert_eq!(device["labels"], labels(json!({})));
        assert_eq!(
            device["reported"],
            json!({}),
            "no change of labels is reported"
        );
    }
    let time = "2026-11-21T08:00:00.000000Z";
    assert_eq!(
        changes(&server).await,
        [
            json!({ "added": { "room": "7" }, "modified": { "name": "new" }, "removed": ["floor"], "updateTime": time }),
            json!({ "added": { "name": "new", "room": "7" }, "modified": {}, "removed": [], "updateTime": time }),
        ]
    );
    // The same once more changes nothing, and tells nothing.
    update(&server, "default", &body).await;
    assert_eq!(changes(&server).await.len(), 2);
}

#[tokio::test]
async fn a_project_that_is_not_there_has_no_devices_to_change_or_to_take() {
    let server = TestServer::start().await;
    let body = r#"{"devices":["projects/-/devices/x"],"removeLabels":["a"]}"#;
    for verb in ["batchUpdate", "transfer"] {
        let path = format!("/projects/none/devices:{verb}");
        let answer = ask(&server, "POST", &path, body).await;
        assert_eq!(
            refusal(&answer),
            (404, "there is no such project".to_owned()),
            "{verb}"
        );
    }
}

#[tokio::test]
async fn labels_can_be_changed_wherever_a_device_is() {
    let server = TestServer::start().await;
    found(&server, "other").await;
    let id = emulate(&server, "other", "touch", "").await;
    let body = format!(r#"{{"devices":["projects/-/devices/{id}"],"addLabels":{{"room":"7"}}}}"#);
    assert_eq!(
        update(&server, "-", &body).await,
        json!({ "batchErrors": [] })
    );
    let device = get(&server, &format!("/projects/-/devices/{id}")).await;
    assert_eq!(device["labels"]["room"], "7");
    let named = body
        .replace("projects/-", "projects/other")
        .replace("\"7\"", "\"8\"");
    assert_eq!(
        update(&server, "-", &named).await,
        json!({ "batchErrors": [] })
    );
    let device = get(&server, &format!("/projects/other/devices/{id}")).await;
    assert_eq!(device["labels"]["room"], "8");
}

#[tokio::test]
async fn what_a_device_is_cannot_be_changed_as_a_label() {
    let server = TestServer::start().await;
    let id = emulate(&server, "default", "touch", "").await;
    for key in ["device-type", "product-number", "moved-to"] {
        for change in [
            format!(r#""addLabels":{{"{key}":"x"}}"#),
            format!(r#""removeLabels":["{key}"]"#),
        ] {
            let body = format!(r#"{{"devices":["projects/default/devices/{id}"],{change}}}"#);
            let path = "/projects/default/devices:batchUpdate";
            let answer = ask(&server, "POST", path, &body).await;
            assert_eq!(refusal(&answer).0, 400, "{body}");
        }
    }
    let device = get(&server, &format!("/projects/default/devices/{id}")).await;
    assert_eq!(device["type"], "touch");
}

#[tokio::test]
async fn a_device_that_cannot_have_so_many_is_told_and_the_others_are_changed() {
    let server = TestServer::start().await;
    let many: Vec<String> = (0..60).map(|at| format!(r#""{at}":"""#)).collect();
    let full = emulate(&server, "default", "touch", &many.join(",")).await;
    let other = emulate(&server, "default", "touch", "").await;
    let more: Vec<String> = (0..5).map(|at| format!(r#""more{at}":"""#)).collect();
    let body = format!(
        r#"{{"devices":["projects/default/devices/{full}","projects/default/devices/{other}"],"addLabels":{{{}}}}}"#,
        more.join(",")
    );
    let answer = update(&server, "default", &body).await;
    assert_eq!(
        answer["batchErrors"][0]["status"]["code"],
        "INVALID_ARGUMENT"
    );
    assert_eq!(answer["batchErrors"].as_array().map(Vec::len), Some(1));
    let device = get(&server, &format!("/projects/default/devices/{other}")).await;
    assert_eq!(
        device["labels"].as_object().map(serde_json::Map::len),
        Some(6)
    );
}
