//! Connectors over the native API: made, looked at and changed, and what receivers get of them.

mod delivering;
mod failing;
mod managing;

use feedwire_testkit::{Answer, Asks, TestServer};
use serde_json::{Value, json};

const ALL: &str = "/v1/projects/default/connectors";

async fn pushing() -> TestServer {
    TestServer::pushing(Asks::Nobody).await
}

async fn ask(server: &TestServer, method: &str, path: &str, body: &Value) -> Answer {
    let json = ["content-type: application/json"];
    let body = body.to_string();
    let address = format!("{ALL}{path}");
    server.ask(method, &address, &json, body.as_bytes()).await
}

/// The answer to a request that has to be met.
async fn done(server: &TestServer, method: &str, path: &str, body: &Value) -> Value {
    let answer = ask(server, method, path, body).await;
    assert!(
        matches!(answer.status, 200 | 201),
        "{method} {path}: {}",
        answer.text()
    );
    answer.json()
}

async fn get(server: &TestServer, path: &str) -> Value {
    let answer = server.ask("GET", &format!("{ALL}{path}"), &[], b"").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Makes the connector `c` to `url`, of which `more` says the rest.
async fn make(server: &TestServer, url: &str, more: Value) -> Value {
    let mut body = json!({ "name": "c", "url": url });
    let Value::Object(more) = more else {
        panic!("{more} is no object");
    };
    body.as_object_mut().expect("it is one").extend(more);
    done(server, "POST", "", &body).await
}

/// What `looked` finds once it finds something: what is told of pushing follows behind what a receiver was sent.
async fn found<T>(looked: impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = looked().await {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(feedwire_testkit::PATIENCE, looking);
    found.await.expect("it comes to be so")
}
