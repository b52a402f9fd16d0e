//! The `disruptive` dialect, as its vendor's clients speak it.

mod access;
mod connectors;
mod devices;
mod emulator;
mod history;
mod labels;
mod moving;
mod projects;
mod streams;

use feedwire_testkit::{Answer, TestServer};
use serde_json::Value;

async fn ask(server: &TestServer, method: &str, path: &str, body: &str) -> Answer {
    let path = format!("/disruptive/v2{path}");
    // As curl sends what it is given, which the vendor's own examples leave as it is.
    let headers = ["content-type: application/x-www-form-urlencoded"];
    server.ask(method, &path, &headers, body.as_bytes()).await
}

/// What is answered with success, which is 200 with JSON in ASCII.
fn success(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.body.is_ascii());
    answer.json()
}

async fn get(server: &TestServer, path: &str) -> Value {
    success(&ask(server, "GET", path, "").await)
}

async fn post(server: &TestServer, path: &str, body: &str) -> Value {
    success(&ask(server, "POST", path, body).await)
}

/// The code and the words of a refusal.
fn refusal(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!(body["code"], answer.status);
    let help = format!("https://docs.d21s.com/error/#{}", answer.status);
    assert_eq!(body["help"], help);
    (answer.status, text(&body["error"]))
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Makes an emulated device in `project`; returns its id.
async fn emulate(server: &TestServer, project: &str, ty: &str, labels: &str) -> String {
    let body = format!(r#"{{"type":"{ty}","labels":{{{labels}}}}}"#);
    let made = post(server, &format!("/projects/{project}/devices"), &body).await;
    let name = text(&made["name"]);
    let id = name.strip_prefix(&format!("projects/{project}/devices/"));
    id.expect("its whole name").to_owned()
}

/// Has an emulated device tell something.
async fn tell(server: &TestServer, device: &str, event: &str) {
    let path = format!("/projects/default/devices/{device}:publish");
    assert_eq!(post(server, &path, event).await, serde_json::json!({}));
}

/// Makes a project.
async fn found(server: &TestServer, name: &str) {
    let body = format!(r#"{{"name":"{name}"}}"#);
    let json = ["content-type: application/json"];
    let made = server.ask("POST", "/v1/projects", &json, body.as_bytes());
    assert_eq!(made.await.status, 201, "{name}");
}

/// Gives `subject` labels by the native API.
async fn label(server: &TestServer, subject: &str, labels: &str) {
    let path = format!("/v1/projects/default/subjects/{subject}/labels");
    let json = ["content-type: application/json"];
    let body = format!(r#"{{"labels":{labels}}}"#);
    let set = server.ask("PUT", &path, &json, body.as_bytes()).await;
    assert_eq!(set.status, 200, "{}", set.text());
}

/// The ids of a list of devices.
fn ids(page: &Value) -> Vec<String> {
    let devices = page["devices"].as_array().expect("devices").iter();
    let names = devices.map(|device| text(&device["name"]));
    let ids = names.map(|name| name.rsplit('/').next().expect("an id").to_owned());
    ids.collect()
}
