//! One entity: how it changes, and on what conditions.

use feedwire_testkit::TestServer;
use insta::assert_snapshot;
use serde_json::json;

use super::{JSON, PLANES, plane, put};
use crate::access::{ask, bearer};

#[tokio::test]
async fn what_is_put_is_there_and_its_differences_are_events() {
    let server = TestServer::start().await;
    let body = r#"{"data":{"status":"departed","at":{"airport":"EWR","gate":7}},"ids":{"tailnum":"N1"},"time":"2013-01-01T10:00:00Z","source":"/planes"}"#;
    let created = plane(&server, "PUT", "N1", &[], body).await;
    assert_eq!(
        (created.status, created.header("etag")),
        (201, Some("\"1\""))
    );
    assert_snapshot!(created.text(), @r#"{"change":"create","position":1,"version":1,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    let again = plane(&server, "PUT", "N1", &[], body).await;
    assert_eq!((again.status, again.header("etag")), (200, Some("\"1\"")));
    assert_snapshot!(again.text(), @r#"{"change":"none","position":1,"version":1,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    let updated = r#"{"data":{"status":"arrived","at":{"airport":"MIA"},"late":null},"ids":{"tailnum":"N1"}}"#;
    let updated = plane(&server, "PUT", "N1", &[], updated).await;
    assert_snapshot!(updated.text(), @r#"{"change":"update","position":2,"version":2,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    let deleted = plane(&server, "DELETE", "N1", &[], "").await;
    assert_eq!((deleted.status, deleted.header("etag")), (200, None));
    assert_snapshot!(deleted.text(), @r#"{"change":"delete","position":3,"version":3,"recorded_at":"2026-11-21T08:00:00Z"}"#);
    let again = plane(&server, "DELETE", "N1", &[], "").await;
    assert_snapshot!(again.text(), @r#"{"change":"none","position":null,"version":null,"recorded_at":null}"#);
    let events = server.get("feeds/planes").await.json();
    let events = events["events"].as_array().expect("events").iter();
    let events: Vec<String> = events.map(ToString::to_string).collect();
    assert_snapshot!(events.join("\n"), @r#"
    {"data":{"at":{"airport":"EWR","gate":7},"status":"departed"},"entity":true,"feed":"planes","id":"id-1","ids":"{\"tailnum\":\"N1\"}","position":1,"recordedat":"2026-11-21T08:00:00Z","source":"/planes","specversion":"1.0","subject":"N1","time":"2013-01-01T10:00:00Z","type":"create","version":1}
    {"data":{"at":{"airport":"MIA","gate":null},"late":null,"status":"arrived"},"entity":true,"feed":"planes","id":"id-2","ids":"{\"tailnum\":\"N1\"}","position":2,"recordedat":"2026-11-21T08:00:00Z","removed":"[\"/at/gate\"]","source":"/v1/projects/default/feeds/planes","specversion":"1.0","subject":"N1","time":"2026-11-21T08:00:00Z","type":"update","version":2}
    {"entity":true,"feed":"planes","id":"id-3","ids":"{\"tailnum\":\"N1\"}","position":3,"recordedat":"2026-11-21T08:00:00Z","source":"/v1/projects/default/feeds/planes","specversion":"1.0","subject":"N1","time":"2026-11-21T08:00:00Z","type":"delete","version":3}
    "#);
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let server = TestServer::start().await;
    put(&server, "N1", r#"{"a":1.0,"b":{"c":1,"d":2}}"#).await;
    let path = format!("{PLANES}/N1");
    let merge = ["content-type: application/merge-patch+json"];
    let body = br#"{"data":{"b":{"c":null,"e":3}},"ids":{"n":1}}"#;
    let patched = server.ask("PATCH", &path, &merge, body).await;
    assert_eq!(
        (patched.status, patched.header("etag")),
        (200, Some("\"2\""))
    );
    let found = plane(&server, "GET", "N1", &[], "").await;
    assert_snapshot!(found.text(), @r#"{"feed":"planes","subject":"N1","position":2,"version":2,"time":"2026-11-21T08:00:00Z","recorded_at":"2026-11-21T08:00:00Z","ids":{"n":1},"data":{"a":1.0,"b":{"d":2,"e":3}}}"#);
    let unchanged = server.ask("PATCH", &path, &merge, b"{}").await;
    assert_eq!(unchanged.json()["change"], "none");
    let taken = plane(&server, "PATCH", "N1", &[], r#"{"ids":null}"#).await;
    assert_eq!(taken.json()["change"], "update");
    let absent = plane(&server, "PATCH", "N2", &[], r#"{"ids":{"n":2}}"#).await;
    assert_eq!(absent.problem(), (404, "not-found".to_owned()));
    let made = plane(&server, "PATCH", "N2", &[], r#"{"data":{"a":1}}"#).await;
    assert_eq!(made.status, 201);
    let too_many = r#"{"ids":{"a":[]}}"#;
    let none = plane(&server, "PATCH", "N2", &[], too_many).await;
    assert_eq!(none.problem(), (400, "invalid-parameter".to_owned()));
}

#[tokio::test]
async fn a_change_is_made_only_of_what_the_client_has_seen() {
    let server = TestServer::start().await;
    let state = r#"{"data":{"a":1}}"#;
    let failed = (412, "precondition-failed".to_owned());
    for header in ["if-match: *", "if-match: \"0\"", "if-match: \"x\""] {
        let answer = plane(&server, "PUT", "N1", &[header], state).await;
        assert_eq!(answer.problem(), failed, "{header}");
        assert!(answer.json()["position"].is_null());
    }
    let made = plane(&server, "PUT", "N1", &["if-none-match: *"], state).await;
    assert_eq!(made.status, 201);
    let again = plane(&server, "PUT", "N1", &["if-none-match: *"], state).await;
    assert_eq!(again.problem(), failed);
    assert_eq!(again.json()["position"], 1);
    let other = r#"{"data":{"a":2}}"#;
    for header in ["if-match: W/\"1\"", "if-match: \"2\""] {
        let answer = plane(&server, "PATCH", "N1", &[header], other).await;
        assert_eq!(answer.problem(), failed, "{header}");
        let answer = plane(&server, "DELETE", "N1", &[header], "").await;
        assert_eq!(answer.problem(), failed, "{header}");
    }
    let seen = ["if-match: \"9\", \"1\""];
    let changed = plane(&server, "PUT", "N1", &seen, other).await;
    assert_eq!(changed.json()["position"], 2);
    for headers in [
        &["if-none-match: \"2\""][..],
        &["if-match: *", "if-none-match: *"],
        &["if-match: 2"],
        &["if-match: "],
        &["idempotency-key: k"],
    ] {
        let answer = plane(&server, "PUT", "N1", headers, state).await;
        let expected = (400, "invalid-parameter".to_owned());
        assert_eq!(answer.problem(), expected, "{headers:?}");
    }
}

#[tokio::test]
async fn an_entity_is_told_with_its_labels_and_not_again_to_who_has_it() {
    let server = TestServer::start().await;
    put(&server, "N1", r#"{"a":2.50}"#).await;
    let labels = "/v1/projects/default/subjects/N1/labels";
    let body = r#"{"labels":{"base":"EWR","øl":"\""}}"#;
    server.ask("PUT", labels, &[JSON], body.as_bytes()).await;
    let found = plane(&server, "GET", "N1", &[], "").await;
    assert_snapshot!(found.text(), @r#"{"feed":"planes","subject":"N1","position":1,"version":1,"time":"2026-11-21T08:00:00Z","recorded_at":"2026-11-21T08:00:00Z","labels":{"base":"EWR","\u00f8l":"\""},"data":{"a":2.50}}"#);
    assert_eq!(found.header("etag"), Some("\"1\""));
    let has = ["if-none-match: \"1\""];
    assert_eq!(plane(&server, "GET", "N1", &has, "").await.status, 304);
    put(&server, "N1", r#"{"a":3}"#).await;
    assert_eq!(plane(&server, "GET", "N1", &has, "").await.status, 200);
    let head = plane(&server, "HEAD", "N1", &[], "").await;
    assert_eq!((head.status, head.header("etag")), (200, Some("\"2\"")));
    let absent = plane(&server, "GET", "N2", &[], "").await;
    assert_eq!(absent.problem(), (404, "not-found".to_owned()));
}

#[tokio::test]
async fn what_is_no_state_is_refused_with_what_is_known() {
    let server = TestServer::start().await;
    let bare = plane(&server, "PUT", "N1", &[], r#"{"status":"departed"}"#).await;
    assert_eq!(bare.problem(), (400, "invalid-json".to_owned()));
    assert_snapshot!(bare.json()["detail"].as_str().expect("a detail"), @"line 1 column 9: unknown member `status`, there are `data`, `ids`, `time`, `source`: the state is what `data` has");
    for (method, body) in [
        ("PUT", r#"{"data":[]}"#),
        ("PUT", r#"{"data":{"a":1,"a":2}}"#),
        ("PUT", r#"{"data":{},"ids":{"a":true}}"#),
        ("PATCH", r#"{"data":null}"#),
    ] {
        let answer = plane(&server, method, "N1", &[], body).await;
        let expected = (400, "invalid-parameter".to_owned());
        assert_eq!(answer.problem(), expected, "{method} {body}");
    }
    let path = format!("{PLANES}/N1");
    for (method, ty) in [
        ("PUT", "content-type: application/merge-patch+json"),
        ("PUT", "content-type: text/plain"),
        ("PATCH", "content-type: application/json-patch+json"),
        ("PUT", "content-encoding: gzip"),
    ] {
        let answer = server.ask(method, &path, &[ty], br#"{"data":{}}"#).await;
        let expected = (415, "unsupported-media-type".to_owned());
        assert_eq!(answer.problem(), expected, "{method} {ty}");
    }
    let large = format!(r#"{{"data":{{"a":"{}"}}}}"#, "x".repeat(600 * 1024));
    let answer = plane(&server, "PUT", "N1", &[], &large).await;
    assert_eq!(answer.problem(), (413, "event-too-large".to_owned()));
    let own = "/v1/projects/default/feeds/_load.planes/entities/N1";
    let answer = server.ask("PUT", own, &[JSON], br#"{"data":{}}"#).await;
    assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
    assert_eq!(server.get("feeds/_all").await.json()["head"], 0);
}

#[tokio::test]
async fn whoever_is_confined_to_subjects_sees_and_changes_those_alone() {
    let server = TestServer::guarded().await;
    let grants = json!({ "feeds": ["planes"], "subjects": ["N1"] });
    let admin = crate::access::admin(&server).await;
    let body = json!({ "display_name": "gate", "grants": [{ "project": "default", "rights": ["read", "publish"], "feeds": grants["feeds"], "subjects": grants["subjects"] }] });
    let path = "/v1/projects/default/credentials";
    let made = ask(&server, &admin, "POST", path, &body.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let secret = made.json()["token"].as_str().unwrap_or_default().to_owned();
    let proof = bearer(&secret);
    let own = plane(&server, "PUT", "N1", &[&proof], r#"{"data":{}}"#).await;
    assert_eq!(own.status, 201, "{}", own.text());
    let forbidden = (403, "forbidden".to_owned());
    for method in ["PUT", "PATCH", "DELETE", "GET"] {
        let other = plane(&server, method, "N2", &[&proof], r#"{"data":{}}"#).await;
        assert_eq!(other.problem(), forbidden, "{method}");
    }
    let other = bearer(&admin);
    plane(&server, "PUT", "N2", &[&other], r#"{"data":{}}"#).await;
    let list = server.ask("GET", PLANES, &[&proof], b"").await.json();
    assert_eq!(list["entities"].as_array().map(Vec::len), Some(1));
    let load = "/v1/projects/default/feeds/planes/loads";
    let answer = ask(&server, &secret, "POST", load, "{}").await;
    assert_eq!(answer.problem(), forbidden);
}
