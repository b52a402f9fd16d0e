//! Feeds, polled.

use std::time::Duration;

use feedwire_testkit::TestServer;
use insta::assert_snapshot;
use serde_json::json;

use super::{ORDER, OTHER, ask, get, refusal, save, told};

#[tokio::test]
async fn the_examples_of_the_vendors_page_are_answered_with_its_json_and_a_little_more() {
    let server = TestServer::start().await;
    let to = |text: &str| server.clock.set(text.parse().expect("a time"));
    to("2017-08-29T22:39:05.145574Z");
    let placed = r#"{"events":[{"eventId":"127b80b5-4a05-4774-b870-1c9a2e2a27a3","eventType":"OrderPlacedEvent","data":{"customerId":"some-test-id-1","orderAmount":12345}}]}"#;
    let saved = ask(
        &server,
        "POST",
        &format!("/aggregates/order/{ORDER}/events"),
        placed,
    )
    .await;
    assert_eq!((saved.status, saved.text().as_str()), (200, ""));
    to("2017-08-29T22:40:55.370Z");
    let paid = r#"{"events":[{"eventId":"c8b90e06-f3c0-46aa-93a6-c0b281ef3ac5","eventType":"OrderPaidEvent"}]}"#;
    ask(
        &server,
        "POST",
        &format!("/aggregates/order/{ORDER}/events"),
        paid,
    )
    .await;
    let feeds = ask(&server, "GET", "/feeds", "").await;
    assert_snapshot!(feeds.text(), @r#"{"feeds":[{"aggregateType":"order","aggregateCount":1,"batchCount":2,"eventCount":2,"currentSequenceNumber":2}]}"#);
    let feed = ask(&server, "GET", "/feeds/order", "").await;
    assert_snapshot!(feed.text(), @r#"{"entries":[{"sequenceNumber":1,"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","timestamp":1504046345145,"feedName":"order","events":[{"eventId":"127b80b5-4a05-4774-b870-1c9a2e2a27a3","eventType":"OrderPlacedEvent","data":{"customerId":"some-test-id-1","orderAmount":12345}}]},{"sequenceNumber":2,"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","timestamp":1504046455370,"feedName":"order","events":[{"eventId":"c8b90e06-f3c0-46aa-93a6-c0b281ef3ac5","eventType":"OrderPaidEvent"}]}],"hasMore":false,"currentSequenceNumber":2}"#);
}

#[tokio::test]
async fn there_are_no_feeds_before_there_is_an_event() {
    let server = TestServer::start().await;
    assert_eq!(get(&server, "/feeds").await, json!({ "feeds": [] }));
    let unknown = ask(&server, "GET", "/feeds/order", "").await;
    assert_eq!(refusal(&unknown).0, 404);
    assert_eq!(ask(&server, "HEAD", "/feeds/order", "").await.status, 404);
    let all = get(&server, "/feeds/_all").await;
    assert_eq!(told(&all), (vec![], false, 0));
    assert_eq!(
        get(&server, "/feeds/count").await,
        json!({ "totalCount": 0 })
    );
    save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
    assert_eq!(
        told(&get(&server, "/feeds/order").await),
        (vec![1], false, 1)
    );
}

#[tokio::test]
async fn a_page_has_the_batches_behind_a_number_up_to_a_limit() {
    let server = TestServer::start().await;
    save(&server, &format!("order/{ORDER}"), &["Placed", "Paid"]).await;
    save(&server, &format!("stock/{OTHER}"), &["Taken"]).await;
    save(&server, &format!("order/{ORDER}"), &["Shipped"]).await;
    save(&server, &format!("order/{OTHER}"), &["Placed"]).await;
    let check = async |path: &str, numbers: &[u64], more, current| {
        let page = get(&server, path).await;
        assert_eq!(told(&page), (numbers.to_vec(), more, current), "{path}");
    };
    check("/feeds/order", &[2, 4, 5], false, 5).await;
    check("/feeds/order?since=0&limit=1", &[2], true, 5).await;
    check("/feeds/order?since=2&limit=1", &[4], true, 5).await;
    check("/feeds/order?since=4&limit=1", &[5], false, 5).await;
    check("/feeds/order?since=5", &[], false, 5).await;
    check("/feeds/stock", &[3], false, 3).await;
    check("/feeds/stock?since=3", &[], false, 3).await;
    check("/feeds/_all", &[2, 3, 4, 5], false, 5).await;
    check("/feeds/_all?filterType=stock", &[3], false, 5).await;
    check("/feeds/_all?filterType=stock&since=3", &[], false, 5).await;
    check(
        "/feeds/_all?types[]=stock&types%5B%5D=order",
        &[2, 3, 4, 5],
        false,
        5,
    )
    .await;
    check("/feeds/_all?filterType=", &[2, 3, 4, 5], false, 5).await;
    check("/feeds/_all?filterType=none", &[], false, 5).await;
    // A number that is ahead, as after a restore, is no reason to be refused.
    check("/feeds/order?since=9", &[], false, 5).await;
    check("/feeds/order?since=99999999999999999999", &[], false, 5).await;
    // Within a batch of two events nothing begins.
    check("/feeds/order?since=3", &[4, 5], false, 5).await;
    let head = ask(&server, "HEAD", "/feeds/order", "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("serialized-sequencenumber-current"), Some("5"));
    let head = ask(&server, "HEAD", "/feeds/_all", "").await;
    assert_eq!(head.header("serialized-sequencenumber-current"), Some("5"));
}

#[tokio::test]
async fn partitions_part_the_aggregates_and_a_limit_counts_what_is_left() {
    let server = TestServer::start().await;
    for number in 0..60 {
        let id = format!("723ecfce-14e9-4889-98d5-{number:012}");
        save(&server, &format!("order/{id}"), &["Placed"]).await;
        save(&server, &format!("stock/{id}"), &["Taken"]).await;
    }
    let mut all = Vec::new();
    for number in 0..3 {
        let query = format!("partitionCount=3&partitionNumber={number}");
        let whole = told(&get(&server, &format!("/feeds/order?{query}")).await).0;
        let path = format!("/feeds/_all?filterType=order&{query}");
        assert_eq!(told(&get(&server, &path).await).0, whole);
        // However few of the events pass, a page has as many batches as it may.
        let page = get(&server, &format!("/feeds/order?{query}&limit=10")).await;
        assert_eq!(told(&page), (whole[..10].to_vec(), true, 119));
        all.extend(whole);
    }
    all.sort_unstable();
    assert_eq!(
        all,
        (0..60).map(|number| number * 2 + 1).collect::<Vec<u64>>()
    );
    let one = get(&server, "/feeds/order?partitionCount=1&partitionNumber=0").await;
    assert_eq!(told(&one).0.len(), 60);
}

#[tokio::test]
async fn from_and_to_bound_when_a_batch_was_saved() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
        server.clock.advance(Duration::from_hours(1));
    }
    let check = async |query: &str, numbers: &[u64]| {
        let page = get(&server, &format!("/feeds/order?{query}")).await;
        assert_eq!(told(&page).0, numbers, "{query}");
        let count = get(&server, &format!("/feeds/order/count?{query}")).await;
        assert_eq!(count, json!({ "totalCount": numbers.len() }), "{query}");
    };
    check("from=2026-11-21T08:00:00Z", &[1, 2, 3]).await;
    check("from=2026-11-21T08:00:00.001Z", &[2, 3]).await;
    check("from=2026-11-21T09:00:00Z&to=2026-11-21T10:00:00Z", &[2]).await;
    check(
        "from=2026-11-21T10:00:00%2B01:00&to=2026-11-21T11:00:00+01:00",
        &[2],
    )
    .await;
    check("from=2026-11-21&to=2026-11-22", &[1, 2, 3]).await;
    check("from=2026-11-21T10:00:00", &[3]).await;
    check(
        "from=1970-01-01T00:00:00.000Z&to=1970-01-01T00:00:00.000Z",
        &[],
    )
    .await;
    check("to=2026-11-21T09:00:00Z", &[1]).await;
    let both = get(
        &server,
        "/feeds/order?since=1&from=2026-11-21T08:00:00Z&limit=1",
    )
    .await;
    assert_eq!(told(&both), (vec![2], true, 3));
    let count = get(&server, "/feeds/count?from=2026-11-21T09:00:00Z").await;
    assert_eq!(count, json!({ "totalCount": 2 }));
}

#[tokio::test]
async fn what_other_apis_published_is_shown_under_ids_that_are_uuids() {
    let server = TestServer::start().await;
    let body = r#"[{"type":"a.b","subject":"42","id":"x","data":[1]},{"type":"t","subject":"42"},{"type":"t"},{"type":"t","subject":"43","data_base64":"AQI="}]"#;
    server.publish("Orders.v1", body).await;
    let page = get(&server, "/feeds/Orders.v1").await;
    assert_eq!(told(&page), (vec![2, 3, 4], false, 4));
    let again = get(&server, "/feeds/_all?since=2").await;
    assert_eq!(again["entries"][0], page["entries"][1]);
    let is_uuid = |value: &serde_json::Value| {
        let text = value.as_str().expect("a text");
        assert_eq!((text.len(), &text[14..15]), (36, "5"), "{text}");
    };
    for entry in page["entries"].as_array().expect("entries") {
        is_uuid(&entry["aggregateId"]);
        is_uuid(&entry["events"][0]["eventId"]);
        assert_eq!(entry["feedName"], "Orders.v1");
    }
    assert_eq!(page["entries"][0]["events"][0]["data"], json!([1]));
    assert_eq!(page["entries"][2]["events"][0]["data"], "AQI=");
    let feeds = get(&server, "/feeds").await;
    let expected = json!({ "feeds": [{
        "aggregateType": "Orders.v1", "aggregateCount": 2, "batchCount": 3, "eventCount": 4,
        "currentSequenceNumber": 4,
    }] });
    assert_eq!(feeds, expected);
}

#[tokio::test]
async fn a_page_is_cut_by_size_and_says_so() {
    let server = TestServer::with(feedwire_http::Limits {
        page_bytes: 1_000,
        ..feedwire_http::Limits::default()
    })
    .await;
    let long = "x".repeat(600);
    let body = format!(r#"{{"events":[{{"eventType":"Long","data":"{long}"}}]}}"#);
    for _ in 0..5 {
        let path = format!("/aggregates/order/{ORDER}/events");
        assert_eq!(ask(&server, "POST", &path, &body).await.status, 200);
    }
    let (mut since, mut seen) = (0, Vec::new());
    loop {
        let page = get(&server, &format!("/feeds/order?since={since}")).await;
        let (numbers, more, current) = told(&page);
        assert_eq!(current, 5);
        assert!((1..5).contains(&numbers.len()), "{numbers:?}");
        since = *numbers.last().expect("one at least");
        seen.extend(numbers);
        if !more {
            break;
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_number_before_what_is_retained_is_told_what_is_lost() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
        server.clock.advance(Duration::from_hours(1));
    }
    get(&server, "/feeds").await;
    server.trim(Duration::from_mins(90)).await;
    let lost = ask(&server, "GET", "/feeds/order?since=1", "").await;
    assert_snapshot!(refusal(&lost).1, @"since: what came before sequence number 3 is no longer retained, at most 1 events; ask with since=0 for what there is");
    assert_eq!(lost.status, 410);
    // Nothing is lost of what begins with what there is.
    assert_eq!(told(&get(&server, "/feeds/order?since=2").await).0, [3]);
    assert_eq!(told(&get(&server, "/feeds/order?since=0").await).0, [3]);
    let load = ask(&server, "GET", &format!("/aggregates/order/{ORDER}"), "").await;
    assert_eq!(load.status, 410, "{}", load.text());
}

#[tokio::test]
async fn a_parameter_that_cannot_be_meant_is_named() {
    let server = TestServer::start().await;
    save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
    for (query, name) in [
        ("since=-1", "since"),
        ("since=x", "since"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=1&limit=2", "limit"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("partitionCount=0", "partitionCount"),
        ("partitionCount=2&partitionNumber=2", "partitionNumber"),
        ("partitionNumber=1", "partitionNumber"),
        ("waitTime=-1", "waitTime"),
        ("waitTime=1s", "waitTime"),
        ("waitTime=", "waitTime"),
        ("since=%zz", "since"),
    ] {
        let refused = ask(&server, "GET", &format!("/feeds/order?{query}"), "").await;
        let (status, message) = refusal(&refused);
        assert_eq!(status, 400, "{query}");
        assert!(message.starts_with(name), "{query}: {message}");
    }
    let unknown = get(&server, "/feeds/order?unknown=1&filterType=").await;
    assert_eq!(told(&unknown).0, [1]);
    for path in [
        "/feeds/a%2Fb",
        "/feeds/_own",
        "/nothing",
        "/feeds/order/",
        "",
    ] {
        let refused = ask(&server, "GET", path, "").await;
        assert!(matches!(refusal(&refused).0, 400 | 404), "{path}");
    }
    let refused = ask(&server, "POST", "/feeds/order", "").await;
    assert_eq!(refusal(&refused).0, 405);
    assert_eq!(refused.header("allow"), Some("GET,HEAD"));
}
