//! What receivers get: each form, signed, in order; tests, replays and going on by pulling.

use std::time::Duration;

use feedwire_core::Clock as _;
use feedwire_push::{SigningSecret, TOLERANCE, Unverified, verify};
use feedwire_testkit::TestServer;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{ask, done, found, get, make, pushing};
use crate::events;
use crate::receiver::{Pushed, Receiver};

fn json_of(pushed: &Pushed) -> Value {
    serde_json::from_slice(&pushed.body).expect("JSON")
}

/// Whether `pushed` is signed by `secret`.
fn verified(server: &TestServer, pushed: &Pushed, secret: &str) -> Result<(), Unverified> {
    let secret: SigningSecret = secret.parse().expect("a secret");
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers = names.map(|name| {
        let value = pushed.header(name).expect(name);
        let value = HeaderValue::from_str(value).expect("a value");
        (HeaderName::from_static(name), value)
    });
    let headers = HeaderMap::from_iter(headers);
    let now = server.clock.now().as_micros() / 1_000_000;
    verify(&headers, &pushed.body, &[&secret], now, TOLERANCE)
}

#[tokio::test]
async fn a_receiver_gets_each_event_signed_and_with_the_headers_that_it_wants() {
    let (server, receiver) = (pushing().await, Receiver::start(&[]).await);
    let more =
        json!({ "filter": { "feeds": ["orders"] }, "headers": { "Authorization": "Bearer k" } });
    let made = make(&server, &receiver.url, more).await;
    let secret = made["secret"].as_str().expect("it is told once");
    server.publish("others", &events(1, "a")).await;
    server.publish("orders", &events(2, "a")).await;
    for position in [2, 3] {
        let pushed = receiver.next().await;
        assert_eq!(json_of(&pushed)["position"], position);
        assert_eq!(verified(&server, &pushed, secret), Ok(()));
        assert_eq!(pushed.header("authorization"), Some("Bearer k"));
        let content = pushed.header("content-type").expect("it says what it is");
        assert!(
            content.starts_with("application/cloudevents+json"),
            "{content}"
        );
    }
    let settled = || async {
        let shown = get(&server, "/c").await;
        (shown["lag"]["events"] == 0).then_some(shown)
    };
    let shown = found(settled).await;
    assert_eq!(shown["health"]["delivered"], 2);
    let metrics = get(&server, "/c/metrics").await;
    assert_eq!(
        (&metrics["succeeded"], &metrics["failed"]),
        (&json!(2), &json!(0))
    );
    let deliveries = get(&server, "/c/deliveries").await;
    let first = &deliveries["deliveries"][1];
    assert_eq!(
        first["events"],
        json!({ "first": 2, "last": 2, "count": 1 })
    );
    assert_eq!(
        (&first["status"], &first["delivered"]),
        (&json!(200), &json!(true))
    );
}

#[tokio::test]
async fn several_events_go_into_one_request_of_a_batch() {
    let (server, receiver) = (pushing().await, Receiver::start(&[]).await);
    server.publish("orders", &events(5, "a")).await;
    let more = json!({ "format": "batch", "batch_size": 3, "linger": "50ms" });
    make(&server, &receiver.url, more).await;
    let mut positions = Vec::new();
    while positions.len() < 5 {
        let pushed = receiver.next().await;
        let content = pushed.header("content-type").expect("it says what it is");
        assert!(
            content.starts_with("application/cloudevents-batch+json"),
            "{content}"
        );
        let batch = json_of(&pushed);
        let batch = batch.as_array().expect("an array").clone();
        assert!(batch.len() <= 3, "{batch:?}");
        positions.extend(batch.iter().filter_map(|event| event["position"].as_u64()));
    }
    assert_eq!(positions, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn an_event_in_binary_mode_is_its_data_with_its_attributes_as_headers() {
    let (server, receiver) = (pushing().await, Receiver::start(&[]).await);
    make(&server, &receiver.url, json!({ "format": "binary" })).await;
    let event = r#"{"type":"tick","subject":"a","data":{"n":1}}"#;
    server.publish("orders", event).await;
    let pushed = receiver.next().await;
    assert_eq!(pushed.body, br#"{"n":1}"#);
    assert_eq!(pushed.header("ce-type"), Some("tick"));
    assert_eq!(pushed.header("ce-subject"), Some("a"));
    assert_eq!(pushed.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn two_secrets_sign_for_a_while_and_then_one() {
    let (server, receiver) = (pushing().await, Receiver::start(&[]).await);
    let first = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let made = make(&server, &receiver.url, json!({ "secret": first })).await;
    assert_eq!(made["secret"], Value::Null, "who gave it knows it");
    let rotated = done(&server, "POST", "/c/secret", &json!({ "overlap": "1h" })).await;
    let second = rotated["secret"].as_str().expect("it is told once");
    assert_eq!(rotated["previous_until"], "2026-11-21T09:00:00Z");
    assert_eq!(
        get(&server, "/c").await["previous_secret_until"],
        rotated["previous_until"]
    );
    server.publish("orders", &events(1, "a")).await;
    let pushed = receiver.next().await;
    for secret in [first, second] {
        assert_eq!(verified(&server, &pushed, secret), Ok(()));
    }
    server.clock.advance(Duration::from_hours(1));
    server.publish("orders", &events(1, "a")).await;
    let pushed = receiver.next().await;
    assert_eq!(verified(&server, &pushed, second), Ok(()));
    assert_eq!(verified(&server, &pushed, first), Err(Unverified::Forged));
}

#[tokio::test]
async fn a_test_says_what_came_of_it_whatever_that_is() {
    let (server, receiver) = (pushing().await, Receiver::start(&[500]).await);
    let made = make(&server, &receiver.url, json!({ "paused": true })).await;
    let secret = made["secret"].as_str().expect("it is told once");
    let failed = done(&server, "POST", "/c/test", &json!({})).await;
    assert_eq!(
        (&failed["delivered"], &failed["status"]),
        (&json!(false), &json!(500))
    );
    let delivered = done(&server, "POST", "/c/test", &json!({})).await;
    assert_eq!(
        (&delivered["delivered"], &delivered["status"]),
        (&json!(true), &json!(200))
    );
    assert_eq!(
        (&delivered["occasion"], &delivered["events"]),
        (&json!("test"), &Value::Null)
    );
    receiver.next().await;
    let sample = receiver.next().await;
    assert_eq!(verified(&server, &sample, secret), Ok(()));
    assert_eq!(sample.header("webhook-id"), delivered["id"].as_str());
    let listed = get(&server, "/c/deliveries").await;
    assert_eq!(listed["deliveries"], json!([delivered, failed]));
}

#[tokio::test]
async fn what_was_pushed_is_pushed_once_more_by_a_replay_which_is_done_then() {
    let (server, receiver) = (pushing().await, Receiver::start(&[]).await);
    make(&server, &receiver.url, json!({})).await;
    server.publish("orders", &events(4, "a")).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let pushed = receiver.next().await;
        ids.push(pushed.header("webhook-id").expect("an id").to_owned());
    }
    let again = Receiver::start(&[]).await;
    let body = json!({ "from": "1", "until": "3", "url": again.url, "name": "again" });
    let answer = ask(&server, "POST", "/c/replays", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let at = format!("{}/again", super::ALL);
    assert_eq!(answer.header("location"), Some(at.as_str()));
    let made = answer.json();
    assert_eq!(made["replay"], json!({ "of": "c", "until": 3 }));
    assert_eq!(made["secret"], Value::Null, "it signs by the same");
    for id in &ids[1..3] {
        assert_eq!(again.next().await.header("webhook-id"), Some(id.as_str()));
    }
    let done = || async {
        let shown = get(&server, "/again").await;
        (shown["state"] == "done").then_some(())
    };
    found(done).await;
    let resumed = ask(&server, "POST", "/again/resume", &json!({})).await;
    assert_eq!(resumed.problem(), (409, "connector-done".to_owned()));
    let nothing = json!({ "from": "4", "until": "3" });
    let nothing = ask(&server, "POST", "/c/replays", &nothing).await;
    assert_eq!(nothing.problem(), (400, "invalid-parameter".to_owned()));
}

#[tokio::test]
async fn whoever_pulls_goes_on_where_a_paused_connector_was() {
    let (server, receiver) = (pushing().await, Receiver::start(&[]).await);
    make(&server, &receiver.url, json!({})).await;
    server.publish("orders", &events(1, "a")).await;
    receiver.next().await;
    done(&server, "POST", "/c/pause", &json!({})).await;
    server.publish("orders", &events(1, "a")).await;
    let free = || async {
        let stream = server.get("streams/c").await.json();
        (stream["member_count"] == 0).then_some(())
    };
    found(free).await;
    let mut member = server
        .follow("streams/c/connect", "application/x-ndjson", &[])
        .await;
    loop {
        let text = member.text().await;
        if text.contains("\"specversion\"") {
            assert!(text.contains("\"position\":2,"), "{text}");
            break;
        }
    }
}
