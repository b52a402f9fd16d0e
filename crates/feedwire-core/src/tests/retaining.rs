//! What a reader is told when what it asks for is no longer retained.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::Memory;
use feedwire_engine::{Engine, Retention};
use feedwire_event::{Cursor, Position};

use super::world::{EVERYTHING, World, filter, next};
use crate::limits::{RETENTION_INTERVAL, TAIL_BYTES_MAX};
use crate::{Clock, Start, read};

fn after(position: u64) -> Start {
    Start::After(Cursor(Position::new(position).expect("a position")))
}

/// `a` at 1, 2 and 5, `b` at 3 and 4; then everything up to 3 is trimmed.
async fn trimmed() -> World {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), 1).await;
    for (at, event) in [
        (10, "a/x"),
        (20, "a/x"),
        (30, "b/x"),
        (40, "b/x"),
        (50, "a/x"),
    ] {
        world.clock.set(at);
        world.publish(&[event]).await;
    }
    world
        .core
        .feeds(&world.grant)
        .await
        .expect("everything is counted");
    trim(&engine, &world, 15).await;
    world
}

async fn trim(engine: &Memory, world: &World, seconds: u64) {
    let log = engine.log(world.grant.project()).await.expect("a log");
    let keep = Retention {
        age: Some(Duration::from_secs(seconds)),
        bytes: None,
    };
    log.trim(keep, world.clock.now(), Position::MAX)
        .await
        .expect("trimmed");
}

#[tokio::test]
async fn a_cursor_older_than_retention_is_told_what_it_lost() {
    let world = trimmed().await;
    let error = world
        .follow(after(1), filter(""))
        .await
        .expect_err("positions 2 and 3 are gone");
    let read::Error::Expired(expired) = error else {
        panic!("expired, not {error}")
    };
    assert_eq!((expired.first.get(), expired.lost_at_most), (4, 2));
    assert_eq!(
        expired.first_at.map(feedwire_event::Timestamp::as_micros),
        Some(40_000_000)
    );
}

#[tokio::test]
async fn a_cursor_is_old_only_for_the_feeds_that_lost_something_behind_it() {
    let world = trimmed().await;
    let mut a = world
        .follow(after(2), filter("a"))
        .await
        .expect("nothing of a is lost behind 2");
    assert_eq!(next(&mut a, EVERYTHING).await, [5]);
    let b = world.follow(after(2), filter("b")).await;
    assert!(matches!(b, Err(read::Error::Expired(expired)) if expired.lost_at_most == 1));
    assert!(world.follow(after(2), filter("a,b")).await.is_err());
    assert!(world.follow(after(0), filter("other")).await.is_ok());
}

#[tokio::test]
async fn a_reading_from_the_beginning_or_a_time_starts_with_what_is_there() {
    let world = trimmed().await;
    for start in [
        Start::Beginning,
        Start::At(feedwire_event::Timestamp::from_micros(0)),
    ] {
        let mut reader = world.follow(start, filter("")).await.expect("a reader");
        assert_eq!(next(&mut reader, EVERYTHING).await, [4, 5]);
    }
}

#[tokio::test]
async fn a_reader_that_retention_overtakes_is_told_so() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), 1).await;
    let mut reader = world.follow(after(0), filter("")).await.expect("a reader");
    for at in [10, 20, 30] {
        world.clock.set(at);
        world.publish(&["a/x"]).await;
    }
    world
        .core
        .feeds(&world.grant)
        .await
        .expect("everything is counted");
    trim(&engine, &world, 5).await;
    let error = reader
        .next(EVERYTHING)
        .await
        .expect_err("positions 1 and 2 are gone");
    assert!(matches!(error, read::Error::Expired(expired) if expired.lost_at_most == 2));
}

#[tokio::test(start_paused = true)]
async fn a_project_keeps_what_its_retention_says_and_no_more_also_after_a_restart() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    let keep = Retention {
        age: Some(Duration::from_secs(15)),
        bytes: None,
    };
    world
        .core
        .set_retention(&world.grant, keep, None)
        .await
        .expect("set");
    for at in [10, 20, 30] {
        world.clock.set(at);
        world.publish(&["a/x"]).await;
    }
    let log = engine.log(world.grant.project()).await.expect("a log");
    while log.bounds().first.get() < 2 {
        tokio::time::advance(RETENTION_INTERVAL).await;
    }
    let again = World::over(engine, TAIL_BYTES_MAX).await;
    assert_eq!(
        again
            .core
            .retention(&again.grant)
            .await
            .expect("a retention"),
        keep
    );
    again.clock.set(40);
    while log.bounds().first.get() < 3 {
        tokio::time::advance(RETENTION_INTERVAL).await;
    }
    assert_eq!(log.bounds().last.get(), 3);
}
