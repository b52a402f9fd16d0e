//! What was pushed, pushed once more.

use std::collections::BTreeSet;
use std::time::Duration;

use feedwire_core::connectors::Phase;
use feedwire_core::stream::Origin;
use feedwire_event::{ConnectorName, Position};
use feedwire_push::Replaying;
use tokio::time::sleep;

use crate::receiver::{Receiver, Reply, State};
use crate::world::{NAME, World, borrowed, name, rounds, subjects, to};

fn at(position: u64) -> Position {
    Position::new(position).expect("a position")
}

fn ids(state: &State) -> BTreeSet<String> {
    let ids = state.seen.iter().map(|seen| &seen.headers["webhook-id"]);
    ids.map(|id| id.to_str().expect("ASCII").to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_replay_pushes_its_range_elsewhere_by_the_same_ids_and_leaves_the_rest_alone() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let other = Receiver::start().await;
    let names = subjects("s", 10);
    world.connect(to(&receiver)).await;
    world.publish(&rounds(&borrowed(&names), 0..10)).await;
    receiver.taken(100).await;
    world.settled().await;
    // It fails now and then, and is tried again as any other.
    other.answer(|seen| {
        let sum: u32 = seen.headers["webhook-signature"]
            .as_bytes()
            .iter()
            .map(|byte| u32::from(*byte))
            .sum();
        Reply::Status(if sum.is_multiple_of(3) { 500 } else { 200 })
    });
    let replaying = Replaying {
        name: None,
        from: Origin::After(at(20)),
        until: Some(Origin::After(at(70))),
        url: Some(format!("http://{NAME}:{}/again", other.port)),
    };
    let made = world.push.replay(&world.grant, &name(), replaying).await;
    let replay = made.expect("a replay").shown.overview.connector;
    assert_eq!(replay.settings.name.as_str(), "c.replay-1");
    // What comes meanwhile is not of it.
    world.publish(&rounds(&borrowed(&names), 10..20)).await;
    is_done(&world, &replay.settings.name).await;
    let (first, again) = (receiver.taken(200).await, other.state());
    assert_eq!(again.count(), 50);
    let expected: Vec<u64> = (2..7).collect();
    assert!(again.taken.values().all(|numbers| *numbers == expected));
    assert!(again.seen.iter().all(|seen| seen.path == "/again"));
    assert!(ids(&again).is_subset(&ids(&first)));
    assert_eq!(ids(&again).len(), 50);
    assert_eq!((first.seen.len(), first.repeats), (200, 0));
    sleep(Duration::from_mins(5)).await;
    assert_eq!(other.state().seen.len(), again.seen.len());
    world.settled().await;
    world.close().await;
}

async fn is_done(world: &World, name: &ConnectorName) {
    let mut changes = world.core.connector_changes();
    loop {
        let shown = world.push.show(&world.grant, name).await;
        if shown.expect("it is there").overview.connector.phase == Phase::Done {
            return;
        }
        changes.changed().await.expect("the core is there");
    }
}
