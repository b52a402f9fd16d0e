//! A stream that is changed while something else is done with it: neither is lost.
//!
//! A change sends the members away and has another state take over. Whatever was done to the one before behind its back was forgotten.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::Memory;

use super::ailing::{Ailing, Ailments};
use super::streaming::{
    create, drain, is_idle, join, name, position, publish, settings, settle, take,
};
use super::world::World;
use crate::projects::Bounds;
use crate::stream::{Error, Settings, Status, Verdict, Which};

/// A world over a store that can be made to wait, with the stream `s`, of which each event is sent once.
async fn world() -> (World, Arc<Ailments>) {
    let engine = Ailing::over(Memory::new());
    let ailments = engine.ailments.clone();
    let world = World::within(engine, Bounds::default()).await;
    let once = Settings {
        max_deliveries: Some(1),
        ..settings()
    };
    create(&world, once).await;
    (world, ailments)
}

pub(crate) async fn change(world: &World) -> Result<Status, Error> {
    let name = name();
    let revision = Box::new(|settings| {
        Ok(Settings {
            members_max: 2,
            ..settings
        })
    });
    world
        .core
        .change_stream(&world.grant, &name, revision, None)
        .await
}

/// Lets go on what waits for a space of the store, once everything waits that can.
async fn free(ailments: &Ailments) {
    ailments.sticks.notified().await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    ailments.stuck_space.send_replace("");
}

/// Puts the first event of `world` aside.
async fn bury(world: &World) {
    publish(world, 1).await;
    let mut member = join(world).await;
    let (_, receipts) = take(&mut member, 1).await;
    settle(world, &receipts, Verdict::Failed(Duration::ZERO)).await;
    assert!(is_idle(&mut member).await);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_sent_once_more_while_its_stream_is_changed_is_sent() {
    let (world, ailments) = world().await;
    bury(&world).await;
    let name = name();
    ailments.stuck_space.send_replace("dead-letters");
    let (redriven, changed, ()) = tokio::join!(
        world.core.redrive(&world.grant, &name, Which::All),
        change(&world),
        free(&ailments),
    );
    changed.expect("changed");
    assert_eq!(redriven.expect("redriven"), 1);
    assert_eq!(drain(&mut join(&world).await).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_dropped_while_its_stream_is_changed_is_not_sent() {
    let (world, ailments) = world().await;
    bury(&world).await;
    let name = name();
    let redriven = world.core.redrive(&world.grant, &name, Which::All).await;
    assert_eq!(redriven.expect("redriven"), 1);
    ailments.stuck_space.send_replace("dead-letters");
    let these = Which::These(vec![position(1)]);
    let (dropped, changed, ()) = tokio::join!(
        world.core.drop_letters(&world.grant, &name, these),
        change(&world),
        free(&ailments),
    );
    changed.expect("changed");
    assert_eq!(dropped.expect("dropped"), 1);
    assert!(is_idle(&mut join(&world).await).await);
}
