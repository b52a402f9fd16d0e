//! Load jobs.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::Memory;
use feedwire_engine::{Engine, Retention};
use feedwire_event::{Attribute as _, EventId};

use super::super::erasing::{erase, erased};
use super::*;
use crate::limits::{LOADS_WAITING_MAX, RETENTION_INTERVAL, TAIL_BYTES_MAX};
use crate::loads::{self, Load, Phase, Settings};
use crate::{Allowance, EntityFeed, Expression, Filter, LabelFilter, Right};

fn of(feeds: &[&str]) -> Settings {
    Settings {
        feeds: feeds.iter().map(|feed| key(feed, "s").feed).collect(),
        ..Settings::default()
    }
}

async fn start(world: &World, settings: Settings) -> Load {
    let started = world.core.start_load(&world.grant, settings).await;
    started.expect("started")
}

/// The job, once it is over.
async fn ended(world: &World, id: &EventId) -> Load {
    loop {
        let load = world.core.load(&world.grant, id).await.expect("it is read");
        let load = load.expect("it is there");
        if load.phase.is_over() {
            return load;
        }
        tokio::task::yield_now().await;
    }
}

/// What was loaded, as `feed/subject state@position`.
async fn loaded(world: &World) -> Vec<String> {
    let filter = Filter {
        entity_feed: Some(EntityFeed::Load),
        ..Filter::default()
    };
    let reader = world.follow_until(Start::Beginning, filter, Until::Now);
    let delivery = reader.await.present(EVERYTHING).await.expect("events");
    let told = delivery.events.iter().map(|event| {
        let record = event.record();
        let change = record
            .payload()
            .expect("a payload")
            .change
            .expect("a change");
        assert_eq!(record.ty(), "load");
        format!("{}@{}", told(record), change.at.expect("a position"))
    });
    told.collect()
}

async fn planes() -> World {
    let world = World::new().await;
    fill(&world).await;
    world
}

async fn fill(world: &World) {
    for (of, text) in [
        ("b/1", "{}"),
        ("a/2", r#"{"x":2}"#),
        ("a/1", "{}"),
        ("a/1", r#"{"x":1}"#),
        ("a/3", "{}"),
    ] {
        change(world, of, text).await;
    }
    change(world, "a/3", "").await;
}

#[tokio::test]
async fn each_entity_is_loaded_once_with_the_position_of_its_state() {
    let world = planes().await;
    let load = start(&world, of(&[])).await;
    assert_eq!((load.total, load.start.get()), (3, 6));
    let load = ended(&world, &load.id).await;
    assert_eq!(load.phase, Phase::Done);
    assert_eq!((load.done, load.written), (3, 3));
    let all = [
        r#"_load.a/1 {"x":1}@4"#,
        r#"_load.a/2 {"x":2}@2"#,
        "_load.b/1 {}@1",
    ];
    assert_eq!(loaded(&world).await, all);
    // Whoever reads everything is not told again what it knows, and the entities are as they were.
    assert_eq!(changes(&world, "").await.len(), 6);
    let feeds = world.core.feeds(&world.grant).await.expect("feeds").feeds;
    let feeds: Vec<_> = feeds
        .iter()
        .map(|count| (count.name.as_str(), count.events))
        .collect();
    assert_eq!(feeds, [("a", 5), ("b", 1)]);
    assert_eq!(change(&world, "a/2", r#"{"x":2}"#).await, ("none", 2));
}

#[tokio::test]
async fn what_was_loaded_of_an_entity_is_erased_with_it() {
    let world = planes().await;
    let load = start(&world, of(&["a"])).await;
    ended(&world, &load.id).await;
    let asked = erase(&world, Some("a"), Some("1")).await;
    assert_eq!(loaded(&world).await, [r#"_load.a/2 {"x":2}@2"#]);
    let receipt = erased(&world, &asked).await;
    // Two changes, and what was loaded.
    assert_eq!(receipt.erased.map(|(_, events)| events), Some(3));
    let asked = erase(&world, Some("a"), None).await;
    assert!(loaded(&world).await.is_empty());
    erased(&world, &asked).await;
}

#[tokio::test]
async fn a_load_is_of_the_feeds_subjects_and_labels_that_are_asked_for() {
    let world = planes().await;
    let load = start(&world, of(&["b", "c"])).await;
    ended(&world, &load.id).await;
    assert_eq!(loaded(&world).await, ["_load.b/1 {}@1"]);
    let labels = feedwire_event::Labels::new([("room".to_owned(), "hall".to_owned())].into());
    let set = world.core.set_labels(
        &world.grant,
        key("a", "2").subject,
        labels.expect("labels"),
        None,
    );
    set.await.expect("set");
    let labelled = Settings {
        labels: vec![LabelFilter {
            key: "room".into(),
            value: None,
        }],
        ..of(&[])
    };
    let load = start(&world, labelled).await;
    let load = ended(&world, &load.id).await;
    assert_eq!((load.done, load.written), (1, 1));
    let of_one = Settings {
        expression: Some(Expression::new("data.x == 1").expect("an expression")),
        ..of(&[])
    };
    let load = start(&world, of_one).await;
    assert_eq!(ended(&world, &load.id).await.written, 1);
    let subjects = vec![key("a", "1").subject];
    let load = start(
        &world,
        Settings {
            subjects,
            ..of(&["a"])
        },
    )
    .await;
    ended(&world, &load.id).await;
    let all = [
        "_load.b/1 {}@1",
        r#"_load.a/2 {"x":2}@2"#,
        r#"_load.a/1 {"x":1}@4"#,
        r#"_load.a/1 {"x":1}@4"#,
    ];
    assert_eq!(loaded(&world).await, all);
}

#[tokio::test]
async fn a_job_that_waits_can_be_cancelled_and_so_many_wait() {
    let world = planes().await;
    // Nothing else is run while this one waits for the lock of an erasure.
    let project = world
        .core
        .project(world.grant.project())
        .await
        .expect("a project");
    let held = project.appending().write().await;
    let mut jobs = Vec::new();
    for _ in 0..LOADS_WAITING_MAX {
        jobs.push(start(&world, of(&[])).await.id);
    }
    let more = world.core.start_load(&world.grant, of(&[])).await;
    assert!(matches!(more, Err(loads::Error::TooManyWait(_))));
    for id in &jobs[1..] {
        let cancelled = world
            .core
            .cancel_load(&world.grant, id)
            .await
            .expect("cancelled");
        assert_eq!(cancelled.expect("it is there").phase, Phase::Cancelled);
    }
    drop(held);
    assert_eq!(ended(&world, &jobs[0]).await.phase, Phase::Done);
    assert_eq!(loaded(&world).await.len(), 3);
    // What is over stays as it is.
    let over = world
        .core
        .cancel_load(&world.grant, &jobs[0])
        .await
        .expect("told");
    assert_eq!(over.expect("it is there").phase, Phase::Done);
    let unknown = EventId::new("unknown").expect("an id");
    assert_eq!(
        world
            .core
            .cancel_load(&world.grant, &unknown)
            .await
            .expect("told"),
        None
    );
}

#[tokio::test]
async fn a_load_of_no_feed_writes_nothing_and_only_who_administers_starts_one() {
    let world = World::new().await;
    world.publish(&["a/x/1"]).await;
    let load = start(&world, of(&[])).await;
    let load = ended(&world, &load.id).await;
    assert_eq!((load.phase, load.written), (Phase::Done, 0));
    let allowance = Allowance {
        rights: [Right::Publish, Right::Read].into_iter().collect(),
        feeds: Vec::new(),
        confinement: None,
    };
    let other = world.granting(allowance);
    let refused = other.core.start_load(&other.grant, of(&["a"])).await;
    assert!(refused.is_err());
    assert!(other.core.loads(&other.grant).await.is_err());
}

/// The clock may be set back between two of them.
#[tokio::test]
async fn jobs_are_run_in_the_order_in_which_they_were_started() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    fill(&world).await;
    let mut started = Vec::new();
    for at in [300, 200, 100] {
        world.clock.set(at);
        started.push(start(&world, of(&["a"])).await.id);
    }
    drop(world);
    let world = World::over(engine, TAIL_BYTES_MAX).await;
    let loads = world.core.loads(&world.grant).await.expect("they are told");
    let ids: Vec<_> = loads.into_iter().map(|load| load.id).collect();
    assert_eq!(ids, started);
}

#[tokio::test]
async fn a_job_ends_before_it_writes_more_than_it_may() {
    let world = planes().await;
    let little = Settings {
        bytes_max: Some(300),
        ..of(&[])
    };
    let load = start(&world, little).await;
    let load = ended(&world, &load.id).await;
    let Phase::Failed(why) = &load.phase else {
        panic!("it is too much: {load:?}");
    };
    assert!(why.contains("300 bytes"), "{why}");
    assert!(load.bytes <= 300);
}

/// A load on a runtime that is gone at some moment, and what the next one makes of it.
#[test]
fn a_job_goes_on_after_a_crash_with_the_entity_behind_the_last() {
    let mut under_way = 0;
    for steps in 0..20 {
        let engine = Arc::new(Memory::new());
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
        };
        let id = runtime().expect("a runtime").block_on(async {
            let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
            for subject in 0..2_000 {
                let writes = [write(&format!("a/{subject:04}"), "{}")];
                world
                    .core
                    .change_entities(&world.grant, &writes)
                    .await
                    .expect("changed");
            }
            let load = start(&world, of(&["a"])).await;
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            let load = world
                .core
                .load(&world.grant, &load.id)
                .await
                .expect("it is read");
            let load = load.expect("it is there");
            under_way += u32::from(load.written > 0 && !load.phase.is_over());
            load.id
        });
        runtime().expect("a runtime").block_on(async {
            let world = World::over(engine, TAIL_BYTES_MAX).await;
            let load = ended(&world, &id).await;
            assert_eq!(load.phase, Phase::Done);
            assert_eq!((load.written, load.done), (2_000, 2_000));
            let loaded = loaded(&world).await;
            let each =
                (0..2_000).map(|subject| format!("_load.a/{subject:04} {{}}@{}", subject + 1));
            assert!(loaded.into_iter().eq(each), "after {steps} steps");
        });
    }
    assert!(under_way > 2, "it was cut off {under_way} times");
}

#[tokio::test(start_paused = true)]
async fn what_is_loaded_pushes_no_change_out() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    fill(&world).await;
    let log = engine.log(world.grant.project()).await.expect("a log");
    let keep = Retention {
        age: None,
        bytes: Some(log.stats().size_bytes),
    };
    world
        .core
        .set_retention(&world.grant, keep, None)
        .await
        .expect("set");
    let load = start(&world, of(&["a"])).await;
    assert_eq!(ended(&world, &load.id).await.phase, Phase::Done);
    for _ in 0..3 {
        tokio::time::sleep(RETENTION_INTERVAL + Duration::from_secs(1)).await;
    }
    assert_eq!(log.bounds().first.get(), 1);
    // All of it together takes no more than what is kept beside it.
    let mut last = load;
    while last.phase != Phase::Waiting
        || !matches!(ended(&world, &last.id).await.phase, Phase::Failed(_))
    {
        last = start(&world, of(&["a"])).await;
    }
    assert_eq!(log.bounds().first.get(), 1);
}
