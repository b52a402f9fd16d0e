//! What is at which address: heads, feeds, labels, and what is refused by address or method.

use feedwire_testkit::TestServer;
use insta::assert_snapshot;

use crate::events;

const FEEDS: &str = "/v1/projects/default/feeds";

#[tokio::test]
async fn head_tells_the_last_position_and_has_no_body() {
    let server = TestServer::start().await;
    server.publish("flights", &events(3, "a")).await;
    let mut socket = server.connect().await;
    for feed in ["flights", "_all", "never-used"] {
        socket
            .request("HEAD", &format!("{FEEDS}/{feed}"), &[], b"")
            .await;
        let answer = socket.answer("HEAD").await;
        assert_eq!(
            (answer.status, answer.header("feedwire-head")),
            (200, Some("3"))
        );
    }
    socket
        .request(
            "GET",
            &format!("{FEEDS}/flights?limit=1"),
            &["connection: close"],
            b"",
        )
        .await;
    assert_eq!(
        socket.answer("GET").await.status,
        200,
        "nothing stood between the heads"
    );
    assert!(socket.rest().await.is_empty());
}

#[tokio::test]
async fn feeds_are_told_with_what_they_have_had() {
    let server = TestServer::start().await;
    assert_snapshot!(server.get("feeds").await.text(), @r#"{"feeds":[],"head":0}"#);
    server.publish("flights", &events(3, "a")).await;
    server.publish("flights", &events(1, "b")).await;
    server.publish("trains", r#"{"type":"tick"}"#).await;
    assert_snapshot!(server.get("feeds").await.text(), @r#"{"feeds":[{"name":"flights","events":4,"batches":2,"subjects":2,"last":4},{"name":"trains","events":1,"batches":1,"subjects":0,"last":5}],"head":5}"#);
}

#[tokio::test]
async fn labels_of_a_subject_are_replaced_whole_and_filter_its_events() {
    let server = TestServer::start().await;
    server.publish("f", &events(1, "a/ø")).await;
    server.publish("f", &events(1, "b")).await;
    let path = "/v1/projects/default/subjects/a%2F%C3%B8/labels";
    let json = ["content-type: application/json"];
    let put = server
        .ask(
            "PUT",
            path,
            &json,
            br#"{"labels":{"room":"lobby","vip":"yes"}}"#,
        )
        .await;
    assert_eq!(
        (put.status, put.text().as_str()),
        (200, r#"{"labels":{"room":"lobby","vip":"yes"}}"#)
    );
    assert_eq!(server.ask("GET", path, &[], b"").await.text(), put.text());
    for (filter, positions) in [
        ("room", vec![1]),
        ("room%3Dlobby,vip", vec![1]),
        ("room%3Dattic", vec![]),
    ] {
        let page = server.get(&format!("feeds/f?labels={filter}")).await;
        assert_eq!(page.positions(), positions, "{filter}");
    }
    let none = server.ask("PUT", path, &json, br#"{"labels":{}}"#).await;
    assert_eq!(none.text(), r#"{"labels":{}}"#);
    assert!(
        server
            .get("feeds/f?labels=room")
            .await
            .positions()
            .is_empty()
    );
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let server = TestServer::start().await;
    let kind = async |method: &str, path: &str| {
        let answer = server.ask(method, path, &[], b"").await;
        (answer.problem(), answer.header("allow").map(str::to_owned))
    };
    let missing = ((404, "not-found".to_owned()), None);
    for path in [
        "/",
        "/v1",
        "/v1/projects/default",
        "/v1/projects/default/feeds/",
        "/v1/projects/other/feeds",
        "/v1/projects/%FF/feeds",
        "/v1/projects/default/feeds/f/g",
    ] {
        assert_eq!(kind("GET", path).await, missing, "{path}");
    }
    let refused = |allow: &str| {
        (
            (405, "method-not-allowed".to_owned()),
            Some(allow.to_owned()),
        )
    };
    assert_eq!(kind("DELETE", FEEDS).await, refused("GET,HEAD"));
    assert_eq!(
        kind("POST", &format!("{FEEDS}/f")).await,
        refused("GET,HEAD")
    );
    assert_eq!(
        kind("GET", &format!("{FEEDS}/f/events")).await,
        refused("POST")
    );
    assert_eq!(
        kind("GET", &format!("{FEEDS}/a%20b")).await.0,
        (400, "invalid-parameter".to_owned())
    );
    assert_eq!(
        kind("GET", &format!("{FEEDS}?limit=1")).await.0,
        (400, "invalid-parameter".to_owned())
    );
}
