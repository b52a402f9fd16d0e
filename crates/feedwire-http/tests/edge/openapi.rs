//! The description of the API, held against what the server does.

use std::collections::BTreeSet;

use feedwire_http::Limits;
use feedwire_testkit::TestServer;
use serde_json::Value;

async fn described(server: &TestServer) -> Value {
    let answer = server.ask("GET", "/openapi.json", &[], b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// The methods of a path item.
fn methods(path: &Value) -> BTreeSet<String> {
    let members = path.as_object().expect("a path item");
    let methods = members.keys().filter(|name| *name != "parameters");
    methods.map(|name| name.to_uppercase()).collect()
}

#[tokio::test]
async fn every_address_takes_the_methods_that_are_described_and_no_others() {
    let server = TestServer::start().await;
    let document = described(&server).await;
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.len() >= 11, "{:?}", paths.keys());
    for (path, described) in paths {
        let methods = methods(described);
        let address = path.replace("{project}", "default").replace(['{', '}'], "");
        let refused = server.ask("BREW", &address, &[], b"").await;
        assert_eq!(
            refused.problem(),
            (405, "method-not-allowed".into()),
            "{path}"
        );
        let allowed = refused.header("allow").expect("a 405 says what is allowed");
        let allowed: BTreeSet<String> = allowed.split(',').map(str::to_owned).collect();
        assert_eq!(allowed, methods, "{path}");
        for method in &methods {
            let answer = server.ask(method, &address, &[], b"").await;
            let status = answer.status.to_string();
            let operation = &described[method.to_lowercase()];
            assert!(
                operation["responses"].get(&status).is_some(),
                "{method} {path}: {status} is not described"
            );
        }
    }
}

#[tokio::test]
async fn what_is_described_is_what_this_server_has() {
    let has_metrics = |document: &Value| document["paths"].get("/metrics").is_some();
    let together = TestServer::start().await;
    assert!(has_metrics(&described(&together).await));
    let (apart, _) = TestServer::with_metrics_apart(Limits::default()).await;
    assert!(!has_metrics(&described(&apart).await));
}

#[tokio::test]
async fn a_whole_number_may_be_written_with_a_fraction_of_nothing() {
    let server = TestServer::start().await;
    let path = "/v1/projects/default/retention";
    let json = ["content-type: application/json"];
    let answer = server.ask("PUT", path, &json, br#"{"bytes":5e6}"#).await;
    assert_eq!(answer.text(), r#"{"age":null,"bytes":5000000}"#);
}
