//! Every method of every route, asked by everybody who may not and by somebody who may.

use std::collections::BTreeMap;
use std::time::Duration;

use feedwire_auth::{CredentialChange, Expiry};
use feedwire_testkit::TestServer;

use super::{admin, ask, bearer, project};

/// What a method of a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// To be somebody.
    Proof,
    /// To have any right in the project.
    Membership,
    Right(&'static str),
    /// To administer the server.
    Server,
}

/// A route that is not here, or has a method that is not, fails this.
const RULES: &[(&str, &str, Takes)] = &[
    ("/healthz", "get", Takes::Nothing),
    ("/readyz", "get", Takes::Nothing),
    ("/openapi.json", "get", Takes::Nothing),
    ("/metrics", "get", Takes::Server),
    ("/oauth2/token", "post", Takes::Nothing),
    ("/.well-known/jwks.json", "get", Takes::Nothing),
    (
        "/.well-known/oauth-authorization-server",
        "get",
        Takes::Nothing,
    ),
    ("/v1/projects", "get", Takes::Proof),
    ("/v1/projects", "post", Takes::Proof),
    ("/v1/projects/{project}", "get", Takes::Membership),
    ("/v1/projects/{project}", "delete", Takes::Right("admin")),
    ("/v1/projects/{project}/limits", "get", Takes::Membership),
    ("/v1/projects/{project}/limits", "put", Takes::Membership),
    (
        "/v1/projects/{project}/credentials",
        "get",
        Takes::Right("admin"),
    ),
    (
        "/v1/projects/{project}/credentials",
        "post",
        Takes::Right("admin"),
    ),
    (
        "/v1/projects/{project}/credentials/{key_id}",
        "get",
        Takes::Right("admin"),
    ),
    (
        "/v1/projects/{project}/credentials/{key_id}",
        "patch",
        Takes::Right("admin"),
    ),
    (
        "/v1/projects/{project}/credentials/{key_id}",
        "delete",
        Takes::Right("admin"),
    ),
    (
        "/v1/projects/{project}/credentials/{key_id}/rotate",
        "post",
        Takes::Right("admin"),
    ),
    ("/v1/projects/{project}/feeds", "get", Takes::Right("read")),
    (
        "/v1/projects/{project}/feeds/{feed}",
        "get",
        Takes::Right("read"),
    ),
    (
        "/v1/projects/{project}/feeds/{feed}/events",
        "post",
        Takes::Right("publish"),
    ),
    (
        "/v1/projects/{project}/feeds/{feed}/entities",
        "get",
        Takes::Right("read"),
    ),
    (
        "/v1/projects/{project}/feeds/{feed}/entities",
        "post",
        Takes::Right("publish"),
    ),
    (
        "/v1/projects/{project}/feeds/{feed}/entities/{subject}",
        "get",
        Takes::Right("read"),
    ),
    (
        "/v1/projects/{project}/feeds/{feed}/entities/{subject}",
        "put",
        Takes::Right("publish"),
    ),
    (
        "/v1/projects/{project}/feeds/{feed}/entities/{subject}",
        "patch",
        Takes::Right("publish"),
    ),
    (
        "/v1/projects/{project}/feeds/{feed}/entities/{subject}",
        "delete",
        Takes::Right("publish"),
    ),
    (
        "/v1/projects/{project}/feeds/{feed}/loads",
        "post",
        Takes::Right("admin"),
    ),
    ("/v1/projects/{project}/loads", "get", Takes::Right("admin")),
    (
        "/v1/projects/{project}/loads/{id}",
        "get",
        Takes::Right("admin"),
    ),
    (
        "/v1/projects/{project}/loads/{id}/cancel",
        "post",
        Takes::Right("admin"),
    ),
    (
        "/v1/projects/{project}/subjects/{subject}/labels",
        "get",
        Takes::Right("read"),
    ),
    (
        "/v1/projects/{project}/subjects/{subject}/labels",
        "put",
        Takes::Right("publish"),
    ),
    (
        "/v1/projects/{project}/retention",
        "get",
        Takes::Right("read"),
    ),
    (
        "/v1/projects/{project}/retention",
        "put",
        Takes::Right("admin"),
    ),
    (
        "/v1/projects/{project}/erasures",
        "post",
        Takes::Right("admin"),
    ),
    (
        "/v1/projects/{project}/erasures/{id}",
        "get",
        Takes::Right("admin"),
    ),
    (
        "/v1/projects/{project}/streams",
        "get",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams",
        "post",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams/{name}",
        "get",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams/{name}",
        "patch",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams/{name}",
        "delete",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams/{name}/connect",
        "get",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams/{name}/ack",
        "post",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams/{name}/nack",
        "post",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams/{name}/seek",
        "post",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams/{name}/dead-letters",
        "get",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams/{name}/dead-letters/redrive",
        "post",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/streams/{name}/dead-letters/drop",
        "post",
        Takes::Right("streams"),
    ),
    (
        "/v1/projects/{project}/connectors",
        "get",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors",
        "post",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}",
        "get",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}",
        "patch",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}",
        "delete",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}/pause",
        "post",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}/resume",
        "post",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}/secret",
        "post",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}/test",
        "post",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}/deliveries",
        "get",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}/metrics",
        "get",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}/replays",
        "post",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}/dead-letters",
        "get",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}/dead-letters/redrive",
        "post",
        Takes::Right("connectors"),
    ),
    (
        "/v1/projects/{project}/connectors/{name}/dead-letters/drop",
        "post",
        Takes::Right("connectors"),
    ),
];

/// Every route with its methods, as the description has them: a test holds that against the routes themselves.
async fn described(server: &TestServer) -> BTreeMap<(String, String), bool> {
    let document = server.ask("GET", "/openapi.json", &[], b"").await.json();
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").iter();
        let methods = methods.filter(|(name, _)| *name != "parameters" && *name != "head");
        methods.map(|(method, operation)| {
            let is_secured = operation.get("security").is_some();
            ((path.clone(), method.clone()), is_secured)
        })
    });
    operations.collect()
}

fn address(path: &str, project: &str) -> String {
    path.replace("{project}", project)
        .replace("{key_id}", "aaaaaaaaaaaaaaaaaaaa")
        .replace("{feed}", "orders")
        .replace("{subject}", "42")
        .replace("{id}", "e1")
}

#[tokio::test]
async fn every_method_of_every_route_has_its_rule_and_the_description_says_so() {
    let server = TestServer::guarded().await;
    let rules: BTreeMap<(String, String), bool> = RULES
        .iter()
        .map(|(path, method, takes)| {
            (
                ((*path).to_owned(), (*method).to_owned()),
                *takes != Takes::Nothing,
            )
        })
        .collect();
    assert_eq!(described(&server).await, rules);
}

#[tokio::test]
async fn who_may_not_is_refused_and_who_may_is_not() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    project(&server, &admin, "acme").await;
    project(&server, &admin, "other").await;
    let token = async |home: &str, rights: &str| {
        let made = server.credential(home, &[(home, rights, "")]).await;
        made.secret.token().to_string()
    };
    let elsewhere = token("other", "admin").await;
    for (path, method, takes) in RULES {
        let method = method.to_ascii_uppercase();
        let path = address(path, "acme");
        let kind = async |token: &str| {
            let answer = ask(&server, token, &method, &path, "{}").await;
            let refused = matches!(answer.status, 401 | 403);
            refused.then(|| answer.problem())
        };
        let unauthorized = (401, "unauthorized".to_owned());
        let json = ["content-type: application/json"];
        let nobody = server.ask(&method, &path, &json, b"{}").await;
        if *takes == Takes::Nothing {
            // Its own 401 is that of who is to be exchanged for a token.
            assert_ne!(nobody.status, 403, "{method} {path}");
            continue;
        }
        assert_eq!(nobody.problem(), unauthorized, "{method} {path}");
        let challenge = nobody.header("www-authenticate");
        assert_eq!(challenge, Some(r#"Bearer realm="feedwire""#));
        let wrong = Some((401, "invalid-credential".to_owned()));
        assert_eq!(kind("fwk_nobody_nothing").await, wrong, "{method} {path}");
        let forbidden = Some((403, "forbidden".to_owned()));
        // Another project's admin, whether the project is there or not.
        if *takes != Takes::Proof {
            assert_eq!(kind(&elsewhere).await, forbidden, "{method} {path}");
            let absent = path.replace("acme", "absent");
            let answers =
                [&path, &absent].map(|path| ask(&server, &elsewhere, &method, path, "{}"));
            let [there, absent] = answers;
            let (there, absent) = (there.await, absent.await);
            assert_eq!(there.body, absent.body, "{method} {path}");
        }
        // Every right but the one.
        if let Takes::Right(needed) = takes {
            let others = ["publish", "read", "streams", "connectors"];
            let others: Vec<&str> = others.into_iter().filter(|right| right != needed).collect();
            let narrow = token("acme", &others.join(",")).await;
            assert_eq!(kind(&narrow).await, forbidden, "{method} {path}");
            let enough = token("acme", needed).await;
            assert_eq!(kind(&enough).await, None, "{method} {path}");
        }
        if *takes == Takes::Server {
            let own = token("acme", "admin").await;
            assert_eq!(kind(&own).await, forbidden, "{method} {path}");
        }
        if *takes != Takes::Membership || method == "GET" {
            let body = if path == "/v1/projects" {
                r#"{"name":"new"}"#
            } else {
                "{}"
            };
            let answer = ask(&server, &admin, &method, &path, body).await;
            assert!(
                !matches!(answer.status, 401 | 403),
                "{method} {path}: {}",
                answer.text()
            );
        }
    }
}

#[tokio::test]
async fn a_credential_that_is_revoked_or_expired_opens_no_door() {
    let server = TestServer::guarded().await;
    let revoked = server.credential("_system", &[("*", "admin", "")]).await;
    let (home, key_id) = (&revoked.credential.home, revoked.credential.key_id);
    let done = server.auth().revoke(home, key_id, None).await;
    done.expect("it is there");
    let expired = server.credential("_system", &[("*", "admin", "")]).await;
    let end = feedwire_core::Clock::now(&*server.clock).after(Duration::from_secs(1));
    let change = CredentialChange {
        expires_at: Some(Expiry::At(end)),
        ..CredentialChange::default()
    };
    let (home, key_id) = (&expired.credential.home, expired.credential.key_id);
    let changed = server.auth().change(home, key_id, change, None).await;
    drop(changed.expect("it is there"));
    server.clock.advance(Duration::from_secs(1));
    let over = [revoked, expired].map(|one| one.secret.token().to_string());
    let doors = RULES
        .iter()
        .filter(|(_, _, takes)| *takes != Takes::Nothing);
    for (path, method, _) in doors {
        let (method, path) = (method.to_ascii_uppercase(), address(path, "default"));
        for token in &over {
            let answer = ask(&server, token, &method, &path, "{}").await;
            let expected = (401, "invalid-credential".to_owned());
            assert_eq!(answer.problem(), expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn metrics_at_their_own_listener_ask_for_nothing() {
    let server = TestServer::set_up(feedwire_testkit::Setup {
        asks: feedwire_testkit::Asks::Everybody,
        has_metrics_apart: true,
        ..Default::default()
    })
    .await;
    let mut apart = feedwire_testkit::Socket::connect(server.metrics_address()).await;
    apart.request("GET", "/metrics", &[], b"").await;
    assert_eq!(apart.answer("GET").await.status, 200);
    let admin = admin(&server).await;
    let answer = server.ask("GET", "/metrics", &[&bearer(&admin)], b"").await;
    assert_eq!(answer.problem(), (404, "not-found".to_owned()));
}
