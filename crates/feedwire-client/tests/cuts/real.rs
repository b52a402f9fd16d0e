//! A real server, which it is told by what it knows: published, followed and shared through a proxy that cuts.

use std::collections::BTreeSet;
use std::convert::Infallible;

use feedwire_client::{Client, Delivery, NewEvent, NewStream};
use feedwire_testkit::TestServer;
use parking_lot::Mutex;
use proptest::prelude::*;
use tokio::sync::Notify;

use crate::proxy::{Fault, Way, before};
use crate::wire::paused;

/// How many events [`publish`] publishes.
const COUNT: u64 = 12;
/// More than there are faults.
const TRIES: u32 = 100;

/// Publishes the numbers from 1 on, in every way there is.
async fn publish(client: &Client) {
    let publish = || client.publish("f").tries(TRIES);
    let event = |number: u64| NewEvent::new("t").data(&number).expect("JSON");
    let line = |number: u64| format!("{{\"type\":\"t\",\"data\":{number}}}\n");
    publish().event(&event(1)).await.expect("published");
    let batch = [event(2), event(3), event(4)];
    publish().batch(&batch).await.expect("published");
    let lines: String = (5..9).map(line).collect();
    let uploaded = publish().lines(lines).await.expect("published");
    assert_eq!(uploaded.count, 4);
    let lines: String = (9..12).map(line).collect();
    let uploaded = publish().upload(lines.as_bytes(), |_| {}).await;
    assert_eq!(uploaded.expect("published").count, 3);
    let last = publish().json(line(12)).await.expect("published");
    assert_eq!(last.last, COUNT);
}

async fn followed(client: &Client) -> Vec<u64> {
    let read = client.read("f").from("start").limit(COUNT);
    let mut follow = read.follow().tries(TRIES);
    let mut numbers = Vec::new();
    while let Some(event) = follow.next().await.expect("it goes on") {
        numbers.push(event.data().expect("a number"));
    }
    numbers
}

async fn check(publishing: Vec<Fault>, following: Vec<Fault>) {
    let server = TestServer::start().await;
    let (client, _passing) = before(server.address, publishing).await;
    publish(&client).await;
    let (client, _passing) = before(server.address, following).await;
    let numbers = followed(&client).await;
    assert!(numbers.iter().copied().eq(1..=COUNT), "{numbers:?}");
    server.stopped().await;
}

/// What a member does through `faults`.
async fn joined(faults: Vec<Fault>) {
    let server = TestServer::start().await;
    let good = Client::new(&format!("http://{}", server.address)).expect("an address");
    let stream = NewStream {
        name: Some("s".into()),
        partitions: Some(2),
        ..NewStream::default()
    };
    good.create_stream(&stream).await.expect("made");
    publish(&good).await;
    let (client, _passing) = before(server.address, faults).await;
    let (done, all) = (Mutex::new(Vec::new()), Notify::new());
    let join = client.join("s").tries(TRIES);
    let joined = join.run_until(all.notified(), async |delivery: Delivery| {
        let number: u64 = delivery.event.data().expect("a number");
        let mut done = done.lock();
        done.push(number);
        if done.iter().collect::<BTreeSet<_>>().len() as u64 == COUNT {
            all.notify_one();
        }
        Ok::<(), Infallible>(())
    });
    joined.await.expect("it goes on");
    let mut seen = BTreeSet::new();
    let done = done.into_inner();
    let first = done.iter().copied().filter(|number| seen.insert(*number));
    assert!(first.eq(1..=COUNT), "{done:?}");
    server.stopped().await;
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let way = prop_oneof![Just(Way::ToServer), Just(Way::ToClient)];
    (way, 0..700u64, any::<bool>()).prop_map(|(way, bytes, is_reset)| Fault {
        way,
        bytes,
        is_reset,
    })
}

proptest! {
    // A case is a server and some twenty connections.
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_is_published_through_cuts_is_followed_through_cuts_once_and_in_order(
        publishing in prop::collection::vec(any_fault(), 0..10),
        following in prop::collection::vec(any_fault(), 0..6),
    ) {
        paused(check(publishing, following));
    }

    #[test]
    fn what_a_stream_has_is_done_through_cuts_at_least_once_and_in_order(
        faults in prop::collection::vec((any_fault(), 0..4u64), 0..10),
    ) {
        // Acknowledgements are short, and what a stream says of itself is not.
        let faults = faults.into_iter().map(|(fault, times)| Fault {
            bytes: fault.bytes * times,
            ..fault
        });
        paused(joined(faults.collect()));
    }
}
