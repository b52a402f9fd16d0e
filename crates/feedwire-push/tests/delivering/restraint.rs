//! What a receiver asks for, and what a connector takes in hand.

use std::time::Duration;

use feedwire_core::connectors::Settings;
use tokio::time::{Instant, sleep};

use crate::receiver::{Receiver, Reply};
use crate::world::{World, borrowed, rounds, subjects, to};

/// The successes of what was on its way already had the rest sent at once.
#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_a_receiver_wants_it_whatever_succeeds_meanwhile() {
    for status in [429, 503] {
        let (world, receiver) = (World::new().await, Receiver::start().await);
        let start = Instant::now();
        receiver.answer(move |seen| {
            let is_over = start.elapsed() >= Duration::from_mins(2);
            match seen.events[0].0.as_str() {
                "s3" if !is_over => Reply::With(status, "retry-after: 120\r\n".to_owned()),
                _ => Reply::Slow(Duration::from_secs(1)),
            }
        });
        let names = subjects("s", 40);
        world.publish(&rounds(&borrowed(&names), 0..3)).await;
        world.connect(to(&receiver)).await;
        sleep(Duration::from_mins(1)).await;
        let before = receiver.state();
        let held_until = world.shown().await.health.held_until;
        assert!(before.seen.len() <= 8, "{}", before.seen.len());
        assert!(
            held_until.is_some_and(|until| until > world.clock.now()),
            "{held_until:?}"
        );
        let state = receiver.taken(120).await;
        assert_eq!(state.faults, [""; 0]);
        let next = &state.seen[before.seen.len()];
        assert!(next.at - start >= Duration::from_mins(2));
        world.close().await;
    }
}

/// Others say of an event alone that it is to wait.
#[tokio::test(start_paused = true)]
async fn what_a_receiver_asks_for_an_event_holds_up_no_other() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let start = Instant::now();
    receiver.answer(move |seen| {
        let is_over = start.elapsed() >= Duration::from_mins(2);
        match seen.events[0].0.as_str() {
            "s3" if !is_over => Reply::With(409, "retry-after: 120\r\n".to_owned()),
            _ => Reply::Status(200),
        }
    });
    let names = subjects("s", 10);
    world.publish(&rounds(&borrowed(&names), 0..3)).await;
    world.connect(to(&receiver)).await;
    receiver.taken(27).await;
    assert!(start.elapsed() < Duration::from_secs(5));
    let state = receiver.taken(30).await;
    assert_eq!(state.seen.len(), 31);
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_in_hand_is_bounded_however_much_there_is() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::Never);
    let names = subjects("s", 1_000);
    world
        .publish_to("f", &rounds(&borrowed(&names), 0..100), 1_000)
        .await;
    world
        .connect(Settings {
            concurrency: 64,
            ..to(&receiver)
        })
        .await;
    for _ in 0..3 {
        sleep(Duration::from_secs(8)).await;
        let shown = world.shown().await;
        assert!(shown.health.in_flight <= 64);
        let stream = shown.overview.stream.expect("a stream");
        assert_eq!(stream.lag.events, 100_000);
        let overview = world.core.stream(&world.grant, &stream.settings.name).await;
        let members = overview.expect("a stream").members;
        let in_hand: usize = members.iter().map(|member| member.in_flight).sum();
        // What has failed is beside what may be in hand.
        let failed = receiver.state().answered;
        assert!(in_hand <= 256 + failed, "{in_hand}");
    }
    assert!(receiver.state().at_once <= 64);
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_in_hand_is_bounded_by_its_bytes() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::Never);
    let names = subjects("s", 100);
    world
        .publish_to("f", &rounds(&borrowed(&names), 0..1), 200_000)
        .await;
    world.connect(to(&receiver)).await;
    let state = receiver.came(6).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(receiver.state().seen.len(), state.seen.len());
    world.close().await;
}
