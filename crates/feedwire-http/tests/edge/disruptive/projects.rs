//! Projects as the vendor tells them.

use feedwire_testkit::TestServer;
use serde_json::{Value, json};

use super::{ask, emulate, found, get, refusal, text};

fn project(name: &str, sensors: u64, cloud_connectors: u64) -> Value {
    json!({
        "name": format!("projects/{name}"),
        "displayName": name,
        "inventory": false,
        "organization": "organizations/feedwire",
        "organizationDisplayName": "Feedwire",
        "sensorCount": sensors,
        "cloudConnectorCount": cloud_connectors,
    })
}

#[tokio::test]
async fn projects_are_told_with_how_many_devices_are_in_them() {
    let server = TestServer::start().await;
    for name in ["acme", "acme.eu", "Bee"] {
        found(&server, name).await;
    }
    emulate(&server, "acme.eu", "touch", "").await;
    emulate(&server, "acme.eu", "ccon", "").await;
    server
        .publish("devices", r#"{"type":"touch","subject":"real"}"#)
        .await;
    let all = get(&server, "/projects").await;
    let expected = [
        project("Bee", 0, 0),
        project("acme", 0, 0),
        project("acme.eu", 1, 1),
        project("default", 1, 0),
    ];
    assert_eq!(all, json!({ "projects": expected, "nextPageToken": "" }));
    assert_eq!(get(&server, "/projects/acme.eu").await, expected[2]);
    let found = get(&server, "/projects?query=ACME").await;
    assert_eq!(found["projects"], json!(expected[1..3]));
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let page = get(
            &server,
            &format!("/projects?page_size=1&page_token={token}"),
        )
        .await;
        names.extend(
            page["projects"]
                .as_array()
                .expect("projects")
                .iter()
                .map(|one| text(&one["displayName"])),
        );
        token = text(&page["nextPageToken"]);
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["Bee", "acme", "acme.eu", "default"]);
    for absent in [
        "/projects/none",
        "/projects/none/devices",
        "/projects/a%20b",
        "/projects/-",
    ] {
        let answer = ask(&server, "GET", absent, "").await;
        assert_eq!(
            refusal(&answer),
            (404, "there is no such project".to_owned()),
            "{absent}"
        );
    }
}
