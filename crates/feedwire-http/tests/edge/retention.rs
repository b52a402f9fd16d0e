//! How long events are kept, set and told over HTTP.

use std::time::Duration;

use feedwire_testkit::{Answer, PATIENCE, TestServer};
use tokio::time::timeout;

use crate::events;

const RETENTION: &str = "/v1/projects/default/retention";
const JSON: [&str; 1] = ["content-type: application/json"];

async fn put(server: &TestServer, body: &str) -> Answer {
    server.ask("PUT", RETENTION, &JSON, body.as_bytes()).await
}

#[tokio::test]
async fn everything_is_kept_until_a_bound_is_set_and_a_bound_replaces_what_was_set() {
    let server = TestServer::start().await;
    let told = async || server.get("retention").await.text();
    assert_eq!(told().await, r#"{"age":null,"bytes":null}"#);
    for (body, kept) in [
        (
            r#"{"age":"30days","bytes":1000000}"#,
            r#"{"age":"30d","bytes":1000000}"#,
        ),
        (r#"{"age":"5hours"}"#, r#"{"age":"5h","bytes":null}"#),
        (r#"{"age":null,"bytes":123}"#, r#"{"age":null,"bytes":123}"#),
        ("{}", r#"{"age":null,"bytes":null}"#),
    ] {
        let answer = put(&server, body).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, kept));
        assert_eq!(told().await, kept);
    }
}

#[tokio::test]
async fn a_bound_that_cannot_be_meant_is_refused_and_changes_nothing() {
    let server = TestServer::start().await;
    put(&server, r#"{"age":"1d"}"#).await;
    for (body, kind, parameter) in [
        (r#"{"age":"soon"}"#, "invalid-parameter", Some("age")),
        (r#"{"age":"0s"}"#, "invalid-parameter", Some("age")),
        (r#"{"age":"-1d"}"#, "invalid-parameter", Some("age")),
        (r#"{"bytes":0}"#, "invalid-parameter", Some("bytes")),
        (r#"{"bytes":-1}"#, "invalid-parameter", Some("bytes")),
        (r#"{"bytes":"1"}"#, "invalid-json", None),
        (r#"{"days":1}"#, "invalid-json", None),
        ("", "invalid-json", None),
    ] {
        let answer = put(&server, body).await;
        assert_eq!(answer.problem(), (400, kind.to_owned()), "{body}");
        assert_eq!(answer.json()["parameter"].as_str(), parameter, "{body}");
    }
    let text = server
        .ask("PUT", RETENTION, &["content-type: text/plain"], b"{}")
        .await;
    assert_eq!(text.problem(), (415, "unsupported-media-type".into()));
    let kept = server.get("retention").await.text();
    assert_eq!(kept, r#"{"age":"1d","bytes":null}"#);
}

#[tokio::test]
async fn a_cursor_that_an_age_has_passed_is_told_what_it_lost() {
    let server = TestServer::start().await;
    server.publish("flights", &events(3, "a")).await;
    server.clock.advance(Duration::from_hours(2));
    server.publish("flights", &events(2, "a")).await;
    // Once they are counted, they may be let go of.
    server.get("feeds").await;
    assert_eq!(server.get("feeds/flights?after=1").await.status, 200);
    assert_eq!(put(&server, r#"{"age":"1hour"}"#).await.status, 200);
    let gone = timeout(PATIENCE, async {
        loop {
            let answer = server.get("feeds/flights?after=1").await;
            if answer.status != 200 {
                return answer;
            }
        }
    });
    let gone = gone.await.expect("what is too old goes soon");
    assert_eq!(gone.problem(), (410, "cursor-expired".into()));
    let problem = gone.json();
    assert_eq!(
        (&problem["first_position"], &problem["lost_at_most"]),
        (&4.into(), &2.into())
    );
    let page = server.get("feeds/flights").await;
    assert_eq!(page.positions(), [4, 5]);
    let path = "/v1/projects/default/feeds/flights?after=1";
    let stream = server
        .ask("GET", path, &["accept: text/event-stream"], b"")
        .await;
    assert_eq!(stream.problem(), (410, "cursor-expired".into()));
}
