//! What somebody tries who may do a part of it.

use feedwire_testkit::TestServer;
use serde_json::json;

use super::{admin, ask, bearer, project};

#[tokio::test]
async fn whoever_may_not_give_what_a_credential_may_does_not_give_it_again_either() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    project(&server, &admin, "acme").await;
    project(&server, &admin, "acme.eu").await;
    let wide = [("acme", "admin", ""), ("acme.*", "admin", "")];
    let wide = server.credential("acme", &wide).await;
    let narrow = server.credential("acme", &[("acme", "admin", "")]).await;
    let narrow = narrow.secret.token().to_string();
    let path = format!("/v1/projects/acme/credentials/{}", wide.credential.key_id);
    let change = async |who: &str, change: serde_json::Value| {
        let answer = ask(&server, who, "PATCH", &path, &change.to_string()).await;
        answer.status
    };
    // Whoever manages it may take from it.
    assert_eq!(change(&narrow, json!({ "enabled": false })).await, 200);
    assert_eq!(change(&narrow, json!({ "enabled": true })).await, 403);
    assert_eq!(change(&admin, json!({ "enabled": true })).await, 200);
    assert_eq!(change(&narrow, json!({ "enabled": true })).await, 200);
    let sooner = json!({ "expires_at": "2100-01-01T00:00:00Z" });
    assert_eq!(change(&narrow, sooner).await, 200);
    let later = json!({ "expires_at": "2100-01-01T00:00:01Z" });
    assert_eq!(change(&narrow, later.clone()).await, 403);
    assert_eq!(change(&narrow, json!({ "expires_at": null })).await, 403);
    assert_eq!(change(&admin, later).await, 200);
    // What it may from then on is all that is given.
    let own = json!({ "expires_at": null, "grants": [{ "project": "acme", "rights": ["read"] }] });
    assert_eq!(change(&narrow, own).await, 200);
}

#[tokio::test]
async fn a_feed_that_may_not_be_read_is_not_asked_about_without_a_body_either() {
    let server = TestServer::guarded().await;
    let reader = server
        .credential("default", &[("default", "read", "orders")])
        .await;
    let proof = bearer(&reader.secret.token());
    for (feed, status) in [("orders", 200), ("others", 403), ("_all", 200)] {
        let path = format!("/v1/projects/default/feeds/{feed}");
        for method in ["GET", "HEAD"] {
            let answer = server.ask(method, &path, &[&proof], b"").await;
            assert_eq!(answer.status, status, "{method} {feed}");
        }
    }
}

#[tokio::test]
async fn nobody_in_particular_has_a_large_body_taken_in() {
    let server = TestServer::guarded().await;
    let form = "content-type: application/x-www-form-urlencoded";
    let mut socket = server.connect().await;
    socket
        .request(
            "POST",
            "/oauth2/token",
            &[form, "content-length: 32769"],
            b"",
        )
        .await;
    assert_eq!(
        socket.answer("POST").await.problem(),
        (413, "body-too-large".to_owned())
    );
    let padded = format!("grant_type=x&scope={}", "x".repeat(32_000));
    let answer = server
        .ask("POST", "/oauth2/token", &[form], padded.as_bytes())
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn a_list_that_has_nothing_in_it_grants_nothing_and_one_with_too_much_is_refused() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let many: Vec<String> = (0..1_000).map(|i| format!("{i:0100}")).collect();
    let refused = [
        (json!({ "feeds": [] }), "an empty list grants nothing"),
        (json!({ "subjects": [] }), "an empty list grants nothing"),
        (json!({ "labels": [] }), "an empty list grants nothing"),
        (json!({ "subjects": many }), "up to 65536 bytes"),
    ];
    for (members, words) in refused {
        let mut grant = json!({ "project": "default", "rights": ["read"] });
        for (name, value) in members.as_object().expect("members") {
            grant[name] = value.clone();
        }
        let body = json!({ "grants": [grant] }).to_string();
        let path = "/v1/projects/default/credentials";
        let answer = ask(&server, &admin, "POST", path, &body).await;
        assert_eq!(answer.problem(), (400, "invalid-parameter".to_owned()));
        let told = answer.json()["detail"].to_string();
        assert!(told.contains(words), "{told}");
    }
}
