//! Long polls.

use std::time::Duration;

use feedwire_testkit::{Socket, TestServer};
use serde_json::Value;

use super::{ORDER, OTHER, get, save, told};

/// A poll that waits, on a connection of its own.
async fn poll(server: &TestServer, query: &str) -> Socket {
    let mut socket = server.connect().await;
    let path = format!("/serialized/feeds/{query}");
    socket.request("GET", &path, &[], b"").await;
    socket
}

async fn answer(mut socket: Socket) -> (Vec<u64>, bool, u64) {
    let answer = socket.answer("GET").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let page: Value = answer.json();
    told(&page)
}

/// Waits until so many readers wait.
pub(super) async fn readers(server: &TestServer, count: u64) {
    loop {
        let stats = server.core.stats().await;
        let waiting: u64 = stats
            .projects
            .iter()
            .map(|project| project.tail.readers)
            .sum();
        if waiting == count {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_poll_that_waits_is_answered_when_there_is_something_for_it() {
    let server = TestServer::start().await;
    save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
    let order = poll(&server, "order?since=1&waitTime=50000").await;
    let stock = poll(&server, "_all?since=1&waitTime=50000&filterType=stock").await;
    let ahead = poll(&server, "order?since=3&waitTime=50000").await;
    readers(&server, 3).await;
    save(&server, &format!("order/{OTHER}"), &["Placed", "Paid"]).await;
    assert_eq!(answer(order).await, (vec![3], false, 3));
    readers(&server, 2).await;
    save(&server, &format!("stock/{OTHER}"), &["Taken"]).await;
    assert_eq!(answer(stock).await, (vec![4], false, 4));
    save(&server, &format!("order/{OTHER}"), &["Shipped"]).await;
    assert_eq!(answer(ahead).await, (vec![5], false, 5));
}

#[tokio::test]
async fn a_poll_is_answered_at_once_when_there_is_something_already() {
    let server = TestServer::start().await;
    save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
    let page = get(&server, "/feeds/order?waitTime=50000").await;
    assert_eq!(told(&page), (vec![1], false, 1));
}

#[tokio::test]
async fn a_poll_that_has_waited_for_nothing_says_where_the_feed_ends() {
    let server = TestServer::start().await;
    save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
    save(&server, &format!("stock/{ORDER}"), &["Taken"]).await;
    let page = get(&server, "/feeds/order?since=1&waitTime=1").await;
    assert_eq!(told(&page), (vec![], false, 1));
    let page = get(&server, "/feeds/_all?since=2&waitTime=1").await;
    assert_eq!(told(&page), (vec![], false, 2));
}

#[tokio::test]
async fn polls_that_wait_are_answered_when_the_server_stops() {
    let server = TestServer::start().await;
    save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
    let waiting = poll(&server, "order?since=1&waitTime=50000").await;
    readers(&server, 1).await;
    server.stop();
    assert_eq!(answer(waiting).await, (vec![], false, 1));
}

#[tokio::test]
async fn a_poll_whose_client_goes_away_waits_no_longer() {
    let server = TestServer::start().await;
    save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
    let waiting = poll(&server, "order?since=1&waitTime=50000").await;
    readers(&server, 1).await;
    drop(waiting);
    tokio::time::timeout(Duration::from_secs(10), readers(&server, 0))
        .await
        .expect("it is noticed");
}
