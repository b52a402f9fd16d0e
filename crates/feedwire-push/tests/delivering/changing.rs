//! Connectors that are changed, paused, pulled, deleted and made again in the middle of what they push.

use std::collections::BTreeSet;
use std::time::Duration;

use feedwire_core::connectors::Phase;
use feedwire_core::stream::{Member, Turn, Verdict};
use feedwire_engine::Limit;
use feedwire_event::StreamName;
use tokio::time::sleep;

use crate::receiver::{Receiver, Reply};
use crate::world::{World, borrowed, name, rounds, subjects, to};

const ALL: Limit = Limit {
    records: 10_000,
    bytes: 10_000_000,
};

fn stream() -> StreamName {
    StreamName::new("c").expect("a name")
}

/// Joins the connector's stream, once what is on its way has landed.
async fn join(world: &World) -> Member {
    loop {
        match world.core.join(&world.grant, &stream()).await {
            Ok(member) => return member,
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Takes so many events of `member` and acknowledges them; their positions.
async fn pull(member: &mut Member, count: usize) -> Vec<u64> {
    let mut pulled = Vec::new();
    while pulled.len() < count {
        let Turn::Events(events) = member.next(ALL).await.expect("a turn") else {
            continue;
        };
        let receipts = events.iter().filter_map(|sent| sent.receipt);
        let receipts: Vec<_> = receipts.map(|(receipt, _)| receipt).collect();
        let settler = member.settler();
        let settled = settler.settle(&receipts, Verdict::Done, None);
        let (count, refused) = settled.await.expect("settled");
        assert_eq!((count, refused), (events.len(), Vec::new()));
        let positions = events
            .iter()
            .map(|sent| sent.event.record().position().get());
        pulled.extend(positions);
    }
    pulled
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_it_is_paused_and_it_goes_on_where_it_was() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::Slow(Duration::from_millis(20)));
    let names = subjects("s", 10);
    world.connect(to(&receiver)).await;
    for round in 0..10 {
        world
            .publish(&rounds(&borrowed(&names), round * 10..round * 10 + 10))
            .await;
        let before = receiver.state().seen.len();
        receiver.came(before + 20).await;
        world.set_active(false).await;
        // What is on its way lands.
        sleep(Duration::from_secs(1)).await;
        let paused = receiver.state();
        assert!(paused.seen.len() <= before + 40);
        sleep(Duration::from_mins(1)).await;
        assert_eq!(receiver.state().seen.len(), paused.seen.len());
        assert_eq!(world.shown().await.health.in_flight, 0);
        world.set_active(true).await;
    }
    let state = receiver.taken(1_000).await;
    assert_eq!(state.faults, [""; 0]);
    assert_eq!(state.repeats, 0);
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_in_the_middle_loses_nothing() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::Slow(Duration::from_millis(20)));
    let names = subjects("s", 10);
    world.connect(to(&receiver)).await;
    world.publish(&rounds(&borrowed(&names), 0..50)).await;
    receiver.came(50).await;
    let port = receiver.port;
    world
        .set(move |settings| {
            settings.url = format!("http://{}:{port}/other", crate::world::NAME);
        })
        .await;
    receiver.came(100).await;
    let rotated = world
        .push
        .rotate(&world.grant, &name(), None, Duration::from_mins(1))
        .await;
    rotated.expect("rotated");
    let state = receiver.came(150).await;
    assert_eq!(state.repeats, 0);
    world.select(&["f", "g"]).await;
    world.publish_to("g", &rounds(&["other"], 0..10), 0).await;
    let state = receiver.taken(510).await;
    assert_eq!(state.faults, [""; 0]);
    let last = state.seen.last().expect("they came");
    assert_eq!(last.path, "/other");
    // What it is not of any more is not sent.
    world.select(&["g"]).await;
    world.publish(&rounds(&["s0"], 50..60)).await;
    world.publish_to("g", &rounds(&["other"], 10..20), 0).await;
    world.settled().await;
    assert_eq!(receiver.state().count(), 520);
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_pulls_what_a_paused_connector_has_left_has_it_alone() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::Slow(Duration::from_millis(20)));
    let names = subjects("s", 10);
    // In order of their positions, which begin at 1.
    world.publish(&rounds(&borrowed(&names), 0..30)).await;
    world.connect(to(&receiver)).await;
    receiver.taken(60).await;
    world.set_active(false).await;
    let mut member = join(&world).await;
    let pulled = pull(&mut member, 100).await;
    drop(member);
    let before = receiver.state();
    world.set_active(true).await;
    let rest = 300 - pulled.len();
    let state = receiver.taken(rest).await;
    world.settled().await;
    assert_eq!((state.repeats, receiver.state().count()), (0, rest));
    assert!(before.count() >= 60);
    let pushed = state.taken.iter().flat_map(|(subject, numbers)| {
        let at = subject[1..].parse::<u64>().expect("a number");
        numbers.iter().map(move |number| number * 10 + at + 1)
    });
    let all: BTreeSet<u64> = pushed.chain(pulled).collect();
    assert_eq!(all, (1..=300).collect());
    world.close().await;
}

/// A connector that is active beside whoever reads its stream says so, and goes on when they leave.
#[tokio::test(start_paused = true)]
async fn a_connector_whose_stream_others_have_says_so_and_waits() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    world.connect(to(&receiver)).await;
    world.set_active(false).await;
    let member = join(&world).await;
    world.set_active(true).await;
    world.publish(&rounds(&["a"], 0..3)).await;
    sleep(Duration::from_mins(1)).await;
    let hindrance = world.shown().await.health.hindrance;
    assert!(
        hindrance.is_some_and(|why| why.contains("others read it")),
        "it says why"
    );
    assert_eq!(receiver.state().seen.len(), 0);
    drop(member);
    receiver.taken(3).await;
    assert_eq!(world.shown().await.health.hindrance, None);
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_more_is_sent_of_one_that_is_deleted_and_its_name_begins_anew() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| Reply::Status(if seen.events[0].1 < 5 { 200 } else { 500 }));
    let names = subjects("s", 10);
    world.publish(&rounds(&borrowed(&names), 0..10)).await;
    world.connect(to(&receiver)).await;
    let before = receiver.taken(50).await;
    receiver.came(55).await;
    world
        .push
        .delete(&world.grant, &name())
        .await
        .expect("deleted");
    sleep(Duration::from_secs(1)).await;
    let sent = receiver.state().seen.len();
    sleep(Duration::from_mins(10)).await;
    assert_eq!(receiver.state().seen.len(), sent);
    assert!(world.push.show(&world.grant, &name()).await.is_err());
    receiver.answer(|_| Reply::Status(200));
    world.connect(to(&receiver)).await;
    let health = world.shown().await.health;
    assert_eq!((health.delivered, health.failing_since), (0, None));
    let state = receiver.taken(100).await;
    // All of it, from its start.
    assert_eq!(state.repeats, before.count());
    assert_eq!(world.shown().await.overview.connector.phase, Phase::Active);
    world.close().await;
}
