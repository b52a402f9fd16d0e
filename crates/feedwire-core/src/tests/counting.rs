//! Counts of feeds.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::{Memory, Place};
use feedwire_engine::{Engine, Erasure, Retention};
use feedwire_event::{FeedName, Position, Subject, Timestamp};

use super::world::World;
use crate::limits::TAIL_BYTES_MAX;
use crate::{Erased, FeedCount, Span};

type Count = (String, [u64; 5]);

async fn counts(world: &World) -> Vec<Count> {
    let feeds = world.core.feeds(&world.grant).await.expect("feeds").feeds;
    let count = |feed: FeedCount| {
        assert_eq!(feed.erased, Erased::default());
        let numbers = [
            feed.events,
            feed.batches,
            feed.runs,
            feed.subjects,
            feed.last.get(),
        ];
        (feed.name.to_string(), numbers)
    };
    feeds.into_iter().map(count).collect()
}

fn expected() -> Vec<Count> {
    vec![("a".into(), [5, 3, 5, 2, 6]), ("b".into(), [1, 1, 1, 1, 2])]
}

async fn publish(world: &World) {
    world.publish(&["a/x/1", "b/x/1", "a/x/1"]).await;
    world.publish(&["a/x/2"]).await;
    world.publish(&["a/x/1", "a/x"]).await;
}

#[tokio::test]
async fn a_feed_counts_events_batches_runs_and_subjects() {
    let world = World::new().await;
    assert_eq!(counts(&world).await, []);
    publish(&world).await;
    assert_eq!(counts(&world).await, expected());
}

#[tokio::test]
async fn counts_go_on_after_a_restart_however_far_their_view_had_come() {
    let place = Place::new(feedwire_engine::memory::Options::default());
    for orderly in [true, false] {
        let engine = Arc::new(Memory::open(&place).expect("nobody else"));
        let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
        if counts(&world).await.is_empty() {
            publish(&world).await;
        }
        assert_eq!(counts(&world).await, expected());
        if orderly {
            world.core.close().await;
        } else {
            engine.close().await;
        }
    }
    let world = World::over(
        Arc::new(Memory::open(&place).expect("nobody else")),
        TAIL_BYTES_MAX,
    )
    .await;
    assert_eq!(counts(&world).await, expected());
}

#[tokio::test]
async fn counts_that_are_rebuilt_after_retention_take_each_trimmed_batch_for_one_run() {
    let place = Place::new(feedwire_engine::memory::Options::default());
    let engine = Arc::new(Memory::open(&place).expect("nobody else"));
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    publish(&world).await;
    assert_eq!(counts(&world).await, expected());
    let log = engine.log(world.grant.project()).await.expect("a log");
    world.clock.set(100);
    world.publish(&["a/x/9"]).await;
    let keep = Retention {
        age: Some(Duration::from_secs(50)),
        bytes: None,
    };
    let now = crate::Clock::now(&*world.clock);
    log.trim(keep, now, Position::MAX).await.expect("trimmed");
    assert!(log.bounds().first > Position::ZERO.next());
    let before = counts(&world).await;
    engine.close().await;

    let engine = Arc::new(Memory::open(&place).expect("nobody else"));
    let view = engine
        .view(world.grant.project(), "counts")
        .await
        .expect("a view");
    view.reset().await.expect("emptied");
    let world = World::over(engine, TAIL_BYTES_MAX).await;
    // Of a batch that is trimmed it is not known how many runs it had: each counts as one.
    let expected = before
        .into_iter()
        .map(|(feed, [events, batches, _, subjects, last])| {
            let runs = if feed == "a" { 4 } else { 1 };
            (feed, [events, batches, runs, subjects, last])
        });
    assert_eq!(counts(&world).await, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_counts_also_when_its_first_event_was_erased_before_it_is_counted() {
    let place = Place::new(feedwire_engine::memory::Options::default());
    let engine = Arc::new(Memory::open(&place).expect("nobody else"));
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    world.publish(&["a/x/1", "a/x/2", "a/x/3"]).await;
    world.publish(&["a/x/1", "a/x/2"]).await;
    let log = engine.log(world.grant.project()).await.expect("a log");
    let erasure = Erasure {
        feed: None,
        subject: Subject::new("1").ok(),
        through: Position::MAX,
    };
    assert_eq!(log.erase(&erasure).await.expect("erased"), 2);
    engine.close().await;

    let engine = Arc::new(Memory::open(&place).expect("nobody else"));
    let world = World::over(engine, TAIL_BYTES_MAX).await;
    assert_eq!(counts(&world).await, [("a".into(), [3, 2, 3, 2, 5])]);
}

#[tokio::test]
async fn runs_are_counted_over_all_of_time_and_within_a_stretch_of_it() {
    let world = World::new().await;
    for seconds in [10, 20, 30] {
        world.clock.set(seconds);
        publish(&world).await;
    }
    let seconds = |seconds: i64| Some(Timestamp::from_micros(seconds * 1_000_000));
    let check = async |feeds: &[&str], from, to, expected| {
        let feeds = feeds.iter().map(|f| FeedName::new(f).expect("a name"));
        let span = Span { from, to };
        let runs = world.core.runs(&world.grant, feeds.collect(), span).await;
        assert_eq!(runs.expect("counted"), expected, "{span:?}");
    };
    check(&[], None, None, 18).await;
    check(&["a"], None, None, 15).await;
    check(&["b"], None, None, 3).await;
    check(&["c"], None, None, 0).await;
    check(&["a"], seconds(20), None, 10).await;
    check(&["a"], seconds(20), seconds(30), 5).await;
    check(&[], None, seconds(11), 6).await;
    check(&["a"], seconds(31), None, 0).await;
    check(&["a"], seconds(30), seconds(10), 0).await;
}
