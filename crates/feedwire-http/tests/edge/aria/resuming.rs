//! Where a feed begins, and what is told of what is no longer there.

use std::time::Duration;

use feedwire_testkit::TestServer;

use super::{CHANGE, open, put, put_all, refusal};

const HOUR: Duration = Duration::from_hours(1);

fn id(position: u64) -> String {
    format!("C{position}")
}

#[tokio::test]
async fn a_client_that_comes_back_goes_on_behind_its_last_event_whatever_else_it_asks_for() {
    let server = TestServer::start().await;
    let first = put_all(&server, 3).await;
    let last = format!("last-event-id: C{}", first + 1);
    // Oldest events first, as whoever had read nothing would have them.
    let early = format!("last_id=C{first}");
    for query in [
        "",
        "from=5hours",
        "from=2019-01-15T14:30:45.4321-05:00",
        "from=2019-01-15T14:30:45+02:00",
        &early,
        &format!("{early}&from=5hours"),
    ] {
        let path = format!("{CHANGE}?{query}");
        let mut feed = open(&server, &path, &[&last]).await;
        assert_eq!(feed.opening, ":\n");
        assert_eq!(feed.next().await.id, id(first + 2), "{query}");
    }
}

#[tokio::test]
async fn a_client_that_comes_for_the_first_time_says_where_to_begin() {
    let server = TestServer::start().await;
    put(&server, "old", "{}").await;
    server.clock.advance(6 * HOUR);
    let first = put_all(&server, 2).await;
    server.clock.advance(HOUR);
    for (query, expected) in [
        (format!("lastEventId=C{first}"), first + 1),
        (format!("last_id=C{first}&from=5hours"), first + 1),
        ("from=5hours".to_owned(), first),
        ("from=1hour".to_owned(), first),
        ("from=60minutes".to_owned(), first),
        ("from=2026-11-21T14:00:00Z".to_owned(), first),
        ("from=2026-11-21T16:00:00+02:00".to_owned(), first),
        ("from=2026-11-21T16:00:00%2B02:00".to_owned(), first),
        ("from=1day".to_owned(), first - 1),
        ("last_id=C0".to_owned(), first - 1),
    ] {
        let mut feed = open(&server, &format!("{CHANGE}?{query}"), &[]).await;
        assert_eq!(feed.next().await.id, id(expected), "{query}");
    }
    // Without any of it, and from a time that is not yet, it is live.
    for query in [
        "",
        "last_id=&from=",
        "from=2030-01-01T00:00:00Z",
        "from=1minute",
    ] {
        server.clock.advance(HOUR);
        let mut feed = open(&server, &format!("{CHANGE}?{query}"), &[]).await;
        let live = put(&server, &format!("live {query}"), "{}").await;
        assert_eq!(feed.next().await.id, id(live), "{query}");
    }
}

#[tokio::test]
async fn behind_an_id_that_has_expired_comes_the_oldest_event_and_a_comment_says_so() {
    let server = TestServer::start().await;
    let first = put_all(&server, 4).await;
    server.clock.advance(2 * HOUR);
    // The state of what is left keeps nothing of this one.
    let last = put(&server, "n3", r#"{"a":1}"#).await;
    server.trim(HOUR).await;
    let mut feed = open(&server, &format!("{CHANGE}?last_id=C{first}"), &[]).await;
    assert_eq!(
        feed.opening,
        ": what follows the last id is no longer there: at most 3 events are missing; this begins with the oldest that is there\n"
    );
    assert_eq!(feed.next().await.id, id(last));
    // Whoever has read all that is gone misses nothing, and is told nothing.
    let mut feed = open(&server, &format!("{CHANGE}?last_id=C{}", last - 1), &[]).await;
    assert_eq!(feed.opening, ":\n");
    assert_eq!(feed.next().await.id, id(last));
}

#[tokio::test]
async fn behind_an_id_that_is_not_yet_comes_the_oldest_event_and_a_comment_says_so() {
    let server = TestServer::start().await;
    let first = put_all(&server, 2).await;
    let header = format!("last-event-id: C{}", first + 2);
    let mut feed = open(&server, CHANGE, &[&header]).await;
    assert_eq!(
        feed.opening,
        ": no event has the last id as yet: it is another server's, or this one was restored; this begins with the oldest event that is there\n"
    );
    assert_eq!(feed.ids(2).await, [id(first), id(first + 1)]);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_before_a_feed_begins() {
    let server = TestServer::start().await;
    for (query, header) in [
        ("last_id=x", ""),
        ("last_id=7", ""),
        ("lastEventId=L7", ""),
        ("from=yesterday", ""),
        ("from=1month", ""),
        ("from=soon", "last-event-id: C0"),
        ("", "last-event-id: 7"),
        ("", "last-event-id: \u{e9}"),
    ] {
        let headers: Vec<&str> = [header]
            .into_iter()
            .filter(|header| !header.is_empty())
            .collect();
        let path = format!("{CHANGE}?{query}");
        let answer = server.ask("GET", &path, &headers, b"").await;
        let (status, error, words) = refusal(&answer);
        assert_eq!(
            (status, error.as_str()),
            (400, "invalid_request"),
            "{query}"
        );
        let name = query.split('=').next().filter(|name| !name.is_empty());
        assert!(
            words.starts_with(name.unwrap_or("Last-Event-ID")),
            "{words}"
        );
    }
}
