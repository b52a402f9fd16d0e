//! Devices, listed.

use feedwire_testkit::TestServer;

use super::{ask, emulate, found, get, ids, label, refusal, tell, text};

/// The ids of all pages of the list at `path`.
async fn all(server: &TestServer, path: &str) -> Vec<String> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let page = get(server, &format!("{path}page_token={token}")).await;
        found.extend(ids(&page));
        token = text(&page["nextPageToken"]);
        if token.is_empty() {
            return found;
        }
    }
}

/// Publishes a reading of `subject` by the native API.
async fn publish(server: &TestServer, subject: &str, ty: &str) {
    let event = format!(r#"{{"type":"{ty}","subject":"{subject}"}}"#);
    server.publish("devices", &event).await;
}

#[tokio::test]
async fn devices_are_listed_by_name_page_by_page() {
    let server = TestServer::start().await;
    for at in 0..25 {
        publish(&server, &format!("d{at:02}"), "touch").await;
    }
    label(
        &server,
        "d03x",
        r#"{"device-type":"ccon","product-number":"102081"}"#,
    )
    .await;
    label(&server, "nobody", r#"{"room":"7"}"#).await;
    let mut expected: Vec<String> = (0..25).map(|at| format!("d{at:02}")).collect();
    expected.insert(4, "d03x".to_owned());
    for size in [1, 4, 7, 26, 100] {
        let found = all(
            &server,
            &format!("/projects/default/devices?page_size={size}&"),
        )
        .await;
        assert_eq!(found, expected, "{size} a page");
    }
    let page = get(&server, "/projects/default/devices?pageSize=5").await;
    assert_eq!(page["devices"][4]["productNumber"], "102081");
    assert_eq!(page["nextPageToken"], "projects/default/devices/d03x");
    let empty = get(&server, "/projects/default/devices?device_ids=none").await;
    assert_eq!(
        empty,
        serde_json::json!({ "devices": [], "nextPageToken": "" })
    );
}

#[tokio::test]
async fn devices_are_found_by_id_by_type_by_label_and_by_words() {
    let server = TestServer::start().await;
    publish(&server, "told", "temperature").await;
    publish(&server, "dumb", "batteryStatus").await;
    label(
        &server,
        "a",
        r#"{"device-type":"temperature","room":"7","name":"Küche"}"#,
    )
    .await;
    label(&server, "b", r#"{"device-type":"touch","room":"8"}"#).await;
    publish(&server, "b", "temperature").await;
    label(&server, "c", r#"{"device-type":"ccon","vip":""}"#).await;
    let check = async |query: &str, expected: &str| {
        let page = get(&server, &format!("/projects/default/devices?{query}")).await;
        assert_eq!(ids(&page).join(" "), expected, "{query}");
    };
    check("", "a b c dumb told").await;
    check("device_ids=c&deviceIds=a,none", "a c").await;
    check("device_types=temperature", "a told").await;
    check(
        "deviceTypes=temperature&device_types=unknown",
        "a dumb told",
    )
    .await;
    check("label_filters=room", "a b").await;
    check("labelFilters=room%3D7&label_filters=vip", "a c").await;
    check("label_filters=vip%3D", "c").await;
    check("label_filters=room&device_types=touch", "b").await;
    check("query=k%C3%BCche", "a").await;
    check("query=TEMP", "a told").await;
    check("query=7&device_types=touch", "").await;
    check("organization=organizations/x&unknown=1", "a b c dumb told").await;
}

#[tokio::test]
async fn devices_are_put_in_the_order_that_is_asked_for() {
    let server = TestServer::start().await;
    let mut made = Vec::new();
    for value in [7, -3, 20] {
        let id = emulate(
            &server,
            "default",
            "temperature",
            &format!(r#""order":"{}""#, value + 50),
        )
        .await;
        tell(
            &server,
            &id,
            &format!(r#"{{"temperature":{{"value":{value}}}}}"#),
        )
        .await;
        made.push(id);
    }
    let [seven, cold, warm] = &made[..] else {
        panic!("three were made");
    };
    publish(&server, "none", "touch").await;
    let check = async |by: &str, expected: [&str; 4]| {
        for size in [1, 3, 10] {
            let path = format!("/projects/default/devices?order_by={by}&page_size={size}&");
            assert_eq!(all(&server, &path).await, expected, "{by}, {size} a page");
        }
    };
    check("reported.temperature.value", [cold, seven, warm, "none"]).await;
    check("-reported.temperature.value", [warm, seven, cold, "none"]).await;
    check("labels.order", [cold, seven, warm, "none"]).await;
    let token = "projects/default/devices/gone";
    let path = format!("/projects/default/devices?order_by=name&page_token={token}");
    let gone = ask(&server, "GET", &path, "").await;
    assert_eq!(refusal(&gone).0, 400);
}

#[tokio::test]
async fn devices_of_every_project_are_listed_and_found() {
    let server = TestServer::start().await;
    let json = ["content-type: application/json"];
    for name in ["acme", "zoo", "empty"] {
        found(&server, name).await;
        if name != "empty" {
            let path = format!("/v1/projects/{name}/feeds/devices/events");
            let events = br#"[{"type":"touch","subject":"x"},{"type":"touch","subject":"y"}]"#;
            assert_eq!(server.ask("POST", &path, &json, events).await.status, 200);
        }
    }
    publish(&server, "x", "touch").await;
    let names = async |query: &str| {
        let page = get(&server, &format!("/projects/-/devices?{query}")).await;
        let devices = page["devices"].as_array().expect("devices").iter();
        devices
            .map(|device| text(&device["name"]))
            .collect::<Vec<_>>()
    };
    let expected = [
        "projects/acme/devices/x",
        "projects/acme/devices/y",
        "projects/default/devices/x",
        "projects/zoo/devices/x",
        "projects/zoo/devices/y",
    ];
    assert_eq!(names("").await, expected);
    assert_eq!(
        names("projects=zoo&projects=projects/default").await,
        expected[2..]
    );
    for size in 1..=6 {
        let found = all(&server, &format!("/projects/-/devices?page_size={size}&")).await;
        assert_eq!(found, ["x", "y", "x", "x", "y"], "{size} a page");
    }
    let ordered = all(&server, "/projects/-/devices?order_by=-name&page_size=2&").await;
    assert_eq!(ordered, ["y", "y", "x", "x", "x"]);
    let one = get(&server, "/projects/-/devices/y").await;
    assert_eq!(one["name"], expected[1]);
    let none = ask(&server, "GET", "/projects/-/devices/none", "").await;
    assert_eq!(refusal(&none), (404, "there is no device none".to_owned()));
}
