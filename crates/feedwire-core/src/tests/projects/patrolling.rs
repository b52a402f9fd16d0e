//! Retention and erasures of projects that nobody uses.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_engine::{Engine, Retention, Scope};
use feedwire_event::{FeedName, Position};
use tokio::time::advance;

use super::super::world::{EVERYTHING, World};
use super::{make, name, open};
use crate::limits::{PATROL_INTERVAL, TAIL_BYTES_MAX};

async fn on(place: &Place) -> (Arc<Memory>, World) {
    let engine = Arc::new(Memory::open(place).expect("nobody else has it"));
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    (engine, world)
}

/// A place where `b` has two events, of 10 and 20 seconds, and keeps what is younger than 15.
async fn with_something_old() -> Place {
    let place = Place::new(Options::default());
    let (_, world) = on(&place).await;
    for text in ["a", "b", "c"] {
        make(&world, text).await;
        for at in [10, 20] {
            world.clock.set(at);
            world.of(text).publish(&["f/t/s"]).await;
        }
    }
    let keep = Retention {
        age: Some(Duration::from_secs(15)),
        bytes: None,
    };
    let b = world.of("b");
    let set = b.core.set_retention(&b.grant, keep, None).await;
    set.expect("set");
    world.core.close().await;
    place
}

async fn first(engine: &Memory, of: &str) -> u64 {
    let log = engine.log(&name(of)).await.expect("a log");
    log.bounds().first.get()
}

#[tokio::test(start_paused = true)]
async fn what_is_not_to_be_kept_goes_although_nobody_uses_the_project() {
    let place = with_something_old().await;
    let (engine, world) = on(&place).await;
    world.clock.set(30);
    // The first round may have been before the clock was set.
    while first(&engine, "b").await < 2 {
        advance(PATROL_INTERVAL).await;
    }
    world.clock.set(40);
    while first(&engine, "b").await < 3 {
        advance(PATROL_INTERVAL).await;
    }
    while !open(&world).await.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(first(&engine, "a").await, 1);
}

#[tokio::test(start_paused = true)]
async fn only_projects_with_something_to_do_are_opened_for_it() {
    let place = with_something_old().await;
    let (_, world) = on(&place).await;
    let runs = async || {
        let stats = world.core.stats().await;
        assert!(
            stats
                .projects
                .iter()
                .all(|project| project.name == name("b"))
        );
        stats.others.upkeep.retention_runs
    };
    for rounds in 1..4 {
        while runs().await < rounds {
            tokio::task::yield_now().await;
        }
        assert_eq!(runs().await, rounds, "one a round");
        advance(PATROL_INTERVAL).await;
    }
}

#[tokio::test]
async fn an_unfinished_erasure_is_carried_out_although_nobody_uses_the_project() {
    let place = Place::new(Options::default());
    let (_, world) = on(&place).await;
    world.publish(&["f/t/1", "g/t/1"]).await;
    let feed = FeedName::new("f").ok();
    // The task that carries out has not had its turn when the server stops.
    let asked = world.core.erase(&world.grant, feed, None).await;
    asked.expect("it is asked for");
    world.core.close().await;
    let (engine, world) = on(&place).await;
    let left = async || {
        let log = engine.log(world.grant.project()).await.expect("a log");
        let read = log.read(&Scope::all(), Position::ZERO, EVERYTHING).await;
        read.expect("read").records.len()
    };
    while left().await == 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(left().await, 1);
}
