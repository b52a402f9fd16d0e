//! Who may have done what.

use feedwire_auth::Created;
use feedwire_testkit::{Answer, TestServer};
use serde_json::json;

use super::{JSON, ask, refusal, text};

/// Each method of each route, with the right that it takes.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/streams", "streams"),
    ("POST", "/streams", "streams"),
    ("GET", "/streams/", "streams"),
    ("POST", "/streams/", "streams"),
    ("GET", "/streams/x", "streams"),
    ("PUT", "/streams/x", "streams"),
    ("DELETE", "/streams/x", "streams"),
    ("GET", "/streams/x/", "streams"),
    ("PUT", "/streams/x/", "streams"),
    ("DELETE", "/streams/x/", "streams"),
    ("GET", "/streams/x/connect", "streams"),
    ("GET", "/replay", "read"),
];

fn token(made: &Created) -> String {
    made.secret.token().to_string()
}

async fn with(server: &TestServer, headers: &[&str], method: &str, path: &str) -> Answer {
    let path = format!("/validic{path}");
    let headers = [JSON, headers].concat();
    server.ask(method, &path, &headers, b"{}").await
}

#[tokio::test]
async fn a_token_in_the_address_proves_who_asks_whatever_the_method() {
    let server = TestServer::guarded().await;
    let created = server
        .credential("default", &[("default", "streams,read", "")])
        .await;
    let token = created.secret.token().to_string();
    let path = format!("/streams?token={token}");
    let made = ask(&server, "POST", &path, r#"{"name":"one"}"#).await;
    assert_eq!(made.status, 201, "{}", made.text());
    for path in [
        "/streams".to_owned(),
        "/streams?token=no".to_owned(),
        "/replay".to_owned(),
    ] {
        let refused = ask(&server, "GET", &path, "").await;
        assert_eq!(refused.status, 403);
        assert_eq!(
            refused.json(),
            json!({ "errors": ["Invalid authentication credentials"] })
        );
    }
    let replay = ask(&server, "GET", &format!("/replay?token={token}"), "").await;
    assert_eq!(replay.status, 200);
}

#[tokio::test]
async fn each_method_of_each_route_takes_its_right_and_no_less() {
    let server = TestServer::guarded().await;
    let nobody = "Invalid authentication credentials";
    for (method, path, right) in ROUTES {
        let asked = async |headers: &[&str], path: &str| {
            refusal(&with(&server, headers, method, path).await)
        };
        for (headers, query) in [
            (&[][..], ""),
            (&["authorization: Basic eDp5"], ""),
            (&["token: none"], ""),
            (&[], "?token=none"),
        ] {
            let refused = asked(headers, &format!("{path}{query}")).await;
            assert_eq!(refused, (403, nobody.to_owned()), "{method} {path}{query}");
        }
        let others = ["publish", "read", "streams", "connectors"];
        let others = others.into_iter().filter(|other| other != right);
        let narrow = others.collect::<Vec<_>>().join(",");
        let narrow = [("default", narrow.as_str(), "")];
        let narrow = token(&server.credential("default", &narrow).await);
        let (status, words) = asked(&[], &format!("{path}?token={narrow}")).await;
        assert_eq!(status, 403, "{method} {path}");
        assert!(words.contains(right), "{method} {path}: {words}");
        let enough = [("default", *right, "")];
        let enough = token(&server.credential("default", &enough).await);
        let bearer = format!("authorization: Bearer {enough}");
        let bare = format!("token: {enough}");
        for (headers, path) in [
            (vec![], format!("{path}?token={enough}")),
            (vec![bearer.as_str()], (*path).to_owned()),
            (vec![bare.as_str()], (*path).to_owned()),
        ] {
            let answer = with(&server, &headers, method, &path).await;
            assert!(!matches!(answer.status, 401 | 403), "{method} {path}");
        }
        let both = asked(&[&bare], &format!("{path}?token={enough}")).await;
        assert_eq!(both.0, 403, "{method} {path}");
    }
}

#[tokio::test]
async fn streams_are_of_the_project_that_who_asks_is_at_home_in() {
    let server = TestServer::guarded().await;
    let admin = server.credential("_system", &[("*", "admin", "")]).await;
    let bearer = format!("authorization: Bearer {}", token(&admin));
    let headers = [&[bearer.as_str()], JSON].concat();
    let body = br#"{"name":"acme"}"#;
    let made = server.ask("POST", "/v1/projects", &headers, body).await;
    assert_eq!(made.status, 201);
    let theirs = token(&server.credential("acme", &[("acme", "streams", "")]).await);
    let ours = [("default", "streams", "")];
    let ours = token(&server.credential("default", &ours).await);
    let path = format!("/streams?token={theirs}");
    let made = ask(&server, "POST", &path, r#"{"name":"one"}"#).await;
    let id = text(&made.json()["id"]);
    let status = async |token: &str| {
        let path = format!("/streams/{id}?token={token}");
        with(&server, &[], "GET", &path).await.status
    };
    assert_eq!((status(&theirs).await, status(&ours).await), (200, 404));
}

#[tokio::test]
async fn what_a_stream_is_made_of_has_to_be_granted() {
    let server = TestServer::guarded().await;
    let own = [("default", "streams", "data")];
    let own = token(&server.credential("default", &own).await);
    let path = format!("/validic/streams?token={own}");
    let asked = async |body: &[u8]| server.ask("POST", &path, JSON, body).await;
    assert_eq!(refusal(&asked(br#"{"name":"one"}"#).await).0, 403);
    let made = asked(br#"{"name":"one","event_type_filter":["data"]}"#).await;
    assert_eq!(made.status, 201, "{}", made.text());
}

#[tokio::test]
async fn a_web_page_has_to_say_that_it_sends_json() {
    let server = TestServer::start().await;
    let page = ["origin: http://127.0.0.1:1", "content-type: text/plain"];
    let body = br#"{"name":"one"}"#;
    let refused = server.ask("POST", "/validic/streams", &page, body).await;
    assert_eq!(refusal(&refused).0, 415);
    let plain = server.ask("POST", "/validic/streams", &page[1..], body);
    assert_eq!(plain.await.status, 201);
}
