//! Aggregates: saved with what is expected of them, and loaded by version.

use feedwire_testkit::TestServer;
use insta::assert_snapshot;
use serde_json::json;

use super::{ORDER, OTHER, ask, get, refusal, save, told, try_save};

#[tokio::test]
async fn an_aggregate_is_loaded_with_all_its_events_or_those_of_some_versions() {
    let server = TestServer::start().await;
    let path = format!("/aggregates/order/{ORDER}");
    let missing = ask(&server, "GET", &path, "").await;
    assert_eq!(refusal(&missing).0, 404);
    assert_eq!(ask(&server, "HEAD", &path, "").await.status, 404);
    let body = r#"{"expectedVersion":0,"unknown":1,"events":[{"eventId":"127B80B5-4a05-4774-b870-1c9a2e2a27a3","eventType":"Placed","data":{"amount":1.50},"encryptedData":"c2VjcmV0"},{"eventId":"c8b90e06-f3c0-46aa-93a6-c0b281ef3ac5","eventType":"Paid","data":null}]}"#;
    let saved = ask(&server, "POST", &format!("{path}/events"), body).await;
    assert_eq!((saved.status, saved.text().as_str()), (200, ""));
    save(&server, &format!("order/{ORDER}"), &["Shipped"]).await;
    save(&server, &format!("order/{ORDER}"), &["Arrived"]).await;
    let loaded = ask(&server, "GET", &format!("{path}?limit=1"), "").await;
    assert_snapshot!(loaded.text(), @r#"{"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","aggregateVersion":3,"aggregateType":"order","events":[{"eventId":"127b80b5-4a05-4774-b870-1c9a2e2a27a3","eventType":"Placed","data":{"amount":1.50},"encryptedData":"c2VjcmV0"},{"eventId":"c8b90e06-f3c0-46aa-93a6-c0b281ef3ac5","eventType":"Paid"}],"hasMore":true}"#);
    let check = async |query: &str, types: &[&str], more: bool| {
        let loaded = get(&server, &format!("{path}?{query}")).await;
        let events = loaded["events"].as_array().expect("events").iter();
        let found: Vec<&str> = events
            .filter_map(|event| event["eventType"].as_str())
            .collect();
        assert_eq!(found, types, "{query}");
        assert_eq!(loaded["hasMore"], more, "{query}");
        assert_eq!(loaded["aggregateVersion"], 3, "{query}");
    };
    check("", &["Placed", "Paid", "Shipped", "Arrived"], false).await;
    check("since=0&limit=2", &["Placed", "Paid", "Shipped"], true).await;
    check("since=1&limit=1", &["Shipped"], true).await;
    check("since=2&limit=1", &["Arrived"], false).await;
    check("since=3", &[], false).await;
    check("since=1000&limit=1000", &[], false).await;
    let upper = path.replace(ORDER, &ORDER.to_uppercase());
    assert_eq!(get(&server, &upper).await["aggregateId"], ORDER);
    assert_eq!(ask(&server, "HEAD", &path, "").await.status, 200);
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let server = TestServer::start().await;
    save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
    let path = format!("/serialized/aggregates/order/{ORDER}");
    let first = server.ask("GET", &path, &[], b"").await;
    let tag = first.header("etag").expect("a tag").to_owned();
    // The vendor's examples send it without its quotes.
    for sent in [
        tag.clone(),
        tag.trim_matches('"').to_owned(),
        format!("\"x\", {tag}"),
    ] {
        let header = format!("if-none-match: {sent}");
        let again = server.ask("GET", &path, &[&header], b"").await;
        assert_eq!(again.status, 304, "{sent}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
    }
    save(&server, &format!("order/{ORDER}"), &["Paid"]).await;
    let header = format!("if-none-match: {tag}");
    let changed = server.ask("GET", &path, &[&header], b"").await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn what_is_expected_of_an_aggregate_has_to_hold() {
    let server = TestServer::start().await;
    let order = format!("order/{ORDER}");
    let check = async |more: &str, status: u16| {
        let saved = try_save(&server, &order, &["Placed"], more).await;
        assert_eq!(saved.status, status, "{more}: {}", saved.text());
        if status != 200 {
            refusal(&saved);
        }
    };
    check(r#","expectedVersion":1"#, 409).await;
    check(r#","expectedVersion":0"#, 200).await;
    check(r#","expectedVersion":0"#, 409).await;
    check(r#","expectedVersion":1"#, 200).await;
    check("", 200).await;
    check(r#","expectedVersion":null"#, 200).await;
    check(r#","expectedVersion":3"#, 409).await;
    check(r#","expectedVersion":4"#, 200).await;
    check(r#","expectedVersion":-1"#, 422).await;
    check(r#","expectedVersion":"4""#, 422).await;
    // The same again is no repetition here: it is refused, or saved twice.
    let event =
        r#"{"events":[{"eventId":"127b80b5-4a05-4774-b870-1c9a2e2a27a3","eventType":"Placed"}]}"#;
    for _ in 0..2 {
        let saved = ask(
            &server,
            "POST",
            &format!("/aggregates/{order}/events"),
            event,
        )
        .await;
        assert_eq!(saved.status, 200);
    }
    assert_eq!(
        get(&server, &format!("/aggregates/{order}")).await["aggregateVersion"],
        7
    );
}

#[tokio::test]
async fn batches_of_several_aggregates_are_saved_together_or_not_at_all() {
    let server = TestServer::start().await;
    let bulk = |first: &str, second: &str| {
        format!(
            r#"{{"batches":[{{"aggregateId":"{ORDER}","events":[{{"eventType":"Placed"}},{{"eventType":"Paid"}}]{first}}},{{"aggregateId":"{OTHER}","events":[{{"eventType":"Placed"}}]{second}}}]}}"#
        )
    };
    let send = async |body: &str| ask(&server, "POST", "/aggregates/order/events", body).await;
    let none = r#","expectedVersion":0"#;
    let saved = send(&bulk(none, none)).await;
    assert_eq!((saved.status, saved.text().as_str()), (200, ""));
    let refused = send(&bulk(r#","expectedVersion":1"#, none)).await;
    assert_eq!(refusal(&refused).0, 409);
    let page = get(&server, "/feeds/order").await;
    assert_eq!(told(&page), (vec![2, 3], false, 3));
    // Each is an entry of its own, and a limit counts them so.
    assert_eq!(
        told(&get(&server, "/feeds/order?limit=1").await),
        (vec![2], true, 3)
    );
    assert_eq!(
        told(&get(&server, "/feeds/order?since=2").await),
        (vec![3], false, 3)
    );
    let feeds = get(&server, "/feeds").await;
    assert_eq!(feeds["feeds"][0]["batchCount"], 2);
    assert_eq!(
        get(&server, "/feeds/count").await,
        json!({ "totalCount": 2 })
    );
    let twice = bulk("", "").replace(OTHER, ORDER);
    assert_eq!(refusal(&send(&twice).await).0, 422);
    let old = format!(
        r#"{{"aggregateId":"{OTHER}","events":[{{"eventType":"Paid"}}],"expectedVersion":1}}"#
    );
    assert_eq!(send(&old).await.status, 200);
    let loaded = get(&server, &format!("/aggregates/order/{OTHER}")).await;
    assert_eq!(loaded["aggregateVersion"], 2);
}

#[tokio::test]
async fn aggregates_are_listed_by_type() {
    let server = TestServer::start().await;
    let list = async |query: &str| get(&server, &format!("/aggregates/order?{query}")).await;
    assert_eq!(
        list("").await,
        json!({ "aggregates": [], "hasMore": false })
    );
    save(&server, &format!("order/{OTHER}"), &["Placed"]).await;
    save(&server, &format!("order/{ORDER}"), &["Placed", "Paid"]).await;
    save(&server, &format!("order/{ORDER}"), &["Shipped"]).await;
    save(&server, &format!("stock/{ORDER}"), &["Taken"]).await;
    assert_snapshot!(list("").await, @r#"{"aggregates":[{"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","aggregateType":"order","aggregateVersion":2,"lastUpdatedAt":1795248000000},{"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad549130","aggregateType":"order","aggregateVersion":1,"lastUpdatedAt":1795248000000}],"hasMore":false}"#);
    let ids = |page: &serde_json::Value| {
        let aggregates = page["aggregates"].as_array().expect("aggregates").iter();
        let ids = aggregates.map(|one| one["aggregateId"].as_str().expect("an id").to_owned());
        (
            ids.collect::<Vec<_>>(),
            page["hasMore"].as_bool().expect("more"),
        )
    };
    assert_eq!(ids(&list("limit=1").await), (vec![ORDER.to_owned()], true));
    assert_eq!(
        ids(&list("skip=1&limit=1").await),
        (vec![OTHER.to_owned()], false)
    );
    assert_eq!(ids(&list("skip=2").await), (vec![], false));
}

#[tokio::test]
async fn a_body_that_is_not_as_it_should_be_is_told_where() {
    let server = TestServer::start().await;
    let path = format!("/aggregates/order/{ORDER}/events");
    for body in [
        "",
        "x",
        "[]",
        "{}",
        r#"{"events":[]}"#,
        r#"{"events":[{}]}"#,
        r#"{"events":[{"eventType":"ab"}]}"#,
        r#"{"events":[{"eventType":"Placed","eventId":"1"}]}"#,
        r#"{"events":[{"eventType":"Placed","encryptedData":1}]}"#,
        r#"{"events":[{"eventType":"Placed"},{"eventType":"Pl aced"}]}"#,
    ] {
        let refused = ask(&server, "POST", &path, body).await;
        assert_eq!(refusal(&refused).0, 422, "{body}");
        let errors = refused.json()["errors"].as_array().map(Vec::len);
        assert!(errors.is_some_and(|errors| errors > 0), "{body}");
    }
    for path in [
        "/aggregates/Order/723ecfce-14e9-4889-98d5-a3d0ad54912f/events",
        "/aggregates/or/723ecfce-14e9-4889-98d5-a3d0ad54912f/events",
        "/aggregates/order/42/events",
        "/aggregates/_all/723ecfce-14e9-4889-98d5-a3d0ad54912f/events",
    ] {
        let body = r#"{"events":[{"eventType":"Placed"}]}"#;
        assert_eq!(
            refusal(&ask(&server, "POST", path, body).await).0,
            400,
            "{path}"
        );
    }
    let large = vec![b' '; 10 << 20];
    let path = format!("/serialized{path}");
    let json = "content-type: application/json";
    let refused = server.ask("POST", &path, &[json], &large).await;
    assert_eq!(refusal(&refused).0, 413);
    let packed = [json, "content-encoding: gzip"];
    for headers in [&packed[..], &["content-type: text/plain"], &[]] {
        let refused = server.ask("POST", &path, headers, b"{}").await;
        assert_eq!(refusal(&refused).0, 415, "{headers:?}");
    }
    assert_eq!(told(&get(&server, "/feeds/_all").await), (vec![], false, 0));
}
