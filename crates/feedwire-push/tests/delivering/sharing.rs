//! Streams of others, whose member a connector is.

use std::time::Duration;

use feedwire_core::connectors::Source;
use feedwire_core::stream::{Origin, Settings, Turn, Verdict};
use feedwire_engine::Limit;
use feedwire_event::StreamName;
use tokio::time::sleep;

use crate::receiver::{Receiver, Reply};
use crate::world::{World, borrowed, name, rounds, selection, subjects, to};

fn stream() -> StreamName {
    StreamName::new("shared").expect("a name")
}

async fn share(world: &World, settings: Settings) {
    let settings = Settings {
        selection: selection("f"),
        ..settings
    };
    let made = world
        .core
        .create_stream(&world.grant, settings, Origin::Start, None);
    made.await.expect("a stream");
}

#[tokio::test(start_paused = true)]
async fn a_connector_shares_a_stream_with_whoever_pulls_it() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let names = subjects("s", 50);
    share(&world, Settings::new(stream())).await;
    let joined = world.core.join(&world.grant, &stream()).await;
    let mut member = joined.expect("a place");
    world
        .connect_to(to(&receiver), Source::Stream(stream()))
        .await;
    sleep(Duration::from_secs(1)).await;
    world.publish(&rounds(&borrowed(&names), 0..10)).await;
    let mut pulled = 0;
    let limit = Limit {
        records: 100,
        bytes: 100_000,
    };
    while pulled + receiver.state().count() < 500 {
        let turn = tokio::time::timeout(Duration::from_millis(100), member.next(limit)).await;
        let Ok(turn) = turn else {
            continue;
        };
        if let Turn::Events(events) = turn.expect("a turn") {
            let receipts = events.iter().filter_map(|sent| sent.receipt);
            let receipts: Vec<_> = receipts.map(|(receipt, _)| receipt).collect();
            let settler = member.settler();
            let settled = settler.settle(&receipts, Verdict::Done, None);
            let (count, refused) = settled.await.expect("settled");
            assert!(refused.is_empty());
            pulled += count;
        }
    }
    let state = receiver.state();
    assert!(pulled > 50 && state.count() > 50, "{pulled}");
    assert_eq!((state.faults.len(), state.repeats), (0, 0));
    // It is left alone when the connector is deleted.
    world
        .push
        .delete(&world.grant, &name())
        .await
        .expect("deleted");
    assert!(world.core.stream(&world.grant, &stream()).await.is_ok());
    world.close().await;
}

/// What was in hand and not sent while a receiver was left alone ran out of its time, and counted as sent: it was buried unsent.
#[tokio::test(start_paused = true)]
async fn what_is_not_sent_does_not_count_as_sent() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::With(503, "retry-after: 300\r\n".to_owned()));
    let names = subjects("s", 50);
    share(
        &world,
        Settings {
            ack_timeout: Duration::from_secs(5),
            max_deliveries: Some(3),
            ..Settings::new(stream())
        },
    )
    .await;
    world.publish(&rounds(&borrowed(&names), 0..2)).await;
    world
        .connect_to(to(&receiver), Source::Stream(stream()))
        .await;
    sleep(Duration::from_mins(11)).await;
    let letters = world.letters().await;
    assert!(letters.is_empty(), "{} were buried", letters.len());
    receiver.answer(|_| Reply::Status(200));
    let state = receiver.taken(100).await;
    assert_eq!(state.faults, [""; 0]);
    world.close().await;
}
