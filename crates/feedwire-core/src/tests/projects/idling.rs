//! Projects that nobody uses are closed, and nobody notices.

use std::sync::Arc;

use feedwire_engine::Engine;
use feedwire_engine::memory::Memory;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance};

use super::super::world::{EVERYTHING, World, filter, next, parse};
use super::{make, name, open};
use crate::limits::{IDLE_INTERVAL, PROJECT_IDLE};
use crate::projects::Bounds;
use crate::{Filter, Start, read};

async fn with_room_for(projects_open_max: usize) -> (Arc<Memory>, World) {
    let engine = Arc::new(Memory::new());
    let bounds = Bounds {
        projects_open_max,
        ..Bounds::default()
    };
    let world = World::within(engine.clone(), bounds).await;
    (engine, world)
}

/// Lets time pass until no project is open.
async fn until_closed(world: &World) {
    while !open(world).await.is_empty() {
        advance(IDLE_INTERVAL).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_project_that_nobody_uses_is_closed_and_opened_when_it_is_asked_for() {
    let (engine, world) = with_room_for(9).await;
    let began = Instant::now();
    world.publish(&["f/t/a", "f/t/b"]).await;
    until_closed(&world).await;
    let passed = began.elapsed();
    assert!(passed >= PROJECT_IDLE && passed <= PROJECT_IDLE + 2 * IDLE_INTERVAL);
    // One that was kept open would know of the batch.
    assert!(engine.release(&name("default")).await);
    let log = engine.log(&name("default")).await.expect("it opens");
    assert_eq!(log.stats().batches, 0);
    drop(log);
    assert_eq!(world.publish(&["f/t/a"]).await.first.get(), 3);
    let feeds = world.core.feeds(&world.grant).await.expect("feeds").feeds;
    assert_eq!((feeds[0].events, feeds[0].subjects), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_project_that_is_used_now_and_then_stays_open() {
    let (_, world) = with_room_for(9).await;
    for _ in 0..5 {
        world.publish(&["f/t/a"]).await;
        for _ in 0..PROJECT_IDLE.as_secs() / IDLE_INTERVAL.as_secs() - 1 {
            advance(IDLE_INTERVAL).await;
            assert_eq!(open(&world).await, ["default"]);
        }
    }
    assert_eq!(world.core.stats().await.others.log.batches, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reader_keeps_its_project_open_and_some_time_more() {
    let (_, world) = with_room_for(9).await;
    let reader = world
        .follow(Start::Now, filter(""))
        .await
        .expect("a reader");
    let began = Instant::now();
    while began.elapsed() < 3 * PROJECT_IDLE {
        advance(IDLE_INTERVAL).await;
        assert_eq!(open(&world).await, ["default"]);
    }
    drop(reader);
    let left = Instant::now();
    until_closed(&world).await;
    assert!(left.elapsed() + 2 * IDLE_INTERVAL >= PROJECT_IDLE);
}

#[tokio::test(start_paused = true)]
async fn counters_go_on_where_they_were() {
    let (_, world) = with_room_for(9).await;
    world.publish(&["f/t/a", "f/t/a"]).await;
    let mut reader = world
        .follow(Start::Beginning, filter(""))
        .await
        .expect("a reader");
    next(&mut reader, EVERYTHING).await;
    drop(reader);
    until_closed(&world).await;
    let others = world.core.stats().await.others;
    assert_eq!((others.log.batches, others.log.commits.sum), (1, 2));
    assert_eq!(others.tailed_events, 2);
    assert_eq!(others.log.size_bytes, 0, "it is a level");
    world.publish(&["f/t/a"]).await;
    let stats = world.core.stats().await;
    let [default] = &stats.projects[..] else {
        panic!("one is open");
    };
    assert_eq!((default.log.batches, default.log.commits.sum), (2, 3));
    assert_eq!(default.tailed_events, 2);
    assert!(default.log.size_bytes > 0);
    assert_eq!(stats.others.log.batches, 0, "it is told once");
}

#[tokio::test(start_paused = true)]
async fn the_longest_unused_makes_room() {
    let (_, world) = with_room_for(2).await;
    for text in ["a", "b", "c"] {
        make(&world, text).await;
        world.of(text).publish(&["f/t/s"]).await;
        advance(IDLE_INTERVAL / 10).await;
    }
    assert_eq!(open(&world).await, ["b", "c"]);
    world.of("b").publish(&["f/t/s"]).await;
    advance(IDLE_INTERVAL / 10).await;
    assert_eq!(world.of("a").publish(&["f/t/s"]).await.first.get(), 2);
    assert_eq!(open(&world).await, ["a", "b"]);
}

#[tokio::test]
async fn where_all_are_in_use_one_more_is_refused_and_the_audit_goes_on() {
    let (_, world) = with_room_for(1).await;
    make(&world, "a").await;
    let reader = world
        .follow(Start::Now, filter(""))
        .await
        .expect("a reader");
    let refused = world.of("a").follow(Start::Now, filter("")).await;
    let Err(read::Error::Unavailable(unavailable)) = refused else {
        panic!("unavailable, not {refused:?}");
    };
    let why = unavailable.0.to_string();
    assert!(why.starts_with("1 projects are open and in use"), "{why}");
    let (_, event) = parse("f/t/s");
    world.core.audit(&event).await.expect("on record");
    drop(reader);
    world.of("a").publish(&["f/t/s"]).await;
    assert_eq!(open(&world).await, ["_system", "a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_fails_because_it_raced_a_closing() {
    const TASKS: usize = 3;
    // As many as there are tasks: whoever wants another always finds one that is idle.
    let (_, world) = with_room_for(TASKS).await;
    let world = Arc::new(world);
    let texts = ["a", "b", "c", "d", "e"];
    for text in texts {
        make(&world, text).await;
    }
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let world = world.clone();
        tasks.spawn(async move {
            let mut published = [0_u64; 5];
            for round in 0..200 {
                let at = (round * (task + 1) + round / 7) % texts.len();
                let of = world.of(texts[at]);
                of.publish(&["f/t/s"]).await;
                published[at] += 1;
                if round % 3 == 0 {
                    let start = Start::Beginning;
                    let mut reader = of.follow(start, filter("")).await.expect("a reader");
                    assert_eq!(next(&mut reader, EVERYTHING).await[0], 1);
                }
                tokio::task::yield_now().await;
            }
            published
        });
    }
    let published = tasks.join_all().await;
    for (at, text) in texts.iter().enumerate() {
        let sum: u64 = published.iter().map(|of| of[at]).sum();
        let of = world.of(text);
        let head = of
            .core
            .head(&of.grant, Filter::default())
            .await
            .expect("a head");
        assert_eq!(head.get(), sum, "{text}");
        let feeds = of.core.feeds(&of.grant).await.expect("feeds").feeds;
        assert_eq!(feeds[0].events, sum, "{text}");
    }
    let stats = world.core.stats().await;
    assert!(stats.projects.len() <= TASKS);
    let batches = stats.projects.iter().map(|project| project.log.batches);
    let batches: u64 = batches.sum::<u64>() + stats.others.log.batches;
    let all: u64 = published.iter().flatten().sum();
    assert_eq!(batches, all, "every batch is counted once");
}
