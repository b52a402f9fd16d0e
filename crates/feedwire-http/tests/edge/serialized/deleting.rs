//! Deleting aggregates, in two steps.

use std::time::Duration;

use feedwire_testkit::{Answer, TestServer};
use serde_json::json;

use super::{ORDER, OTHER, ask, get, refusal, save, told, try_save};

fn token(asked: &Answer) -> String {
    assert_eq!(asked.status, 200, "{}", asked.text());
    let token = asked.json()["deleteToken"].as_str().map(str::to_owned);
    token.expect("a token")
}

async fn delete(server: &TestServer, path: &str) -> Answer {
    let asked = ask(server, "DELETE", path, "").await;
    let confirmed = format!("{path}?deleteToken={}", token(&asked));
    ask(server, "DELETE", &confirmed, "").await
}

#[tokio::test]
async fn an_aggregate_is_gone_once_its_deletion_is_confirmed_and_begins_anew() {
    let server = TestServer::start().await;
    let order = format!("order/{ORDER}");
    save(&server, &order, &["Placed", "Paid"]).await;
    save(&server, &order, &["Shipped"]).await;
    save(&server, &format!("order/{OTHER}"), &["Placed"]).await;
    save(&server, &format!("stock/{ORDER}"), &["Taken"]).await;
    let path = format!("/aggregates/{order}");
    let asked = ask(&server, "DELETE", &path, "").await;
    assert_eq!(
        get(&server, &path).await["aggregateVersion"],
        2,
        "it is only asked for"
    );
    for wrong in ["x", ""] {
        let wrong = ask(
            &server,
            "DELETE",
            &format!("{path}?deleteToken={wrong}"),
            "",
        )
        .await;
        assert_eq!(refusal(&wrong).0, 403);
    }
    let confirmed = format!("{path}?deleteToken={}", token(&asked));
    let elsewhere = confirmed.replace(ORDER, OTHER);
    assert_eq!(ask(&server, "DELETE", &elsewhere, "").await.status, 403);
    assert_eq!(ask(&server, "DELETE", &confirmed, "").await.status, 204);
    // As its clients take it that ask again because the answer was lost.
    assert_eq!(ask(&server, "DELETE", &confirmed, "").await.status, 403);
    assert_eq!(ask(&server, "GET", &path, "").await.status, 404);
    assert_eq!(
        told(&get(&server, "/feeds/order").await),
        (vec![4], false, 4)
    );
    assert_eq!(told(&get(&server, "/feeds/_all").await).0, [4, 5]);
    let expected = json!({
        "aggregateType": "order", "aggregateCount": 1, "batchCount": 1, "eventCount": 1,
        "currentSequenceNumber": 4,
    });
    assert_eq!(get(&server, "/feeds").await["feeds"][0], expected);
    // Its versions begin anew, its sequence numbers go on.
    let again = try_save(&server, &order, &["Placed"], r#","expectedVersion":0"#).await;
    assert_eq!(again.status, 200, "{}", again.text());
    let loaded = get(&server, &path).await;
    assert_eq!(loaded["aggregateVersion"], 1);
    assert_eq!(loaded["events"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        told(&get(&server, "/feeds/order").await),
        (vec![4, 6], false, 6)
    );
    assert_eq!(
        get(&server, "/feeds").await["feeds"][0]["aggregateCount"],
        2
    );
}

#[tokio::test]
async fn a_token_is_good_for_ten_minutes() {
    let server = TestServer::start().await;
    let order = format!("/aggregates/order/{ORDER}");
    assert_eq!(ask(&server, "DELETE", &order, "").await.status, 404);
    save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
    let asked = ask(&server, "DELETE", &order, "").await;
    server.clock.advance(Duration::from_mins(10));
    let confirmed = format!("{order}?deleteToken={}", token(&asked));
    assert_eq!(
        refusal(&ask(&server, "DELETE", &confirmed, "").await).0,
        403
    );
    assert_eq!(delete(&server, &order).await.status, 204);
}

#[tokio::test]
async fn a_type_is_deleted_with_all_its_aggregates() {
    let server = TestServer::start().await;
    for id in [ORDER, OTHER] {
        save(&server, &format!("order/{id}"), &["Placed"]).await;
        save(&server, &format!("order/{id}"), &["Paid"]).await;
    }
    save(&server, &format!("stock/{ORDER}"), &["Taken"]).await;
    assert_eq!(delete(&server, "/aggregates/order").await.status, 204);
    let feeds = get(&server, "/feeds").await;
    let names = feeds["feeds"].as_array().expect("feeds").iter();
    assert_eq!(
        names.map(|feed| &feed["aggregateType"]).collect::<Vec<_>>(),
        ["stock"]
    );
    assert_eq!(
        told(&get(&server, "/feeds/order").await),
        (vec![], false, 4)
    );
    assert_eq!(told(&get(&server, "/feeds/_all").await).0, [5]);
    let listed = get(&server, "/aggregates/order").await;
    assert_eq!(listed, json!({ "aggregates": [], "hasMore": false }));
    assert_eq!(
        ask(&server, "DELETE", "/aggregates/order", "").await.status,
        404
    );
    let order = format!("order/{ORDER}");
    let again = try_save(&server, &order, &["Placed"], r#","expectedVersion":0"#).await;
    assert_eq!(again.status, 200);
    let expected = json!({
        "aggregateType": "order", "aggregateCount": 1, "batchCount": 1, "eventCount": 1,
        "currentSequenceNumber": 6,
    });
    assert_eq!(get(&server, "/feeds").await["feeds"][0], expected);
    let count = get(&server, "/feeds/count").await;
    assert_eq!(count, json!({ "totalCount": 2 }));
}
