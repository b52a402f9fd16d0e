//! What becomes of what a receiver does not take.

use std::time::Duration;

use feedwire_testkit::TestServer;
use serde_json::{Value, json};

use super::{done, found, get, make, pushing};
use crate::events;
use crate::receiver::Receiver;

/// Retries at once, for as long as a clock that stands still lets it.
fn at_once(age: &str) -> Value {
    json!({ "retry_first": "10ms", "retry_most": "10ms", "retry_age": age })
}

/// The dead letters of the connector `c`, once there are any.
async fn letters(server: &TestServer) -> Value {
    let looked = || async {
        let letters = get(server, "/c/dead-letters").await;
        let is_any = letters["dead_letters"] != json!([]);
        is_any.then_some(letters)
    };
    found(looked).await
}

#[tokio::test]
async fn what_fails_is_pushed_again_under_the_same_id() {
    let (server, receiver) = (pushing().await, Receiver::start(&[500, 503]).await);
    make(&server, &receiver.url, at_once("1h")).await;
    server.publish("orders", &events(1, "a")).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let pushed = receiver.next().await;
        ids.push(pushed.header("webhook-id").expect("an id").to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let succeeded = || async {
        let metrics = get(&server, "/c/metrics").await;
        (metrics["succeeded"] == 1).then_some(metrics)
    };
    assert_eq!(found(succeeded).await["failed"], 2);
    let deliveries = get(&server, "/c/deliveries").await;
    let told = deliveries["deliveries"].as_array().expect("a list");
    let told: Vec<(u64, u64)> = told
        .iter()
        .filter_map(|one| Some((one["status"].as_u64()?, one["attempt"].as_u64()?)))
        .collect();
    assert_eq!(told, [(200, 3), (503, 2), (500, 1)]);
}

#[tokio::test]
async fn a_receiver_that_is_gone_has_nothing_more_pushed_until_somebody_says_so() {
    let (server, receiver) = (pushing().await, Receiver::start(&[410]).await);
    make(&server, &receiver.url, at_once("1h")).await;
    server.publish("orders", &events(1, "a")).await;
    receiver.next().await;
    let disabled = || async {
        let shown = get(&server, "/c").await;
        (shown["state"] == "disabled").then_some(shown)
    };
    let shown = found(disabled).await;
    let reason = shown["reason"].as_str().expect("it says why");
    assert!(reason.contains("410"), "{reason}");
    let resumed = done(&server, "POST", "/c/resume", &json!({})).await;
    assert_eq!(resumed["state"], "active");
    receiver.next().await;
}

#[tokio::test]
async fn what_was_given_up_is_a_dead_letter_which_can_be_pushed_again_or_dropped() {
    let (server, failing) = (pushing().await, Receiver::start(&[500; 100]).await);
    make(&server, &failing.url, at_once("1s")).await;
    server.publish("orders", &events(1, "a")).await;
    let fails = || async {
        let shown = get(&server, "/c").await;
        shown["health"]["failing_since"].is_string().then_some(())
    };
    found(fails).await;
    server.clock.advance(Duration::from_secs(2));
    let found_letters = letters(&server).await;
    let letter = &found_letters["dead_letters"][0];
    assert_eq!(letter["position"], 1);
    let reason = letter["reason"].as_str().expect("it says why");
    assert!(reason.contains("500"), "{reason}");
    assert_eq!(letter["event"]["type"], "tick");
    assert_eq!(get(&server, "/c").await["dead_letters"], 1);
    let receiver = Receiver::start(&[]).await;
    done(&server, "PATCH", "/c", &json!({ "url": receiver.url })).await;
    let again = json!({ "positions": [1] });
    let again = done(&server, "POST", "/c/dead-letters/redrive", &again).await;
    assert_eq!(again, json!({ "count": 1 }));
    receiver.next().await;
    let gone = || async {
        let letters = get(&server, "/c/dead-letters").await;
        (letters["dead_letters"] == json!([])).then_some(())
    };
    found(gone).await;
    let dropped = done(
        &server,
        "POST",
        "/c/dead-letters/drop",
        &json!({ "all": true }),
    )
    .await;
    assert_eq!(dropped, json!({ "count": 0 }));
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_told_as_that() {
    let server = pushing().await;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("it listens");
    drop(listener);
    make(
        &server,
        &format!("http://{address}/"),
        json!({ "paused": true }),
    )
    .await;
    let tried = done(&server, "POST", "/c/test", &json!({})).await;
    assert_eq!(
        (&tried["delivered"], &tried["status"]),
        (&json!(false), &Value::Null)
    );
    assert!(tried["error"].is_string(), "{tried}");
}
