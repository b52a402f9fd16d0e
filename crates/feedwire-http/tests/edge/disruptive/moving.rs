//! Devices that are moved to another project.

use feedwire_testkit::TestServer;
use serde_json::{Value, json};

use super::{ask, emulate, found, get, ids, post, refusal, tell, text};

async fn transfer(server: &TestServer, to: &str, names: &[&str]) -> Value {
    let body = json!({ "devices": names }).to_string();
    post(server, &format!("/projects/{to}/devices:transfer"), &body).await
}

#[tokio::test]
async fn a_device_is_moved_with_its_labels_and_is_no_longer_where_it_was() {
    let server = TestServer::start().await;
    found(&server, "zoo").await;
    let id = emulate(&server, "default", "touch", r#""name":"Door""#).await;
    tell(&server, &id, r#"{"touch":{}}"#).await;
    server
        .publish("devices", r#"{"type":"temperature","subject":"real"}"#)
        .await;
    let here = format!("projects/default/devices/{id}");
    let names = [
        here.as_str(),
        "projects/-/devices/real",
        "projects/default/devices/none",
    ];
    let answer = transfer(&server, "zoo", &names).await;
    let moved = format!("projects/zoo/devices/{id}");
    assert_eq!(
        answer["transferredDevices"],
        json!([moved, "projects/zoo/devices/real"])
    );
    assert_eq!(answer["transferErrors"][0]["device"], names[2]);
    assert_eq!(answer["transferErrors"][0]["status"]["code"], "NOT_FOUND");
    let there = get(&server, "/projects/zoo/devices").await;
    let expected = json!({
        "name": moved,
        "type": "touch",
        "labels": { "name": "Door", "virtual-sensor": "" },
        "reported": {},
    });
    assert_eq!(there["devices"][0], expected);
    assert_eq!(
        there["devices"][1]["type"], "temperature",
        "as its events told where it was"
    );
    assert_eq!(
        ids(&get(&server, "/projects/default/devices").await),
        [""; 0]
    );
    let gone = ask(&server, "GET", &format!("/{here}"), "").await;
    assert_eq!(refusal(&gone).0, 404);
    assert_eq!(
        get(&server, &format!("/projects/-/devices/{id}")).await,
        expected
    );
    // What it told before stays where it was told.
    assert_eq!(
        server.get("feeds/devices?from=start").await.positions(),
        [1, 2]
    );
    // It tells things where it is now, and comes back with all it is.
    post(&server, &format!("/{moved}:publish"), r#"{"touch":{}}"#).await;
    let back = transfer(&server, "default", &[&moved]).await;
    assert_eq!(
        back,
        json!({ "transferredDevices": [here], "transferErrors": [] })
    );
    let device = get(&server, &format!("/{here}")).await;
    assert_eq!(device["labels"]["name"], "Door");
    assert!(
        device["reported"]["touch"].is_object(),
        "what it told here before"
    );
}

#[tokio::test]
async fn a_device_is_not_moved_to_where_it_is_nor_in_the_place_of_another() {
    let server = TestServer::start().await;
    found(&server, "zoo").await;
    for name in ["default", "zoo"] {
        let path = format!("/v1/projects/{name}/feeds/devices/events");
        let event = br#"{"type":"touch","subject":"x"}"#;
        server
            .ask("POST", &path, &["content-type: application/json"], event)
            .await;
    }
    let answer = transfer(
        &server,
        "zoo",
        &["projects/zoo/devices/x", "projects/default/devices/x"],
    )
    .await;
    assert_eq!(answer["transferredDevices"], json!([]));
    let errors = answer["transferErrors"].as_array().expect("errors").iter();
    let errors: Vec<String> = errors
        .map(|error| text(&error["status"]["message"]))
        .collect();
    assert_eq!(
        errors,
        [
            "device x is in this project already",
            "there is another device x in this project"
        ]
    );
    assert_eq!(ids(&get(&server, "/projects/-/devices").await), ["x", "x"]);
}

#[tokio::test]
async fn a_device_that_is_moved_to_two_projects_at_once_is_in_one() {
    let server = TestServer::start().await;
    found(&server, "one").await;
    found(&server, "two").await;
    for _ in 0..10 {
        let id = emulate(&server, "default", "touch", "").await;
        let body = format!(r#"{{"devices":["projects/default/devices/{id}"]}}"#);
        let moved = async |to: &str| {
            let path = format!("/projects/{to}/devices:transfer");
            let answer = ask(&server, "POST", &path, &body).await.json();
            answer["transferredDevices"].as_array().map(Vec::len)
        };
        let (one, two) = tokio::join!(moved("one"), moved("two"));
        assert!(matches!(
            (one, two),
            (Some(1), Some(0)) | (Some(0), Some(1))
        ));
        let places = get(&server, &format!("/projects/-/devices?device_ids={id}")).await;
        assert_eq!(ids(&places), [id]);
    }
}
