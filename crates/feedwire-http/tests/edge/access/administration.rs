//! Projects and credentials made, changed and removed over HTTP, and the record of it.

use feedwire_testkit::{Asks, Setup, TestServer};
use serde_json::{Value, json};

use super::{admin, ask, bearer, project};

const AUDIT: &str = "/v1/projects/_system/feeds/_audit";

/// What is on record: types, subjects and whether it failed.
async fn record(server: &TestServer, admin: &str) -> Vec<(String, String, bool)> {
    let page = ask(server, admin, "GET", AUDIT, "").await.json();
    let events = page["events"].as_array().expect("events").iter();
    let told = events.map(|event| {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        assert!(event["data"]["by"]["key_id"].is_string(), "{event}");
        assert!(event["data"]["by"]["address"].is_string(), "{event}");
        (
            text("type"),
            text("subject"),
            event["data"].get("failed").is_some(),
        )
    });
    told.collect()
}

/// Makes a credential, and returns it with its secret.
async fn made(server: &TestServer, token: &str, home: &str, grants: Value) -> Value {
    let path = format!("/v1/projects/{home}/credentials");
    let body = json!({ "display_name": "a partner", "grants": grants }).to_string();
    let answer = ask(server, token, "POST", &path, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[tokio::test]
async fn a_project_is_made_shown_listed_and_deleted_in_two_steps() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    project(&server, &admin, "acme").await;
    project(&server, &admin, "acme.eu").await;
    let get = async |path: &str| ask(&server, &admin, "GET", path, "").await;
    assert_eq!(get("/v1/projects/acme.eu").await.json()["parent"], "acme");
    let names = async |query: &str| {
        let list = get(&format!("/v1/projects{query}")).await.json();
        let names = list["projects"].as_array().expect("projects").iter();
        let names: Vec<String> = names.map(|one| text(&one["name"]).to_owned()).collect();
        (names, list["next"].clone())
    };
    let all = ["_system", "acme", "acme.eu", "default"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(names("").await, (all.clone(), Value::Null));
    assert_eq!(names("?limit=2").await, (all[..2].to_vec(), json!("acme")));
    assert_eq!(
        names("?limit=2&after=acme").await,
        (all[2..].to_vec(), Value::Null)
    );

    let again = ask(
        &server,
        &admin,
        "POST",
        "/v1/projects",
        r#"{"name":"acme"}"#,
    )
    .await;
    assert_eq!(again.problem(), (409, "already-exists".to_owned()));
    for name in ["_system", "nowhere.eu", "acme.", ".x", "a b", ""] {
        let body = json!({ "name": name }).to_string();
        let answer = ask(&server, &admin, "POST", "/v1/projects", &body).await;
        assert!(
            matches!(answer.problem().0, 400 | 409),
            "{name}: {}",
            answer.text()
        );
    }

    let delete = async |path: &str| ask(&server, &admin, "DELETE", path, "").await;
    let parent = delete("/v1/projects/acme").await;
    assert_eq!(parent.problem(), (409, "has-children".to_owned()));
    let step = delete("/v1/projects/acme.eu").await;
    let token = text(&step.json()["delete_token"]).to_owned();
    assert_eq!(get("/v1/projects/acme.eu").await.status, 200);
    let other = delete(&format!("/v1/projects/default?delete_token={token}")).await;
    assert_eq!(other.problem(), (412, "precondition-failed".to_owned()));
    assert_eq!(
        delete(&format!("/v1/projects/acme.eu?delete_token={token}"))
            .await
            .status,
        204
    );
    assert_eq!(get("/v1/projects/acme.eu").await.problem().0, 404);
    let system = delete("/v1/projects/_system").await;
    assert_eq!(system.problem(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn a_project_made_again_is_not_open_to_those_of_the_one_before() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    project(&server, &admin, "acme").await;
    let grants = json!([{ "project": "acme", "rights": ["read", "publish"] }]);
    let own = made(&server, &admin, "acme", grants.clone()).await;
    let foreign = made(&server, &admin, "_system", grants).await;
    let event = r#"{"type":"secret"}"#;
    let publish = "/v1/projects/acme/feeds/f/events";
    assert_eq!(
        ask(&server, text(&own["token"]), "POST", publish, event)
            .await
            .status,
        200
    );
    let step = ask(&server, &admin, "DELETE", "/v1/projects/acme", "")
        .await
        .json();
    let confirm = format!(
        "/v1/projects/acme?delete_token={}",
        text(&step["delete_token"])
    );
    assert_eq!(
        ask(&server, &admin, "DELETE", &confirm, "").await.status,
        204
    );
    project(&server, &admin, "acme").await;
    let read = "/v1/projects/acme/feeds/f";
    assert_eq!(
        ask(&server, text(&own["token"]), "GET", read, "")
            .await
            .status,
        401
    );
    assert_eq!(
        ask(&server, text(&foreign["token"]), "GET", read, "")
            .await
            .status,
        403
    );
    let page = ask(&server, &admin, "GET", read, "").await;
    assert_eq!(page.positions(), Vec::<u64>::new());
}

#[tokio::test]
async fn a_server_that_asks_nobody_deletes_no_project_that_credentials_are_of() {
    for (asks, status) in [(Asks::Nobody, 200), (Asks::NobodyOfThose, 403)] {
        let server = TestServer::set_up(Setup {
            asks,
            ..Setup::default()
        })
        .await;
        let answer = server.ask("DELETE", "/v1/projects/default", &[], b"").await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_credential_is_made_shown_changed_rotated_and_revoked_and_its_secret_told_once() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let grants = json!([{ "project": "default", "rights": ["read"], "feeds": ["orders.*"], "subjects": ["42"] }]);
    let partner = made(&server, &admin, "default", grants.clone()).await;
    let (token, secret) = (text(&partner["token"]), text(&partner["secret"]));
    let path = format!(
        "/v1/projects/default/credentials/{}",
        text(&partner["key_id"])
    );
    let shown = ask(&server, &admin, "GET", &path, "").await;
    assert!(!shown.text().contains(secret), "{}", shown.text());
    assert_eq!(shown.json()["grants"], grants);
    let list = ask(
        &server,
        &admin,
        "GET",
        "/v1/projects/default/credentials",
        "",
    )
    .await;
    assert!(!list.text().contains(secret));
    assert_eq!(list.json()["credentials"].as_array().map(Vec::len), Some(1));

    let tag = shown.header("etag").expect("a tag").to_owned();
    let change = async |if_match: &str, body: Value| {
        let (proof, condition) = (bearer(&admin), format!("if-match: {if_match}"));
        let headers = [proof.as_str(), "content-type: application/json", &condition];
        server
            .ask("PATCH", &path, &headers, body.to_string().as_bytes())
            .await
    };
    let stale = change("\"0\"", json!({ "enabled": false })).await;
    assert_eq!(stale.problem(), (412, "precondition-failed".to_owned()));
    let changed = change(&tag, json!({ "enabled": false, "display_name": "gone" })).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["display_name"], "gone");
    let read = "/v1/projects/default/feeds/orders.eu";
    assert_eq!(ask(&server, token, "GET", read, "").await.status, 401);
    assert_eq!(change("*", json!({ "enabled": true })).await.status, 200);
    assert_eq!(ask(&server, token, "GET", read, "").await.status, 200);

    let rotate = format!("{path}/rotate");
    let rotated = ask(&server, &admin, "POST", &rotate, r#"{"overlap":"1d"}"#).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    assert!(rotated.json()["old_secret_until"].is_string());
    let new = text(&rotated.json()["token"]).to_owned();
    assert_ne!(new, token);
    assert_eq!(ask(&server, token, "GET", read, "").await.status, 200);
    assert_eq!(ask(&server, &new, "GET", read, "").await.status, 200);
    // Without an overlap, without a body.
    assert_eq!(
        server
            .ask("POST", &rotate, &[&bearer(&admin)], b"")
            .await
            .status,
        200
    );
    assert_eq!(ask(&server, token, "GET", read, "").await.status, 401);
    assert_eq!(ask(&server, &new, "GET", read, "").await.status, 401);

    assert_eq!(ask(&server, &admin, "DELETE", &path, "").await.status, 204);
    assert_eq!(
        ask(&server, &admin, "GET", &path, "").await.problem().0,
        404
    );
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    for name in ["acme", "acme.eu", "other"] {
        project(&server, &admin, name).await;
    }
    let grant = |project: &str| json!([{ "project": project, "rights": ["read"] }]);
    let of_acme = made(
        &server,
        &admin,
        "acme",
        json!([{ "project": "acme", "rights": ["admin"] }]),
    )
    .await;
    let token = text(&of_acme["token"]);
    let create = async |home: &str, grants: Value| {
        let path = format!("/v1/projects/{home}/credentials");
        let body = json!({ "grants": grants }).to_string();
        ask(&server, token, "POST", &path, &body).await.status
    };
    assert_eq!(create("acme", grant("acme")).await, 201);
    assert_eq!(create("acme", grant("acme.eu")).await, 403);
    assert_eq!(create("acme", grant("acme.*")).await, 403);
    assert_eq!(create("acme", grant("other")).await, 403);
    assert_eq!(create("acme", grant("*")).await, 403);
    assert_eq!(create("other", grant("acme")).await, 403);
    assert_eq!(create("_system", grant("acme")).await, 403);
    // Nor by changing what they have.
    let path = format!("/v1/projects/acme/credentials/{}", text(&of_acme["key_id"]));
    let body = json!({ "grants": grant("*") }).to_string();
    assert_eq!(ask(&server, token, "PATCH", &path, &body).await.status, 403);
    // A project below is made by who administers the one above, one at the top by who administers all.
    let make = async |name: &str| {
        let body = json!({ "name": name }).to_string();
        ask(&server, token, "POST", "/v1/projects", &body)
            .await
            .status
    };
    assert_eq!(make("acme.us").await, 201);
    assert_eq!(make("other.us").await, 403);
    assert_eq!(make("mine").await, 403);
    // Nor are one's own limits one's own to lift.
    let limits = ask(&server, token, "PUT", "/v1/projects/acme/limits", "{}").await;
    assert_eq!(limits.problem(), (403, "forbidden".to_owned()));
    // What is listed is what is seen.
    let list = ask(&server, token, "GET", "/v1/projects", "").await.json();
    assert_eq!(list["projects"].as_array().map(Vec::len), Some(1), "{list}");
}

#[tokio::test]
async fn every_change_is_on_record_before_it_is_made() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    project(&server, &admin, "acme").await;
    let grants = json!([{ "project": "acme", "rights": ["read"] }]);
    let partner = made(&server, &admin, "acme", grants).await;
    let credential = format!("credentials/{}", text(&partner["key_id"]));
    let done = async |method: &str, path: &str, body: &str| {
        let path = format!("/v1/projects{path}");
        ask(&server, &admin, method, &path, body).await
    };
    let of_partner = format!("/acme/{credential}");
    for (method, path, body) in [
        ("PATCH", &*of_partner, r#"{"enabled":false}"#),
        ("POST", &*format!("{of_partner}/rotate"), "{}"),
        ("DELETE", &*of_partner, ""),
        ("PUT", "/acme/limits", r#"{"readers":5}"#),
        ("PUT", "/acme/retention", r#"{"age":"30d"}"#),
        ("POST", "/acme/erasures", r#"{"subject":"42"}"#),
    ] {
        let answer = done(method, path, body).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text());
    }
    let again = done("POST", "", r#"{"name":"acme"}"#).await;
    assert_eq!(again.problem().0, 409);
    let step = done("DELETE", "/acme", "").await.json();
    let confirmed = format!("/acme?delete_token={}", text(&step["delete_token"]));
    assert_eq!(done("DELETE", &confirmed, "").await.status, 204);
    let expected = [
        ("project.create", "projects/acme", false),
        ("credential.create", &credential, false),
        ("credential.change", &credential, false),
        ("credential.rotate", &credential, false),
        ("credential.revoke", &credential, false),
        ("project.limits", "projects/acme", false),
        ("project.retention", "projects/acme", false),
        ("subject.erase", "projects/acme", false),
        ("project.create", "projects/acme", false),
        ("project.create", "projects/acme", true),
        ("project.delete", "projects/acme", false),
    ];
    let expected = expected.map(|(ty, subject, failed)| (ty.into(), subject.into(), failed));
    assert_eq!(record(&server, &admin).await, expected);
    let told = ask(&server, &admin, "GET", AUDIT, "").await;
    assert!(!told.text().contains(text(&partner["secret"])));
}

#[tokio::test]
async fn nobody_writes_on_record_themselves_and_nobody_takes_anything_away() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let erasure = r#"{"feed":"_audit"}"#;
    for (path, body) in [
        (&*format!("{AUDIT}/events"), r#"{"type":"a"}"#),
        (
            "/v1/projects/default/feeds/_audit/events",
            r#"{"type":"a"}"#,
        ),
        ("/v1/projects/_system/erasures", erasure),
    ] {
        let answer = ask(&server, &admin, "POST", path, body).await;
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_credential_that_cannot_be_is_told_why() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let grant = |members: Value| {
        let mut grant = json!({ "project": "default", "rights": ["read"] });
        for (name, value) in members.as_object().expect("members") {
            grant[name] = value.clone();
        }
        json!({ "grants": [grant] })
    };
    let mut past = grant(json!({}));
    past["expires_at"] = json!("2001-01-01T00:00:00Z");
    let confined = json!({ "rights": ["admin"], "feeds": ["a"] });
    for (body, words) in [
        (json!({ "grants": [] }), "1 to 100 grants"),
        (grant(json!({ "rights": ["write"] })), "a right is publish"),
        (grant(json!({ "rights": [] })), "has no rights"),
        (grant(confined), "cannot be confined"),
        (grant(json!({ "project": "other" })), "other"),
        (grant(json!({ "project": "a*" })), "grant 0: project"),
        (grant(json!({ "feeds": ["*.x"] })), "grant 0: feeds"),
        (past, "to come"),
    ] {
        let path = "/v1/projects/default/credentials";
        let answer = ask(&server, &admin, "POST", path, &body.to_string()).await;
        let expected = (400, "invalid-parameter".to_owned());
        assert_eq!(answer.problem(), expected, "{body}");
        let told = answer.json();
        let detail = told["detail"].as_str().expect("a detail");
        assert!(detail.contains(words), "{detail}");
    }
}
