//! Servers that are stopped and started again.

use std::time::Duration;

use feedwire_core::connectors::{Retry, Settings};
use tokio::time::{Instant, sleep};

use crate::receiver::{Receiver, Reply};
use crate::world::{World, borrowed, rounds, subjects, to};

#[tokio::test(start_paused = true)]
async fn a_server_goes_on_where_it_was_stopped() {
    let (mut world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| match seen.body.len() % 7 {
        0 => Reply::Status(500),
        rest => Reply::Slow(Duration::from_millis(rest as u64 * 9)),
    });
    let names = subjects("s", 10);
    world.connect(to(&receiver)).await;
    for round in 0..8 {
        world
            .publish(&rounds(&borrowed(&names), round * 10..round * 10 + 10))
            .await;
        let before = receiver.state().seen.len();
        receiver.came(before + 30).await;
        world = world.reopen().await;
    }
    receiver.answer(|_| Reply::Status(200));
    let state = receiver.taken(800).await;
    assert_eq!(state.faults, [""; 0]);
    world.settled().await;
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_is_given_up_after_its_first_failure_however_often_the_server_was_started() {
    let (mut world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| Reply::Status(if seen.events[0].1 == 0 { 422 } else { 200 }));
    let age = Duration::from_mins(12);
    let settings = to(&receiver);
    let retry = Retry {
        most: Duration::from_secs(30),
        age,
        ..settings.retry
    };
    world.publish(&rounds(&["a"], 0..2)).await;
    world.connect(Settings { retry, ..settings }).await;
    let start = Instant::now();
    receiver.came(1).await;
    for _ in 0..5 {
        sleep(Duration::from_mins(2)).await;
        world = world.reopen().await;
        assert!(world.letters().await.is_empty());
    }
    let state = receiver.taken(1).await;
    let took = start.elapsed();
    assert!(
        took >= age && took < age + Duration::from_mins(1),
        "{took:?}"
    );
    assert_eq!(state.taken["a"], [1]);
    assert_eq!(world.letters().await.len(), 1);
    world.close().await;
}
