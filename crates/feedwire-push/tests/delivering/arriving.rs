//! What is pushed where nothing goes wrong: everything, in order, as much at once as the connector may.

use std::time::Duration;

use feedwire_core::connectors::{Form, Settings};
use tokio::time::Instant;

use crate::receiver::{Receiver, Reply};
use crate::world::{World, borrowed, rounds, subjects, to};

fn batches(receiver: &Receiver, events: usize) -> Settings {
    Settings {
        form: Form::Batch,
        batch_events: events,
        ..to(receiver)
    }
}

#[tokio::test(start_paused = true)]
async fn everything_arrives_in_order_however_much_is_on_its_way_at_once() {
    for concurrency in [1, 8, 64] {
        let (world, receiver) = (World::new().await, Receiver::start().await);
        // One answer takes longer than the next.
        receiver.answer(|seen| match seen.events[0].1 % 3 {
            0 => Reply::Status(204),
            rest => Reply::Slow(Duration::from_millis(rest * 7)),
        });
        let mut names = subjects("s", 100);
        // And what has no subject.
        names.push(String::new());
        world.publish(&rounds(&borrowed(&names), 0..5)).await;
        world
            .connect(Settings {
                concurrency,
                ..to(&receiver)
            })
            .await;
        receiver.taken(100).await;
        world.publish(&rounds(&borrowed(&names), 5..10)).await;
        let state = receiver.taken(1_010).await;
        world.settled().await;
        assert_eq!(state.faults, [""; 0]);
        assert_eq!((state.count(), state.repeats), (1_010, 0));
        assert_eq!(state.at_once, concurrency);
        assert_eq!(receiver.state().seen.len(), 1_010);
        world.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_as_many_events_as_there_are_and_no_more_than_it_may() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::Slow(Duration::from_millis(50)));
    let names = subjects("s", 20);
    world.publish(&rounds(&borrowed(&names), 0..20)).await;
    world.connect(batches(&receiver, 7)).await;
    let state = receiver.taken(400).await;
    assert_eq!(state.faults, [""; 0]);
    assert_eq!(state.repeats, 0);
    let sizes: Vec<_> = state.seen.iter().map(|seen| seen.events.len()).collect();
    assert!(sizes.iter().all(|size| (1..=7).contains(size)), "{sizes:?}");
    assert!(sizes.contains(&7), "{sizes:?}");
    assert!(state.at_once <= 8);
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_lingers_until_a_request_is_full_or_its_time_is_over() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let linger = Duration::from_secs(10);
    world
        .connect(Settings {
            linger,
            ..batches(&receiver, 5)
        })
        .await;
    let start = Instant::now();
    world.publish(&[("a", 0), ("b", 0), ("a", 1)]).await;
    let state = receiver.came(1).await;
    assert_eq!(state.seen[0].events.len(), 3);
    let waited = state.seen[0].at - start;
    assert!(
        waited >= linger && waited < linger + Duration::from_secs(1),
        "{waited:?}"
    );
    let start = Instant::now();
    world.publish(&rounds(&["a"], 2..12)).await;
    let state = receiver.came(3).await;
    assert_eq!(state.seen[1].events, rounds_of("a", 2..7));
    assert_eq!(state.seen[2].events, rounds_of("a", 7..12));
    assert!(state.seen[2].at - start < Duration::from_secs(1));
    world.close().await;
}

fn rounds_of(subject: &str, numbers: std::ops::Range<u64>) -> Vec<(String, u64)> {
    numbers.map(|number| (subject.to_owned(), number)).collect()
}

/// Events that were in hand up to its limit waited out their time for others, for which there was no room.
#[tokio::test(start_paused = true)]
async fn nothing_lingers_for_others_for_which_there_is_no_room() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let names = subjects("s", 10);
    let events = rounds(&borrowed(&names), 0..40);
    world.publish_to("f", &events, 16 * 1024).await;
    let start = Instant::now();
    world
        .connect(Settings {
            linger: Duration::from_mins(1),
            ..batches(&receiver, 1_000)
        })
        .await;
    let state = receiver.taken(400).await;
    assert!(
        start.elapsed() < Duration::from_mins(2),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(state.faults, [""; 0]);
    world.close().await;
}
