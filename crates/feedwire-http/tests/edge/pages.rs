//! Pages: where they start and end, how long they are, and waiting for one.

use std::time::Duration;

use feedwire_http::Limits;
use feedwire_testkit::TestServer;

use crate::events;

const HOUR: Duration = Duration::from_hours(1);

/// A server with batches of 2 events at 8, 9 and 10 o'clock: positions 1 and 2, 3 and 4, 5 and 6.
async fn three_batches() -> TestServer {
    let server = TestServer::start().await;
    for subject in ["a", "b", "c"] {
        server.publish("flights", &events(2, subject)).await;
        server.clock.advance(HOUR);
    }
    server
}

#[tokio::test]
async fn a_page_starts_where_it_is_asked_to() {
    let server = three_batches().await;
    for (query, positions) in [
        ("", vec![1, 2, 3, 4, 5, 6]),
        ("from=start", vec![1, 2, 3, 4, 5, 6]),
        ("from=now", vec![]),
        ("after=2", vec![3, 4, 5, 6]),
        ("after=3", vec![4, 5, 6]),
        ("after=6", vec![]),
        ("from=2026-11-21T09:00:00Z", vec![3, 4, 5, 6]),
        ("from=2026-11-21T10:00:00+01:00", vec![3, 4, 5, 6]),
        ("from=90min", vec![5, 6]),
        ("from=PT2H", vec![3, 4, 5, 6]),
        ("from=1week", vec![1, 2, 3, 4, 5, 6]),
        ("until=2026-11-21T09:00:00Z", vec![1, 2]),
        ("until=1h30m", vec![1, 2, 3, 4]),
        ("until=now", vec![1, 2, 3, 4, 5, 6]),
        ("after=2&until=2026-11-21T10:00:00Z", vec![3, 4]),
    ] {
        let page = server.get(&format!("feeds/flights?{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text());
        assert_eq!(page.positions(), positions, "{query}");
        assert_eq!(page.json()["head"], 6);
    }
}

#[tokio::test]
async fn pages_follow_on_each_other_and_never_split_a_batch() {
    let server = three_batches().await;
    let mut cursor = "0".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = server
            .get(&format!("feeds/flights?limit=3&after={cursor}"))
            .await;
        cursor = page.json()["cursor"].as_str().expect("a cursor").to_owned();
        pages.push(page.positions());
        if page.json()["has_more"] == false {
            break;
        }
    }
    assert_eq!(pages, [vec![1, 2, 3, 4], vec![5, 6]]);
    assert_eq!(
        server.get("feeds/flights?limit=1").await.positions(),
        [1, 2]
    );
}

#[tokio::test]
async fn a_page_is_limited_in_bytes_too() {
    let limits = Limits {
        page_bytes: 60,
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    for _ in 0..5 {
        server.publish("f", &events(1, "a")).await;
    }
    let page = server.get("feeds/f").await;
    assert!((1..5).contains(&page.positions().len()), "{}", page.text());
    assert_eq!(page.json()["has_more"], true);
}

#[tokio::test]
async fn a_page_can_be_asked_for_in_bytes_and_is_no_larger_than_that_by_more_than_a_batch() {
    let server = TestServer::start().await;
    for _ in 0..200 {
        server.publish("f", r#"{"type":"t","subject":"a"}"#).await;
    }
    let whole = server.get("feeds/f?limit=1000").await;
    let event = whole.body.len() / 200;
    for bytes in [1, 1_000, 10_000, 20_000] {
        let path = format!("feeds/f?limit=1000&bytes={bytes}");
        let page = server.get(&path).await;
        let len = page.body.len();
        assert!((bytes..bytes + 2 * event).contains(&len), "{bytes}: {len}");
        assert_eq!(page.json()["has_more"], true);
        let cursor = page.json()["cursor"].as_str().map(str::to_owned);
        let last = page.positions().last().map(u64::to_string);
        assert_eq!(cursor, last);
        let next = format!("feeds/f?after={}", last.expect("an event"));
        let next = server.get(&next).await.positions();
        assert_eq!(next[0], page.positions().len() as u64 + 1);
    }
    let all = server.get("feeds/f?limit=1000&bytes=4194304").await;
    assert_eq!(all.body, whole.body);
    let stream = server.ask(
        "GET",
        "/v1/projects/default/feeds/f?bytes=1",
        &["accept: text/event-stream"],
        b"",
    );
    assert_eq!(stream.await.problem(), (400, "invalid-parameter".into()));
}

#[tokio::test]
async fn events_are_chosen_by_feed_type_and_subject() {
    let server = TestServer::start().await;
    server
        .publish(
            "flights",
            r#"[{"type":"a","subject":"x"},{"type":"b","subject":"x,y"}]"#,
        )
        .await;
    server
        .publish("trains", r#"[{"type":"a","subject":"x"},{"type":"c"}]"#)
        .await;
    for (path, positions) in [
        ("_all", vec![1, 2, 3, 4]),
        ("_all?feeds=trains,flights", vec![1, 2, 3, 4]),
        ("_all?feeds=trains", vec![3, 4]),
        ("_all?types=a", vec![1, 3]),
        ("_all?types=b&types=c", vec![2, 4]),
        ("flights?subjects=x", vec![1]),
        ("flights?subjects=x%2Cy", vec![2]),
        ("flights?subjects=x,y", vec![1]),
        ("trains?types=a,b&subjects=y", vec![]),
        ("never-used", vec![]),
    ] {
        let page = server.get(&format!("feeds/{path}")).await;
        assert_eq!(page.positions(), positions, "{path}");
        assert_eq!(
            page.json()["cursor"],
            "4",
            "{path}: an empty page moves the cursor on too"
        );
    }
}

#[tokio::test]
async fn a_long_poll_is_answered_by_the_next_event_that_it_asks_for() {
    let server = TestServer::start().await;
    let mut socket = server.connect().await;
    let path = "/v1/projects/default/feeds/flights?after=0&wait=60s&types=tick";
    socket.request("GET", path, &[], b"").await;
    server.publish("flights", r#"{"type":"tock"}"#).await;
    server.publish("flights", r#"{"type":"tick"}"#).await;
    let page = socket.answer("GET").await;
    assert_eq!(page.positions(), [2]);
    assert_eq!(page.json()["cursor"], "2");
}

#[tokio::test]
async fn a_long_poll_that_waits_in_vain_moves_the_cursor_on() {
    let server = TestServer::start().await;
    server.publish("flights", r#"{"type":"tock"}"#).await;
    let page = server.get("feeds/flights?wait=10ms&types=tick").await;
    assert!(page.positions().is_empty());
    assert_eq!(
        (page.json()["cursor"].as_str(), page.json()["head"].as_u64()),
        (Some("1"), Some(1))
    );
}

#[tokio::test]
async fn a_cursor_that_cannot_be_met_is_told_why() {
    let server = three_batches().await;
    server.trim(HOUR + HOUR / 2).await;
    let expired = server.get("feeds/flights?after=1").await;
    assert_eq!(expired.problem(), (410, "cursor-expired".into()));
    let told = expired.json();
    assert_eq!(told["first_position"], 5);
    assert_eq!(told["first_time"], "2026-11-21T10:00:00Z");
    assert!(
        told["lost_at_most"].as_u64().is_some_and(|lost| lost >= 3),
        "{told}"
    );
    assert_eq!(
        server.get("feeds/never-trimmed?after=1").await.status,
        200,
        "it lost nothing"
    );
    assert_eq!(
        server.get("feeds/flights?from=start").await.positions(),
        [5, 6]
    );
    let ahead = server.get("feeds/flights?after=7").await;
    assert_eq!(ahead.problem(), (400, "cursor-ahead".into()));
    assert_eq!(ahead.json()["head"], 6);
}

#[tokio::test]
async fn the_last_event_id_wins_and_nothing_is_kept_by_caches() {
    let server = three_batches().await;
    let path = "/v1/projects/default/feeds/flights?after=1";
    let page = server.ask("GET", path, &["last-event-id: 4"], b"").await;
    assert_eq!(page.positions(), [5, 6]);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn what_a_client_does_not_take_is_not_sent() {
    let server = TestServer::start().await;
    let page = server
        .ask(
            "GET",
            "/v1/projects/default/feeds/f",
            &["accept: text/html"],
            b"",
        )
        .await;
    assert_eq!(page.problem(), (406, "not-acceptable".into()));
}
