//! Making, looking at, changing and deleting, and what is refused.

use feedwire_testkit::{Asks, TestServer};
use serde_json::{Value, json};

use super::{ALL, ask, done, get, make, pushing};

/// Nobody listens here.
const NOWHERE: &str = "http://127.0.0.1:9/";

#[tokio::test]
async fn a_connector_is_made_listed_changed_paused_and_deleted() {
    let server = pushing().await;
    let body =
        json!({ "name": "c", "url": NOWHERE, "paused": true, "headers": { "X-Key": "hunter2" } });
    let answer = ask(&server, "POST", "", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let at = format!("{ALL}/c");
    assert_eq!(answer.header("location"), Some(at.as_str()));
    let made = answer.json();
    let secret = made["secret"].as_str().expect("it is told once");
    assert!(secret.starts_with("whsec_"), "{secret}");
    let mut shown = get(&server, "/c").await;
    assert_eq!(shown["secret"], Value::Null);
    assert_eq!(shown["headers"], json!(["x-key"]));
    assert_eq!(
        (&shown["state"], &shown["signed"]),
        (&json!("paused"), &json!(true))
    );
    assert_eq!(get(&server, "").await["connectors"], json!([shown]));
    let change = json!({ "timeout": "500ms", "filter": { "feeds": ["orders"] }, "headers": { "a": "b", "x-key": null } });
    shown["timeout"] = json!("500ms");
    shown["filter"] = json!({ "feeds": ["orders"] });
    shown["headers"] = json!(["a"]);
    assert_eq!(done(&server, "PATCH", "/c", &change).await, shown);
    let resumed = done(&server, "POST", "/c/resume", &json!({})).await;
    assert_eq!(resumed["state"], "active");
    let paused = done(&server, "POST", "/c/pause", &json!({})).await;
    assert_eq!(paused["state"], "paused");
    let stream = server.get("streams/c").await;
    assert_eq!(stream.status, 200, "its stream can be looked at");
    assert_eq!(ask(&server, "DELETE", "/c", &json!({})).await.status, 204);
    let gone = ask(&server, "GET", "/c", &json!({})).await;
    assert_eq!(gone.problem(), (404, "not-found".to_owned()));
    assert_eq!(server.get("streams/c").await.status, 404);
}

#[tokio::test]
async fn connectors_are_listed_in_parts() {
    let server = pushing().await;
    for name in ["c", "a", "b"] {
        let body = json!({ "name": name, "url": NOWHERE, "paused": true });
        done(&server, "POST", "", &body).await;
    }
    let names = |page: &Value| {
        let all = page["connectors"].as_array().expect("a list");
        let names = all.iter().map(|one| one["name"].as_str());
        names.flatten().map(str::to_owned).collect::<Vec<_>>()
    };
    let first = get(&server, "?limit=2").await;
    assert_eq!(
        (names(&first), &first["next"]),
        (vec!["a".into(), "b".into()], &json!("b"))
    );
    let rest = get(&server, "?after=b").await;
    assert_eq!(
        (names(&rest), &rest["next"]),
        (vec!["c".into()], &Value::Null)
    );
}

#[tokio::test]
async fn a_stream_that_is_pushed_stays_and_is_pushed_by_one_alone() {
    let server = pushing().await;
    let json = ["content-type: application/json"];
    let streams = "/v1/projects/default/streams";
    let made = server.ask("POST", streams, &json, br#"{"name":"s"}"#).await;
    assert_eq!(made.status, 201);
    let made = make(&server, NOWHERE, json!({ "stream": "s", "paused": true })).await;
    assert_eq!(
        (&made["stream"], &made["owns_stream"]),
        (&json!("s"), &json!(false))
    );
    let second = json!({ "name": "d", "url": NOWHERE, "stream": "s" });
    let second = ask(&server, "POST", "", &second).await;
    assert_eq!(second.problem(), (409, "stream-pushed".to_owned()));
    let filter = ask(
        &server,
        "PATCH",
        "/c",
        &json!({ "filter": { "feeds": ["f"] } }),
    )
    .await;
    assert_eq!(filter.problem(), (400, "invalid-parameter".to_owned()));
    let address = format!("{streams}/s");
    let held = server.ask("DELETE", &address, &[], b"").await;
    assert_eq!(held.problem(), (409, "stream-pushed".to_owned()));
    ask(&server, "DELETE", "/c", &json!({})).await;
    assert_eq!(server.get("streams/s").await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_what_it_has_to_be() {
    let server = pushing().await;
    make(&server, NOWHERE, json!({ "paused": true })).await;
    let invalid = (400, "invalid-parameter".to_owned());
    for (more, named) in [
        (json!({ "url": "https://10.0.0.1/" }), "url"),
        (json!({ "url": "ftp://example.com/" }), "url"),
        (json!({ "url": "/relative" }), "url"),
        (json!({ "headers": { "Host": "a" } }), "headers"),
        (json!({ "headers": { "webhook-id": "a" } }), "headers"),
        (json!({ "headers": { "a": "b\r\nc: d" } }), "headers"),
        (json!({ "secret": "hunter2" }), "secret"),
        (json!({ "start": "9999" }), "start"),
        (json!({ "concurrency": 65 }), "concurrency"),
    ] {
        let mut body = json!({ "name": "d", "url": NOWHERE });
        let given = more.as_object().expect("an object").clone();
        body.as_object_mut().expect("it is one").extend(given);
        let answer = ask(&server, "POST", "", &body).await;
        assert_eq!(answer.problem(), invalid, "{more}");
        assert_eq!(answer.json()["parameter"], named, "{more}");
        assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    }
    let taken = json!({ "name": "c", "url": NOWHERE });
    let taken = ask(&server, "POST", "", &taken).await;
    assert_eq!(taken.problem(), (409, "already-exists".to_owned()));
    for (method, path) in [
        ("GET", "/d"),
        ("PATCH", "/d"),
        ("DELETE", "/d"),
        ("GET", "/_d"),
        ("POST", "/d/pause"),
        ("POST", "/d/test"),
        ("POST", "/d/secret"),
        ("GET", "/d/deliveries"),
        ("GET", "/d/metrics"),
        ("GET", "/d/dead-letters"),
    ] {
        let answer = ask(&server, method, path, &json!({})).await;
        assert_eq!(answer.problem(), (404, "not-found".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn where_nothing_is_let_in_no_connector_goes_to_this_machine() {
    let server = TestServer::start().await;
    for url in [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        NOWHERE,
    ] {
        let body = json!({ "name": "c", "url": url });
        let answer = ask(&server, "POST", "", &body).await;
        assert_eq!(
            answer.problem(),
            (400, "invalid-parameter".to_owned()),
            "{url}"
        );
    }
}

#[tokio::test]
async fn every_change_is_on_record_and_no_record_has_a_secret() {
    let server = TestServer::pushing(Asks::Everybody).await;
    let admin = server.credential("_system", &[("*", "admin", "")]).await;
    let bearer = format!("authorization: Bearer {}", admin.secret.token().as_str());
    let headers = [bearer.as_str(), "content-type: application/json"];
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let url = "http://127.0.0.1:9/hunter2";
    let post = async |path: &str, body: &Value| {
        let address = format!("{ALL}{path}");
        let body = body.to_string();
        let answer = server.ask("POST", &address, &headers, body.as_bytes());
        answer.await.status
    };
    let body = json!({ "name": "c", "url": url, "paused": true, "secret": secret, "headers": { "a": "hunter2" } });
    assert_eq!(post("", &body).await, 201);
    assert_eq!(post("/c/secret", &json!({ "secret": secret })).await, 200);
    for path in ["/c/pause", "/c/resume", "/c/test"] {
        assert_eq!(post(path, &json!({})).await, 200, "{path}");
    }
    for path in ["/c/dead-letters/redrive", "/c/dead-letters/drop"] {
        assert_eq!(post(path, &json!({ "all": true })).await, 200, "{path}");
    }
    let record = "/v1/projects/_system/feeds/_audit?from=start";
    let record = server.ask("GET", record, &headers, b"").await;
    let events = record.json()["events"].as_array().expect("events").clone();
    let own = events.iter().filter_map(|event| event["type"].as_str());
    let own: Vec<&str> = own.filter(|ty| ty.starts_with("connector.")).collect();
    let expected = [
        "connector.create",
        "connector.secret",
        "connector.pause",
        "connector.resume",
        "connector.test",
        "connector.redrive",
        "connector.drop",
    ];
    assert_eq!(own, expected);
    let created = events
        .iter()
        .find(|event| event["type"] == "connector.create");
    // Where it goes to, and nothing of the path.
    assert_eq!(
        created.expect("it is on record")["data"]["to"],
        "http://127.0.0.1:9"
    );
    for word in ["hunter2", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert!(!record.text().contains(word), "{}", record.text());
    }
}

#[tokio::test]
async fn a_connector_takes_a_grant_of_all_that_it_pushes() {
    let server = TestServer::pushing(Asks::Everybody).await;
    let narrow = server
        .credential("default", &[("default", "connectors", "orders")])
        .await;
    let bearer = format!("authorization: Bearer {}", narrow.secret.token().as_str());
    let headers = [bearer.as_str(), "content-type: application/json"];
    let make = async |filter: Value| {
        let body = json!({ "name": "c", "url": NOWHERE, "paused": true, "filter": filter });
        let body = body.to_string();
        server.ask("POST", ALL, &headers, body.as_bytes()).await
    };
    let all = make(json!({})).await;
    assert_eq!(all.problem(), (403, "forbidden".to_owned()));
    let own = make(json!({ "feeds": ["orders"] })).await;
    assert_eq!(own.status, 201, "{}", own.text());
    let address = format!("{ALL}/c");
    let wider = json!({ "filter": {} }).to_string();
    let wider = server
        .ask("PATCH", &address, &headers, wider.as_bytes())
        .await;
    assert_eq!(wider.problem(), (403, "forbidden".to_owned()));
}

/// Whoever may change a connector could have what its headers say sent to a receiver of their own.
#[tokio::test]
async fn headers_go_to_no_other_host_before_somebody_who_knows_them_says_so() {
    let server = pushing().await;
    let body =
        json!({ "name": "c", "url": NOWHERE, "paused": true, "headers": { "x-key": "hunter2" } });
    done(&server, "POST", "", &body).await;
    for url in ["http://127.0.0.2:9/", "http://127.0.0.1:10/"] {
        let moved = ask(&server, "PATCH", "/c", &json!({ "url": url })).await;
        assert_eq!(moved.problem(), (400, "invalid-parameter".to_owned()));
    }
    let elsewhere = json!({ "url": "http://127.0.0.1:9/other" });
    let same_origin = done(&server, "PATCH", "/c", &elsewhere).await;
    assert_eq!(same_origin["headers"], json!(["x-key"]));
    let known = json!({ "url": "http://127.0.0.2:9/", "headers": { "x-key": "hunter2" } });
    let moved = done(&server, "PATCH", "/c", &known).await;
    assert_eq!(moved["headers"], json!(["x-key"]));
    let without = json!({ "url": NOWHERE, "headers": { "x-key": null } });
    let moved = done(&server, "PATCH", "/c", &without).await;
    assert_eq!(moved["headers"], json!([]));
}
