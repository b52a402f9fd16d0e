//! Data Connectors: made, changed and deleted, and what their receivers get.

use feedwire_core::Clock as _;
use feedwire_push::verify_dt_signature;
use feedwire_testkit::{Asks, TestServer};
use serde_json::{Value, json};

use super::{ask, emulate, get, post, refusal, success, tell, text};
use crate::receiver::{Pushed, Receiver};

const PATH: &str = "/projects/default/dataconnectors";
const SECRET: &str = "not so secret";

async fn pushing() -> TestServer {
    TestServer::pushing(Asks::Nobody).await
}

/// Makes a connector of which `more` says the rest; returns its address.
async fn connect(server: &TestServer, url: &str, more: &Value) -> String {
    let mut body = json!({
        "type": "HTTP_PUSH",
        "httpConfig": {"url": url, "signatureSecret": SECRET, "headers": {"X-Key": "hush"}},
    });
    let members = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(members);
    let made = post(server, PATH, &body.to_string()).await;
    let name = text(&made["name"]);
    let id = name.strip_prefix("projects/default/dataconnectors/");
    let id = id.expect("its whole name");
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    assert!(id.len() == 20 && id.bytes().all(is_plain), "{id}");
    assert_eq!(get(server, &format!("{PATH}/{id}")).await, made);
    format!("{PATH}/{id}")
}

async fn patch(server: &TestServer, path: &str, body: &Value) -> Value {
    success(&ask(server, "PATCH", path, &body.to_string()).await)
}

/// What was pushed, which has to be signed.
fn verified(server: &TestServer, pushed: &Pushed) -> Value {
    let token = pushed.header("x-dt-signature").expect("it is signed");
    let now = server.clock.now().as_micros().div_euclid(1_000_000);
    let proof = verify_dt_signature(SECRET.as_bytes(), &pushed.body, token, now);
    assert_eq!(proof, Ok(()));
    assert_eq!(pushed.header("x-key"), Some("hush"));
    assert_eq!(pushed.header("content-type"), Some("application/json"));
    serde_json::from_slice(&pushed.body).expect("JSON")
}

#[tokio::test]
async fn a_connector_is_told_without_its_secrets_and_changed_member_by_member() {
    let server = pushing().await;
    let more = json!({"displayName": "a", "status": "USER_DISABLED", "events": ["touch"], "labels": ["name"]});
    let path = connect(&server, "http://127.0.0.1:9/push", &more).await;
    let mut expected = json!({
        "name": path.strip_prefix('/'),
        "displayName": "a",
        "type": "HTTP_PUSH",
        "status": "USER_DISABLED",
        "events": ["touch"],
        "labels": ["name"],
        "httpConfig": {"url": "http://127.0.0.1:9/push", "signatureSecret": "", "headers": {"x-key": ""}},
    });
    assert_eq!(get(&server, &path).await, expected);
    expected["labels"] = json!(["z"]);
    let partly = json!({"status": "USER_DISABLED", "labels": ["z"]});
    assert_eq!(patch(&server, &path, &partly).await, expected);
    expected["events"] = json!([]);
    expected["displayName"] = json!("b");
    expected["status"] = json!("ACTIVE");
    expected["httpConfig"]["headers"] = json!({"x-other": ""});
    let rest = json!({"status": "ACTIVE", "events": [], "display_name": "b", "httpConfig": {"headers": {"X-Other": "1"}}});
    assert_eq!(patch(&server, &path, &rest).await, expected);
    let masked = format!("{path}?update_mask=displayName");
    expected["displayName"] = json!("c");
    let all = json!({"displayName": "c", "status": "USER_DISABLED"});
    assert_eq!(patch(&server, &masked, &all).await, expected);
    assert_eq!(get(&server, &path).await, expected);
    let gone = ask(&server, "DELETE", &path, "").await;
    assert_eq!(success(&gone), json!({}));
    for (method, behind) in [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", ":metrics"),
        ("POST", ":sync"),
    ] {
        let answer = ask(&server, method, &format!("{path}{behind}"), "{}").await;
        assert_eq!(refusal(&answer).0, 404, "{method} {behind}");
    }
}

#[tokio::test]
async fn connectors_are_listed_page_by_page_and_those_of_other_forms_are_not() {
    let server = pushing().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let paused = json!({"status": "USER_DISABLED"});
        let path = connect(&server, "http://127.0.0.1:9/", &paused).await;
        made.push(path.trim_start_matches('/').to_owned());
    }
    made.sort();
    let native = r#"{"name":"other","url":"http://127.0.0.1:9/","paused":true}"#;
    let json = ["content-type: application/json"];
    let path = "/v1/projects/default/connectors";
    let other = server.ask("POST", path, &json, native.as_bytes()).await;
    assert_eq!(other.status, 201, "{}", other.text());
    let unknown = ask(&server, "GET", &format!("{PATH}/other"), "").await;
    assert_eq!(refusal(&unknown).0, 404);
    let (mut listed, mut token) = (Vec::new(), String::new());
    loop {
        let page = get(&server, &format!("{PATH}?page_size=2&pageToken={token}")).await;
        let connectors = page["dataConnectors"].as_array().expect("a list");
        assert!(connectors.len() <= 2);
        listed.extend(connectors.iter().map(|one| text(&one["name"])));
        token = text(&page["nextPageToken"]);
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, made);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_its_reason() {
    let server = pushing().await;
    let create = async |body: Value| {
        let (code, words) = refusal(&ask(&server, "POST", PATH, &body.to_string()).await);
        assert_eq!(code, 400, "{words}");
        words
    };
    let to = |url: &str| json!({"type": "HTTP_PUSH", "httpConfig": {"url": url}});
    let words = create(json!({"type": "AWS_SQS", "awsSqsConfig": {}})).await;
    assert!(words.contains("HTTP_PUSH"), "{words}");
    for url in ["https://10.0.0.1/", "ftp://example.com/", "example.com"] {
        let words = create(to(url)).await;
        assert!(words.contains("httpConfig.url: "), "{words}");
    }
    let mut reserved = to("https://example.com/");
    reserved["httpConfig"]["headers"] = json!({"Host": "a"});
    let words = create(reserved).await;
    assert!(words.contains("httpConfig.headers: "), "{words}");
    let mut long = to("https://example.com/");
    long["httpConfig"]["signatureSecret"] = json!("s".repeat(513));
    let words = create(long).await;
    assert!(words.contains("httpConfig.signatureSecret: "), "{words}");
    let mut many = to("https://example.com/");
    let keys: Vec<String> = (0..101).map(|number| format!("key-{number}")).collect();
    many["labels"] = json!(keys);
    let words = create(many).await;
    assert!(words.starts_with("labels: "), "{words}");
    let path = connect(
        &server,
        "http://127.0.0.1:9/",
        &json!({"status": "USER_DISABLED"}),
    )
    .await;
    let masked = format!("{path}?update_mask=type");
    assert_eq!(refusal(&ask(&server, "PATCH", &masked, "{}").await).0, 400);
    let inside = r#"{"httpConfig":{"url":"http://169.254.169.254/"}}"#;
    let refused = ask(&server, "PATCH", &path, inside).await;
    assert!(refusal(&refused).1.contains("httpConfig.url: "));
}

#[tokio::test]
async fn a_receiver_gets_each_event_with_the_labels_that_are_asked_for() {
    let server = pushing().await;
    let receiver = Receiver::start(&[]).await;
    let device = emulate(
        &server,
        "default",
        "temperature",
        r#""name":"a","room":"7""#,
    )
    .await;
    tell(&server, &device, r#"{"temperature":{"value":20}}"#).await;
    let more = json!({"events": ["temperature"], "labels": ["room", "floor"]});
    let path = connect(&server, &receiver.url, &more).await;
    tell(&server, &device, r#"{"touch":{}}"#).await;
    tell(&server, &device, r#"{"temperature":{"value":21}}"#).await;
    let pushed = verified(&server, &receiver.next().await);
    let value = &pushed["event"]["data"]["temperature"]["value"];
    assert_eq!(*value, json!(21), "what came before is not pushed");
    assert_eq!(pushed["labels"], json!({"room": "7"}));
    let metadata = json!({"deviceId": device, "projectId": "default", "deviceType": "temperature", "productNumber": ""});
    assert_eq!(pushed["metadata"], metadata);
    let history = format!("/projects/default/devices/{device}/events?event_types=temperature");
    let history = get(&server, &history).await;
    assert_eq!(history["events"][0], pushed["event"]);
    // The next of a device is pushed when the one before is done with, and so counted.
    tell(&server, &device, r#"{"temperature":{"value":22}}"#).await;
    receiver.next().await;
    let metrics = get(&server, &format!("{path}:metrics")).await;
    let metrics = &metrics["metrics"];
    assert!(metrics["successCount"].as_u64() >= Some(1), "{metrics}");
    assert_eq!(metrics["errorCount"], json!(0));
    assert!(text(&metrics["latency99p"]).ends_with('s'));
}

#[tokio::test]
async fn what_fails_is_pushed_again_with_the_same_bytes() {
    let server = pushing().await;
    let receiver = Receiver::start(&[500]).await;
    connect(&server, &receiver.url, &json!({})).await;
    let device = emulate(&server, "default", "touch", "").await;
    tell(&server, &device, r#"{"touch":{}}"#).await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(verified(&server, &first), verified(&server, &second));
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn what_comes_while_a_connector_is_disabled_is_not_pushed() {
    let server = pushing().await;
    let receiver = Receiver::start(&[]).await;
    let path = connect(&server, &receiver.url, &json!({"status": "USER_DISABLED"})).await;
    let device = emulate(&server, "default", "touchCounter", "").await;
    let count = async |total: u64| {
        let event = format!(r#"{{"touchCount":{{"total":{total}}}}}"#);
        tell(&server, &device, &event).await;
    };
    count(1).await;
    patch(&server, &path, &json!({"status": "ACTIVE"})).await;
    count(2).await;
    // It is active already: nothing is left out.
    patch(&server, &path, &json!({"status": "ACTIVE"})).await;
    count(3).await;
    for total in [2, 3] {
        let pushed = verified(&server, &receiver.next().await);
        assert_eq!(pushed["event"]["data"]["touchCount"]["total"], total);
    }
}

#[tokio::test]
async fn the_latest_of_each_type_of_each_device_is_pushed_where_that_is_asked_for() {
    let server = pushing().await;
    let receiver = Receiver::start(&[]).await;
    let (a, b) = (
        emulate(&server, "default", "temperature", r#""name":"a""#).await,
        emulate(&server, "default", "touch", "").await,
    );
    for (device, event) in [
        (&a, r#"{"temperature":{"value":20}}"#),
        (&a, r#"{"temperature":{"value":21}}"#),
        (&a, r#"{"touch":{}}"#),
        (&b, r#"{"touch":{}}"#),
    ] {
        tell(&server, device, event).await;
    }
    let path = connect(&server, &receiver.url, &json!({"labels": ["name"]})).await;
    let address = format!("/disruptive/v2{path}:sync");
    let synced = server.ask("POST", &address, &[], b"");
    assert_eq!(success(&synced.await), json!({}));
    let mut told = Vec::new();
    for _ in 0..3 {
        let pushed = verified(&server, &receiver.next().await);
        let ty = text(&pushed["event"]["eventType"]);
        told.push((
            text(&pushed["metadata"]["deviceId"]),
            ty,
            pushed["labels"].clone(),
        ));
    }
    let mut expected = vec![
        (a.clone(), "temperature".to_owned(), json!({"name": "a"})),
        (a, "touch".to_owned(), json!({"name": "a"})),
        (b, "touch".to_owned(), json!({})),
    ];
    let key = |one: &(String, String, Value)| (one.0.clone(), one.1.clone());
    told.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_is_done_with_connectors_is_on_record_without_secrets() {
    let server = pushing().await;
    let path = connect(
        &server,
        "http://127.0.0.1:9/",
        &json!({"status": "USER_DISABLED"}),
    )
    .await;
    patch(
        &server,
        &path,
        &json!({"httpConfig": {"signatureSecret": "hush hush"}}),
    )
    .await;
    let gone = ask(&server, "DELETE", &path, "").await;
    assert_eq!(success(&gone), json!({}));
    let feed = "/v1/projects/_system/feeds/_audit?from=start";
    let audit = server.ask("GET", feed, &[], b"").await.text();
    for change in ["connector.create", "connector.change", "connector.delete"] {
        assert!(audit.contains(change), "{audit}");
    }
    assert!(
        !audit.contains("hush") && !audit.contains(SECRET),
        "{audit}"
    );
}
