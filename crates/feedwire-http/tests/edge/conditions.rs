//! Conditional requests: what a client has is not sent again, and what it has not seen is not replaced.

use feedwire_testkit::{Answer, TestServer};

use crate::events;

const PROJECT: &str = "/v1/projects/default";
const JSON: &str = "content-type: application/json";
const RETENTION: &str = "/v1/projects/default/retention";
const LABELS: &str = "/v1/projects/default/subjects/a/labels";

fn tag(answer: &Answer) -> String {
    answer.header("etag").expect("a tag").to_owned()
}

/// The answer to a `GET` of `path` by a client that has `tag`.
async fn again(server: &TestServer, path: &str, tag: &str) -> Answer {
    let header = format!("if-none-match: {tag}");
    server.ask("GET", path, &[&header], b"").await
}

/// A receipt whose events are gone, so that it changes no more.
async fn receipt(server: &TestServer) -> String {
    let erasures = format!("{PROJECT}/erasures");
    let body = br#"{"feed":"none"}"#;
    let asked = server.ask("POST", &erasures, &[JSON], body).await;
    let address = asked.header("location").expect("an address").to_owned();
    while server.ask("GET", &address, &[], b"").await.json()["erased_at"].is_null() {}
    address
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let server = TestServer::start().await;
    server.publish("f", &events(3, "a")).await;
    let receipt = receipt(&server).await;
    for (path, caching) in [
        (format!("{PROJECT}/feeds"), "private, no-cache"),
        (RETENTION.to_owned(), "private, no-cache"),
        (LABELS.to_owned(), "no-store"),
        (receipt, "no-store"),
        (format!("{PROJECT}/feeds/f"), "no-store"),
        (format!("{PROJECT}/feeds/f?limit=1&after=3"), "no-store"),
    ] {
        let whole = server.ask("GET", &path, &[], b"").await;
        assert_eq!(
            (whole.status, whole.header("cache-control")),
            (200, Some(caching))
        );
        let tag = tag(&whole);
        for named in [
            &tag,
            "*",
            &format!("\"x\", {tag}"),
            &format!("\"x\",W/{}", tag.trim_start_matches("W/")),
        ] {
            let mut socket = server.connect().await;
            let header = format!("if-none-match: {named}");
            for method in ["GET", "HEAD", "GET"] {
                // That of a feed alone makes no page, and so has no tag.
                if method == "HEAD" && path.contains("/feeds/") {
                    continue;
                }
                socket.request(method, &path, &[&header], b"").await;
                let answer = socket.answer(method).await;
                assert_eq!(answer.status, 304, "{method} {path} {named}");
                assert_eq!(answer.header("etag"), Some(tag.as_str()));
                assert_eq!(answer.header("cache-control"), Some(caching));
                assert_eq!(answer.header("content-type"), None);
            }
        }
        for other in ["\"x\"", "\"\"", ""] {
            let answer = again(&server, &path, other).await;
            assert_eq!((answer.status, &answer.body), (200, &whole.body), "{path}");
        }
    }
}

#[tokio::test]
async fn a_change_makes_another_tag() {
    let server = TestServer::start().await;
    let feeds = format!("{PROJECT}/feeds");
    let page = format!("{PROJECT}/feeds/f");
    let labels: &[u8] = br#"{"labels":{"room":"lobby"}}"#;
    for (path, put) in [
        (LABELS, Some(labels)),
        (RETENTION, Some(&br#"{"age":"1d"}"#[..])),
        (&feeds, None),
        (&page, None),
    ] {
        let before = tag(&server.ask("GET", path, &[], b"").await);
        match put {
            Some(body) => {
                let put = server.ask("PUT", path, &[JSON], body).await;
                assert_eq!(put.status, 200, "{}", put.text());
                let now = server.ask("GET", path, &[], b"").await;
                assert_eq!(tag(&put), tag(&now), "{path}");
            }
            None => drop(server.publish("f", &events(1, "a")).await),
        }
        assert_eq!(again(&server, path, &before).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_page_is_the_same_as_long_as_its_events_are() {
    let server = TestServer::start().await;
    server.publish("f", &events(1, "a")).await;
    server.publish("f", &events(1, "b")).await;
    server.publish("f", &events(1, "b")).await;
    let full = format!("{PROJECT}/feeds/f?limit=2");
    let last = format!("{PROJECT}/feeds/f?after=2");
    let [full_tag, last_tag] = [
        tag(&server.ask("GET", &full, &[], b"").await),
        tag(&server.ask("GET", &last, &[], b"").await),
    ];
    server.publish("f", &events(1, "c")).await;
    // The head has moved, which a client that has the page is told too.
    let same = again(&server, &full, &full_tag).await;
    assert_eq!(
        (same.status, same.header("feedwire-head")),
        (304, Some("4"))
    );
    assert_eq!(same.header("feedwire-cursor"), Some("2"));
    assert_eq!(again(&server, &last, &last_tag).await.status, 200);
    let erasures = format!("{PROJECT}/erasures");
    let body = br#"{"subject":"a"}"#;
    assert_eq!(
        server.ask("POST", &erasures, &[JSON], body).await.status,
        202
    );
    let erased = again(&server, &full, &full_tag).await;
    assert_eq!((erased.status, erased.positions()), (200, vec![2, 3]));
}

#[tokio::test]
async fn of_two_who_saw_the_same_only_the_first_replaces_it() {
    let server = TestServer::start().await;
    for (path, [one, other]) in [
        (
            LABELS,
            [
                r#"{"labels":{"room":"lobby"}}"#,
                r#"{"labels":{"vip":"yes"}}"#,
            ],
        ),
        (
            RETENTION,
            [
                r#"{"age":"30d","bytes":null}"#,
                r#"{"age":null,"bytes":1000000}"#,
            ],
        ),
    ] {
        let seen = tag(&server.ask("GET", path, &[], b"").await);
        let put = async |tag: &str, body: &str| {
            let header = format!("if-match: {tag}");
            server
                .ask("PUT", path, &[JSON, &header], body.as_bytes())
                .await
        };
        let first = put(&seen, one).await;
        assert_eq!((first.status, first.text().as_str()), (200, one));
        let second = put(&seen, other).await;
        assert_eq!(second.problem(), (412, "precondition-failed".into()));
        assert_eq!(server.ask("GET", path, &[], b"").await.text(), one);
        let third = put(&format!("\"x\", {}", tag(&first)), other).await;
        assert_eq!((third.status, third.text().as_str()), (200, other));
        let weak = put(&format!("W/{}", tag(&third)), one).await;
        assert_eq!(weak.status, 412, "a weak tag is not enough for a change");
        assert_eq!(put("*", one).await.status, 200);
        assert_eq!(put("", other).await.status, 400, "what was it to be?");
        // Both are always there: what is to be made anew only never is.
        let anew = [JSON, "if-none-match: *"];
        let anew = server.ask("PUT", path, &anew, one.as_bytes()).await;
        assert_eq!(anew.problem(), (412, "precondition-failed".into()));
    }
}

#[tokio::test]
async fn labels_that_were_removed_can_be_replaced_by_who_saw_that() {
    let server = TestServer::start().await;
    let put = async |condition: &str, body: &str| {
        let headers = [JSON, condition];
        server.ask("PUT", LABELS, &headers, body.as_bytes()).await
    };
    let none = tag(&server.ask("GET", LABELS, &[], b"").await);
    let (some, removed) = (r#"{"labels":{"a":"b"}}"#, r#"{"labels":{}}"#);
    assert_eq!(put(&format!("if-match: {none}"), some).await.status, 200);
    assert_eq!(put(&format!("if-match: {none}"), removed).await.status, 412);
    assert_eq!(put("x: y", removed).await.status, 200);
    assert_eq!(put(&format!("if-match: {none}"), some).await.status, 200);
}

#[tokio::test]
async fn many_who_change_the_same_lose_nothing_of_each_other() {
    let server = TestServer::start().await;
    let server = &server;
    let add = async |name: usize| loop {
        let now = server.ask("GET", LABELS, &[], b"").await;
        let mut labels = now.json();
        labels["labels"][format!("l{name}")] = "x".into();
        let header = format!("if-match: {}", tag(&now));
        let body = labels.to_string();
        let put = server
            .ask("PUT", LABELS, &[JSON, &header], body.as_bytes())
            .await;
        match put.status {
            200 => break,
            status => assert_eq!(status, 412),
        }
    };
    tokio::join!(add(0), add(1), add(2), add(3), add(4), add(5));
    let labels = server.ask("GET", LABELS, &[], b"").await.json();
    assert_eq!(
        labels["labels"].as_object().map(serde_json::Map::len),
        Some(6)
    );
}

#[tokio::test]
async fn a_condition_that_cannot_be_meant_is_refused_and_nothing_is_done() {
    let server = TestServer::start().await;
    for (name, header) in [("If-Match", "if-match"), ("If-None-Match", "if-none-match")] {
        for value in ["abc", "\"abc", "\"a\" \"b\"", "*, \"a\"", "W/abc"] {
            let line = format!("{header}: {value}");
            for (method, path) in [
                ("GET", LABELS),
                ("PUT", LABELS),
                ("GET", RETENTION),
                ("PUT", RETENTION),
            ] {
                let answer = server.ask(method, path, &[JSON, &line], b"{}").await;
                assert_eq!(
                    answer.problem(),
                    (400, "invalid-parameter".into()),
                    "{line}"
                );
                assert_eq!(answer.json()["parameter"], name);
            }
        }
    }
    let wrong = ["if-match: \"x\""];
    for path in [LABELS, RETENTION, "/v1/projects/default/feeds"] {
        let answer = server.ask("GET", path, &wrong, b"").await;
        assert_eq!(answer.problem(), (412, "precondition-failed".into()));
    }
    let kept = server.ask("GET", RETENTION, &[], b"").await.text();
    assert_eq!(kept, r#"{"age":null,"bytes":null}"#);
}

#[tokio::test]
async fn a_head_is_an_answer_without_its_body() {
    let server = TestServer::start().await;
    server.publish("f", &events(3, "a")).await;
    let feeds = format!("{PROJECT}/feeds");
    let receipt = receipt(&server).await;
    for path in [
        feeds.as_str(),
        LABELS,
        RETENTION,
        &receipt,
        "/healthz",
        "/readyz",
    ] {
        let mut socket = server.connect().await;
        socket.request("GET", path, &[], b"").await;
        let whole = socket.answer("GET").await;
        socket.request("HEAD", path, &[], b"").await;
        let head = socket.answer("HEAD").await;
        assert_eq!(head.status, 200, "{path}");
        for name in ["content-type", "content-length", "cache-control", "etag"] {
            assert_eq!(head.header(name), whole.header(name), "{path} {name}");
        }
        // Nothing stood between the heads.
        socket
            .request("GET", path, &["connection: close"], b"")
            .await;
        assert_eq!(socket.answer("GET").await.body, whole.body, "{path}");
        assert!(socket.rest().await.is_empty());
    }
    let missing = server
        .ask("HEAD", &format!("{PROJECT}/erasures/x"), &[], b"")
        .await;
    assert_eq!(missing.status, 404);
}
