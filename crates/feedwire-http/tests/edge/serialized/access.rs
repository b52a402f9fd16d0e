//! Who may have done what, proven by the two headers of this dialect.

use feedwire_auth::Created;
use feedwire_testkit::{Answer, TestServer};
use serde_json::json;

use super::{ORDER, refusal};

const A: &str = "5d3a2c4e-0000-4000-8000-000000000001";

/// Each method of each route, with the right that it takes.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/feeds", "read"),
    ("HEAD", "/feeds", "read"),
    ("GET", "/feeds/count", "read"),
    ("GET", "/feeds/order", "read"),
    ("HEAD", "/feeds/order", "read"),
    ("GET", "/feeds/order/count", "read"),
    ("GET", "/aggregates/order", "read"),
    ("DELETE", "/aggregates/order", "admin"),
    ("POST", "/aggregates/order/events", "publish"),
    (
        "GET",
        "/aggregates/order/723ecfce-14e9-4889-98d5-a3d0ad54912f",
        "read",
    ),
    (
        "HEAD",
        "/aggregates/order/723ecfce-14e9-4889-98d5-a3d0ad54912f",
        "read",
    ),
    (
        "DELETE",
        "/aggregates/order/723ecfce-14e9-4889-98d5-a3d0ad54912f",
        "admin",
    ),
    (
        "POST",
        "/aggregates/order/723ecfce-14e9-4889-98d5-a3d0ad54912f/events",
        "publish",
    ),
    ("GET", "/tenants", "admin of home"),
    ("POST", "/tenants", "admin of home"),
    (
        "PUT",
        "/tenants/5d3a2c4e-0000-4000-8000-000000000001",
        "admin of home",
    ),
    (
        "DELETE",
        "/tenants/5d3a2c4e-0000-4000-8000-000000000001",
        "admin of home",
    ),
    (
        "POST",
        "/tenants/5d3a2c4e-0000-4000-8000-000000000001/undelete",
        "admin of home",
    ),
];

/// The two headers that prove somebody by these.
fn headers(key_id: &str, secret: &str) -> [String; 2] {
    [
        format!("Serialized-Access-Key: {key_id}"),
        format!("Serialized-Secret-Access-Key: {secret}"),
    ]
}

fn proof(made: &Created) -> [String; 2] {
    headers(made.credential.key_id.as_str(), made.secret.as_str())
}

async fn ask(
    server: &TestServer,
    headers: &[String],
    method: &str,
    path: &str,
    body: &str,
) -> Answer {
    let headers = headers.iter().map(String::as_str);
    let headers: Vec<&str> = headers.chain(["content-type: application/json"]).collect();
    let path = format!("/serialized{path}");
    server.ask(method, &path, &headers, body.as_bytes()).await
}

#[tokio::test]
async fn each_method_of_each_route_takes_its_right_and_no_less() {
    let server = TestServer::guarded().await;
    let all = [("default", "admin", ""), ("default.*", "admin", "")];
    let admin = proof(&server.credential("default", &all).await);
    let one = format!(r#"{{"tenantId":"{A}"}}"#);
    assert_eq!(
        ask(&server, &admin, "POST", "/tenants", &one).await.status,
        200
    );
    let none = proof(
        &server
            .credential("other", &[("other.x", "admin", "")])
            .await,
    );
    let elsewhere = proof(
        &server
            .credential("_system", &[("elsewhere", "admin", "")])
            .await,
    );
    let narrow = |right: &'static str| match right {
        "read" => "publish",
        "publish" => "read",
        _ => "read,publish,streams,connectors",
    };
    for (method, path, right) in ROUTES {
        let asked = async |headers: &[String]| ask(&server, headers, method, path, "").await;
        let told = async |headers: &[String], status: u16| {
            let answer = asked(headers).await;
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
            if *method != "HEAD" {
                refusal(&answer);
            }
        };
        told(&[], 401).await;
        let key = &admin[0]["Serialized-Access-Key: ".len()..];
        told(&headers(key, "wrong"), 401).await;
        told(&headers("dixeymjfj8b75ekvcf0d", "wrong"), 401).await;
        told(&admin[..1], 401).await;
        told(&none, 403).await;
        told(&elsewhere, 403).await;
        let grants = [
            ("default", narrow(right), ""),
            ("default.*", narrow(right), ""),
        ];
        let narrow = proof(&server.credential("default", &grants).await);
        told(&narrow, 403).await;
        let enough = right.split(' ').next().expect("a right");
        let enough = proof(
            &server
                .credential("default", &[("default", enough, "")])
                .await,
        );
        let answer = asked(&enough).await;
        assert!(
            !matches!(answer.status, 401 | 403),
            "{method} {path}: {}",
            answer.text()
        );
        // Nor is a tenant's project reached by who is granted the one above alone.
        if !path.starts_with("/tenants") {
            let tenant = format!("Serialized-Tenant-Id: {A}");
            told(&[&enough[..], std::slice::from_ref(&tenant)].concat(), 403).await;
            let reached = asked(&[&admin[..], &[tenant]].concat()).await;
            assert!(!matches!(reached.status, 401 | 403), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn whoever_is_granted_some_feeds_sees_those_and_no_others() {
    let server = TestServer::guarded().await;
    let admin = proof(
        &server
            .credential("default", &[("default", "admin", "")])
            .await,
    );
    let event = r#"{"events":[{"eventType":"Placed"}]}"#;
    for ty in ["order", "stock"] {
        let path = format!("/aggregates/{ty}/{ORDER}/events");
        assert_eq!(ask(&server, &admin, "POST", &path, event).await.status, 200);
    }
    let grants = [("default", "read,publish", "order")];
    let own = proof(&server.credential("default", &grants).await);
    let get = async |path: &str| ask(&server, &own, "GET", path, "").await;
    assert_eq!(
        super::told(&get("/feeds/order").await.json()),
        (vec![1], false, 1)
    );
    assert_eq!(refusal(&get("/feeds/stock").await).0, 403);
    assert_eq!(
        refusal(&get(&format!("/aggregates/stock/{ORDER}")).await).0,
        403
    );
    assert_eq!(refusal(&get("/aggregates/stock").await).0, 403);
    assert_eq!(super::told(&get("/feeds/_all").await.json()).0, [1]);
    assert_eq!(get("/feeds/count").await.json()["totalCount"], 1);
    assert_eq!(
        get("/feeds").await.json()["feeds"].as_array().map(Vec::len),
        Some(1)
    );
    let path = format!("/aggregates/stock/{ORDER}/events");
    assert_eq!(
        refusal(&ask(&server, &own, "POST", &path, event).await).0,
        403
    );
}

#[tokio::test]
async fn what_is_left_of_the_requests_is_told_in_the_vendors_headers() {
    let server = TestServer::guarded().await;
    let admin = server.credential("_system", &[("*", "admin", "")]).await;
    let (token, headers) = (admin.secret.token().to_string(), proof(&admin));
    let unlimited = ask(&server, &headers, "GET", "/feeds", "").await;
    assert_eq!(unlimited.header("serialized-ratelimit-limit"), None);
    let bearer = format!("authorization: Bearer {token}");
    let limited = server
        .ask(
            "PUT",
            "/v1/projects/default/limits",
            &[&bearer, "content-type: application/json"],
            br#"{"requests_per_second":2}"#,
        )
        .await;
    assert_eq!(limited.status, 200, "{}", limited.text());
    let first = ask(&server, &headers, "GET", "/feeds", "").await;
    assert_eq!(first.header("serialized-ratelimit-limit"), Some("2"));
    assert_eq!(
        first.header("serialized-ratelimit-reset"),
        Some("1795248001")
    );
    let refused = loop {
        let answer = ask(&server, &headers, "GET", "/feeds", "").await;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(refusal(&refused).0, 429);
    assert_eq!(refused.header("serialized-ratelimit-remaining"), Some("0"));
    assert!(refused.header("retry-after").is_some());
}

#[tokio::test]
async fn whoever_may_read_some_subjects_learns_nothing_of_what_others_have() {
    let server = TestServer::guarded().await;
    let admin = server.credential("default", &[("default", "admin", "")]);
    let admin = admin.await;
    let event = r#"{"events":[{"eventType":"Placed"}]}"#;
    let path = format!("/aggregates/order/{ORDER}/events");
    let saved = ask(&server, &proof(&admin), "POST", &path, event).await;
    assert_eq!(saved.status, 200);
    let confined = json!({
        "display_name": "one",
        "grants": [{ "project": "default", "rights": ["read"], "subjects": ["another"] }],
    })
    .to_string();
    let path = "/v1/projects/default/credentials";
    let bearer = format!("authorization: Bearer {}", *admin.secret.token());
    let own = [bearer.as_str(), "content-type: application/json"];
    let made = server.ask("POST", path, &own, confined.as_bytes());
    let made = made.await.json();
    let member = |name: &str| made[name].as_str().expect("a text");
    let confined = headers(member("key_id"), member("secret"));
    let told = async |path: &str| {
        let answer = ask(&server, &confined, "GET", path, "").await;
        (answer.status, answer.text())
    };
    assert_eq!(told("/feeds/order").await, told("/feeds/nothing").await);
    assert_eq!(told("/feeds").await.1, r#"{"feeds":[]}"#);
}
