//! Who may have done what.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use feedwire_auth::Created;
use feedwire_testkit::{Answer, TestServer};

use super::{ids, refusal, success, text};

/// Each method of each route, with the right that it takes.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/projects/default", "read"),
    ("GET", "/projects/default/devices", "read"),
    ("POST", "/projects/default/devices", "publish"),
    ("GET", "/projects/default/devices:stream", "read"),
    ("POST", "/projects/default/devices:batchUpdate", "publish"),
    ("POST", "/projects/default/devices:transfer", "publish"),
    ("GET", "/projects/default/devices/x", "read"),
    ("DELETE", "/projects/default/devices/x", "admin"),
    ("POST", "/projects/default/devices/x:publish", "publish"),
    ("GET", "/projects/default/devices/x/events", "read"),
    ("GET", "/projects/default/dataconnectors", "connectors"),
    ("POST", "/projects/default/dataconnectors", "connectors"),
    ("GET", "/projects/default/dataconnectors/x", "connectors"),
    ("PATCH", "/projects/default/dataconnectors/x", "connectors"),
    ("DELETE", "/projects/default/dataconnectors/x", "connectors"),
    (
        "GET",
        "/projects/default/dataconnectors/x:metrics",
        "connectors",
    ),
    (
        "POST",
        "/projects/default/dataconnectors/x:sync",
        "connectors",
    ),
];

fn basic(made: &Created) -> String {
    let pair = format!(
        "{}:{}",
        made.credential.key_id.as_str(),
        made.secret.as_str()
    );
    format!("authorization: Basic {}", STANDARD.encode(pair))
}

fn bearer(made: &Created) -> String {
    format!("authorization: Bearer {}", *made.secret.token())
}

/// What is answered; of a stream the head alone.
async fn ask(server: &TestServer, proof: &str, method: &str, path: &str) -> Answer {
    let mut socket = server.connect().await;
    let path = format!("/disruptive/v2{path}");
    let headers: Vec<&str> = [proof]
        .into_iter()
        .filter(|proof| !proof.is_empty())
        .collect();
    socket.request(method, &path, &headers, b"{}").await;
    let head = socket.head().await;
    if head.header("transfer-encoding").is_some() {
        return head;
    }
    server.ask(method, &path, &headers, b"{}").await
}

/// The status of a refusal, in whichever of its shapes.
fn status(answer: &Answer, path: &str) -> u16 {
    if path.ends_with(":stream") {
        let code = answer.json()["error"]["code"].as_u64();
        assert_eq!(code, Some(u64::from(answer.status)));
        return answer.status;
    }
    refusal(answer).0
}

#[tokio::test]
async fn each_method_of_each_route_takes_its_right_and_no_less() {
    let server = TestServer::guarded().await;
    let elsewhere = server.credential("other", &[("other", "admin", "")]).await;
    for (method, path, right) in ROUTES {
        let asked = async |proof: &str| {
            let answer = ask(&server, proof, method, path).await;
            assert!(
                matches!(answer.status, 401 | 403),
                "{method} {path}: {}",
                answer.text()
            );
            status(&answer, path)
        };
        assert_eq!(asked("").await, 401, "{method} {path}");
        assert_eq!(
            asked("authorization: Basic eDp5").await,
            401,
            "{method} {path}"
        );
        assert_eq!(asked(&basic(&elsewhere)).await, 403, "{method} {path}");
        let narrow = match *right {
            "read" => "publish",
            "publish" => "read",
            "connectors" => "read,publish,streams",
            _ => "read,publish,streams,connectors",
        };
        let narrow = server
            .credential("default", &[("default", narrow, "")])
            .await;
        assert_eq!(asked(&basic(&narrow)).await, 403, "{method} {path}");
        let enough = server
            .credential("default", &[("default", right, "")])
            .await;
        for proof in [basic(&enough), bearer(&enough)] {
            let answer = ask(&server, &proof, method, path).await;
            assert!(!matches!(answer.status, 401 | 403), "{method} {path}");
        }
    }
    let projects = ask(&server, "", "GET", "/projects").await;
    assert_eq!(refusal(&projects).0, 401);
    let challenge = projects.header("www-authenticate");
    assert_eq!(challenge, Some(r#"Bearer realm="feedwire""#));
}

#[tokio::test]
async fn a_token_in_the_address_begins_a_stream() {
    let server = TestServer::guarded().await;
    let made = server
        .credential("default", &[("default", "read", "")])
        .await;
    let token = made.secret.token().to_string();
    for project in ["default", "-"] {
        let path = format!("/projects/{project}/devices:stream?token={token}&eventTypes=touch");
        assert_eq!(
            ask(&server, "", "GET", &path).await.status,
            200,
            "{project}"
        );
    }
}

#[tokio::test]
async fn every_project_is_every_one_that_may_be_read() {
    let server = TestServer::guarded().await;
    let admin = server.credential("_system", &[("*", "admin", "")]).await;
    let admin = bearer(&admin);
    let json = "content-type: application/json";
    for name in ["acme", "hidden", "zoo"] {
        let body = format!(r#"{{"name":"{name}"}}"#);
        server
            .ask("POST", "/v1/projects", &[&admin, json], body.as_bytes())
            .await;
        let path = format!("/v1/projects/{name}/feeds/devices/events");
        let event = format!(r#"{{"type":"touch","subject":"d-{name}"}}"#);
        let sent = server
            .ask("POST", &path, &[&admin, json], event.as_bytes())
            .await;
        assert_eq!(sent.status, 200, "{}", sent.text());
    }
    let grants = [
        ("acme", "read,publish", ""),
        ("zoo", "read", ""),
        ("hidden", "publish", ""),
    ];
    let own = bearer(&server.credential("_system", &grants).await);
    let get = async |path: &str| ask(&server, &own, "GET", path).await;
    let projects = success(&get("/projects").await);
    let names = projects["projects"].as_array().expect("projects").iter();
    let names: Vec<String> = names.map(|one| text(&one["displayName"])).collect();
    assert_eq!(names, ["acme", "zoo"]);
    assert_eq!(
        ids(&success(&get("/projects/-/devices").await)),
        ["d-acme", "d-zoo"]
    );
    assert_eq!(get("/projects/-/devices/d-zoo").await.status, 200);
    assert_eq!(get("/projects/-/devices/d-zoo/events").await.status, 200);
    assert_eq!(refusal(&get("/projects/-/devices/d-hidden").await).0, 404);
    let mut socket = server.connect().await;
    let path = "/disruptive/v2/projects/-/devices:stream";
    socket.request("GET", path, &[&own], b"").await;
    assert_eq!(socket.head().await.status, 200);
    assert!(socket.text().await.contains("ping"));
    for name in ["hidden", "zoo"] {
        let path = format!("/v1/projects/{name}/feeds/devices/events");
        let event = br#"{"type":"touch","subject":"later"}"#;
        server.ask("POST", &path, &[&admin, json], event).await;
    }
    let told = socket.text().await;
    assert!(told.contains("projects/zoo/devices/later"), "{told}");
    let nothing = bearer(
        &server
            .credential("other", &[("other", "publish", "")])
            .await,
    );
    let none = success(&ask(&server, &nothing, "GET", "/projects/-/devices").await);
    assert_eq!(ids(&none), [""; 0]);
    let none = ask(&server, &nothing, "GET", "/projects/-/devices:stream").await;
    assert_eq!(none.json()["error"]["code"], 403);
}

#[tokio::test]
async fn devices_are_moved_and_labelled_by_whoever_may_publish_where_they_are() {
    let server = TestServer::guarded().await;
    let admin = bearer(&server.credential("_system", &[("*", "admin", "")]).await);
    let json = "content-type: application/json";
    for name in ["from", "to"] {
        let body = format!(r#"{{"name":"{name}"}}"#);
        server
            .ask("POST", "/v1/projects", &[&admin, json], body.as_bytes())
            .await;
    }
    let path = "/v1/projects/from/feeds/devices/events";
    let event = br#"{"type":"touch","subject":"d"}"#;
    server.ask("POST", path, &[&admin, json], event).await;
    let body = br#"{"devices":["projects/from/devices/d"]}"#;
    let code = async |grants: &[(&str, &str, &str)]| {
        let own = bearer(&server.credential("_system", grants).await);
        let path = "/disruptive/v2/projects/to/devices:transfer";
        let answer = success(&server.ask("POST", path, &[&own, json], body).await);
        let status = &answer["transferErrors"][0]["status"];
        format!("{} {}", status["code"], status["message"])
    };
    let unseen = r#""NOT_FOUND" "there is no device d""#;
    assert_eq!(code(&[("to", "publish", "")]).await, unseen);
    let reads = [("to", "publish", ""), ("from", "read", "")];
    let refused = code(&reads).await;
    assert!(refused.contains("the right to publish"), "{refused}");
    let confined = [("to", "publish", ""), ("from", "read,publish", "devices")];
    let refused = code(&confined).await;
    assert!(
        refused.starts_with("\"INVALID_ARGUMENT\""),
        "labels are everybody's: {refused}"
    );
    let enough = [("to", "publish", ""), ("from", "publish", "")];
    assert_eq!(code(&enough).await, "null null");
    let label = br#"{"devices":["projects/-/devices/d"],"addLabels":{"a":"b"}}"#;
    let reader = bearer(&server.credential("to", &[("to", "read", "")]).await);
    let path = "/disruptive/v2/projects/-/devices:batchUpdate";
    let answer = success(&server.ask("POST", path, &[&reader, json], label).await);
    let message = text(&answer["batchErrors"][0]["status"]["message"]);
    assert!(message.contains("the right to publish"), "{message}");
}

#[tokio::test]
async fn whoever_may_not_change_a_device_is_not_told_whether_there_is_one() {
    let server = TestServer::guarded().await;
    let admin = bearer(&server.credential("_system", &[("*", "admin", "")]).await);
    let json = "content-type: application/json";
    let path = "/v1/projects/default/feeds/devices/events";
    let event = br#"{"type":"touch","subject":"d"}"#;
    let sent = server.ask("POST", path, &[&admin, json], event).await;
    assert_eq!(sent.status, 200);
    let reader = server.credential("default", &[("default", "read", "others")]);
    let publisher = server.credential("default", &[("default", "publish", "others")]);
    for own in [bearer(&reader.await), bearer(&publisher.await)] {
        for project in ["-", "default"] {
            let told = async |device: &str| {
                let path = format!("/disruptive/v2/projects/{project}/devices:batchUpdate");
                let body = format!(
                    r#"{{"devices":["projects/default/devices/{device}"],"addLabels":{{"a":"b"}}}}"#
                );
                let answer = server
                    .ask("POST", &path, &[&own, json], body.as_bytes())
                    .await;
                answer.text().replace(&format!("devices/{device}"), "")
            };
            assert_eq!(told("d").await, told("none").await, "{project}");
        }
        let told = async |device: &str| {
            let path = format!("/disruptive/v2/projects/default/devices/{device}:publish");
            let answer = server
                .ask("POST", &path, &[&own, json], br#"{"touch":{}}"#)
                .await;
            refusal(&answer)
        };
        let (there, absent) = (told("d").await, told("none").await);
        assert_eq!((there.0, &there), (403, &absent));
    }
}

#[tokio::test]
async fn every_project_is_no_way_around_the_limits_of_one() {
    let server = TestServer::guarded().await;
    let admin = bearer(&server.credential("_system", &[("*", "admin", "")]).await);
    let json = "content-type: application/json";
    let limits = br#"{"requests_per_second":null,"publish_bytes_per_second":null,"readers":1}"#;
    let path = "/v1/projects/default/limits";
    let set = server.ask("PUT", path, &[&admin, json], limits).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let own = bearer(
        &server
            .credential("default", &[("default", "read", "")])
            .await,
    );
    let mut socket = server.connect().await;
    let path = "/disruptive/v2/projects/default/devices:stream";
    socket.request("GET", path, &[&own], b"").await;
    assert_eq!(socket.head().await.status, 200);
    for project in ["default", "-"] {
        let path = format!("/projects/{project}/devices:stream");
        let answer = ask(&server, &own, "GET", &path).await;
        assert_eq!(answer.status, 429, "{project}: {}", answer.text());
    }
}
