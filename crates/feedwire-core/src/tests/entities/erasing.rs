//! Erasing entities, and letting go of the events that made them.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::Memory;
use feedwire_engine::{Engine, Retention};

use super::super::erasing::{erase, erased};
use super::*;
use crate::limits::{RETENTION_INTERVAL, TAIL_BYTES_MAX};

#[tokio::test]
async fn an_entity_that_is_erased_is_gone_at_once_and_comes_as_new() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    for of in ["a/1", "a/2", "b/1"] {
        change(&world, of, r#"{"x":1}"#).await;
    }
    let asked = erase(&world, Some("a"), Some("1")).await;
    assert_eq!(state(&world, "a/1").await, None);
    assert_eq!(listed(&world, "a", 9).await, [r#"a/2 {"x":1}"#]);
    assert_eq!(change(&world, "a/1", r#"{"x":1}"#).await, ("create", 4));
    erased(&world, &asked).await;
    let new = Some((r#"{"x":1}"#.to_owned(), 4));
    assert_eq!(state(&world, "a/1").await, new);
    let asked = erase(&world, Some("b"), None).await;
    assert_eq!(state(&world, "b/1").await, None);
    erased(&world, &asked).await;
    drop(world);
    let world = World::over(engine, TAIL_BYTES_MAX).await;
    assert_eq!(
        listed(&world, "", 9).await,
        [r#"a/1 {"x":1}"#, r#"a/2 {"x":1}"#]
    );
    assert_eq!(state(&world, "a/1").await, new);
}

#[tokio::test(start_paused = true)]
async fn states_outlive_the_events_that_made_them() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    let keep = Retention {
        age: Some(Duration::from_secs(100)),
        bytes: None,
    };
    world
        .core
        .set_retention(&world.grant, keep, None)
        .await
        .expect("set");
    change(&world, "a/1", r#"{"x":1}"#).await;
    change(&world, "a/2", r#"{"x":2}"#).await;
    world.clock.set(1_000);
    change(&world, "a/3", r#"{"x":3}"#).await;
    let log = engine.log(world.grant.project()).await.expect("a log");
    while log.bounds().first.get() < 3 {
        tokio::time::advance(RETENTION_INTERVAL).await;
    }
    let all = [r#"a/1 {"x":1}"#, r#"a/2 {"x":2}"#, r#"a/3 {"x":3}"#];
    assert_eq!(listed(&world, "a", 9).await, all);
    drop((world, log));
    let world = World::over(engine, TAIL_BYTES_MAX).await;
    assert_eq!(listed(&world, "a", 9).await, all);
    assert_eq!(change(&world, "a/1", r#"{"x":1}"#).await, ("none", 1));
    assert_eq!(change(&world, "a/2", r#"{"x":1}"#).await, ("update", 4));
}
