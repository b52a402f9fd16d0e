//! What an erasure takes of the counts, and that nothing waits for it to be counted.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_engine::{Engine, Erasure, Retention};
use feedwire_event::{Attribute, EventId, FeedName, Labels, Position, Subject, Timestamp};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::ailing::Ailing;
use super::erasing::{erase, left};
use super::world::{EVERYTHING, World, filter, next};
use crate::limits::{ERASURE_RETRY, TAIL_BYTES_MAX};
use crate::project::Project;
use crate::projects::Bounds;
use crate::{Receipt, Start};

async fn over(engine: &Arc<Ailing>) -> World {
    World::within(engine.clone(), Bounds::default()).await
}

async fn receipt(world: &World, asked: &Receipt) -> Receipt {
    let receipt = world.core.erasure(&world.grant, &asked.id).await;
    receipt.expect("the store").expect("a receipt")
}

/// The receipt, once what it is about is gone from disk, by a clock that goes while nothing else is to be done.
async fn erased(world: &World, asked: &Receipt) -> Receipt {
    loop {
        let receipt = receipt(world, asked).await;
        if receipt.erased.is_some() {
            return receipt;
        }
        tokio::time::sleep(ERASURE_RETRY).await;
    }
}

async fn check(world: &World, expected: &[(&str, [u64; 3])]) {
    let expected = expected
        .iter()
        .map(|(feed, left)| (feed.to_string(), *left));
    assert_eq!(left(world).await, expected.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_an_erasure_to_be_counted_and_what_it_is_about_is_hidden_before() {
    let engine = Ailing::over(Memory::new());
    let world = Arc::new(over(&engine).await);
    world.publish(&["a/x/1", "a/x/2"]).await;
    engine.ailments.is_stuck.send_replace(true);
    let asking = world.clone();
    let mut asked = JoinSet::new();
    asked.spawn(async move { erase(&asking, None, Some("1")).await });
    engine.ailments.sticks.notified().await;
    let published = timeout(Duration::from_mins(1), world.publish(&["a/x/1"])).await;
    assert_eq!(published.expect("nobody waits").versions[0].0, 1);
    let mut reader = world
        .follow(Start::Beginning, filter("a"))
        .await
        .expect("a reader");
    let mut seen = Vec::new();
    while seen.last() != Some(&3) {
        seen.extend(next(&mut reader, EVERYTHING).await);
    }
    assert_eq!(seen, [2, 3]);
    engine.ailments.is_stuck.send_replace(false);
    asked.join_all().await;
    check(&world, &[("a", [2, 2, 2])]).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_counted_at_once_is_hidden_and_counted_before_it_is_erased() {
    let engine = Ailing::over(Memory::new());
    let world = over(&engine).await;
    world.publish(&["a/x/1", "a/x/1", "a/x/2", "b/x/1"]).await;
    engine.ailments.is_away.store(true, Ordering::SeqCst);
    let asked = erase(&world, None, Some("1")).await;
    assert_eq!((asked.counted_to, asked.erased), (Position::ZERO, None));
    check(&world, &[("a", [3, 2, 1]), ("b", [1, 1, 0])]).await;
    tokio::time::sleep(ERASURE_RETRY * 3).await;
    assert_eq!(receipt(&world, &asked).await.erased, None, "it waits");
    engine.ailments.is_away.store(false, Ordering::SeqCst);
    let gone = erased(&world, &asked).await;
    assert_eq!(gone.erased.map(|(_, events)| events), Some(3));
    check(&world, &[("a", [1, 1, 1]), ("b", [0, 0, 0])]).await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_event_keeps_no_erasure_from_being_carried_out() {
    let engine = Ailing::over(Memory::new());
    let world = over(&engine).await;
    world.publish(&["a/x/1", "a/x/2"]).await;
    engine.ailments.is_damaged.store(true, Ordering::SeqCst);
    let asked = erase(&world, None, Some("1")).await;
    let gone = erased(&world, &asked).await;
    assert_eq!(gone.erased.map(|(_, events)| events), Some(1));
    // Of the event nothing was counted.
    check(&world, &[("a", [2, 2, 1])]).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_is_counted_for_one_erasure_whichever_counts_first() {
    let engine = Ailing::over(Memory::new());
    let world = over(&engine).await;
    world.publish(&["a/x/1", "a/x/1", "a/x/2"]).await;
    engine.ailments.keeps_events.store(true, Ordering::SeqCst);
    engine.ailments.is_away.store(true, Ordering::SeqCst);
    let one = erase(&world, None, Some("1")).await;
    world.publish(&["a/x/3", "b/x/1"]).await;
    let all = erase(&world, Some("a"), None).await;
    check(&world, &[("a", [0, 0, 0]), ("b", [1, 1, 1])]).await;
    engine.ailments.is_away.store(false, Ordering::SeqCst);
    tokio::time::sleep(ERASURE_RETRY * 3).await;
    engine.ailments.keeps_events.store(false, Ordering::SeqCst);
    for asked in [&one, &all] {
        erased(&world, asked).await;
    }
    world.publish(&["a/x/1"]).await;
    check(&world, &[("a", [1, 1, 1]), ("b", [1, 1, 1])]).await;
}

#[tokio::test(start_paused = true)]
async fn a_subject_is_counted_for_the_erasure_that_was_asked_for_first() {
    let engine = Ailing::over(Memory::new());
    let world = over(&engine).await;
    world.publish(&["a/x/1", "a/x/2", "b/x/1"]).await;
    engine.ailments.is_away.store(true, Ordering::SeqCst);
    let one = erase(&world, Some("a"), Some("1")).await;
    engine.ailments.is_away.store(false, Ordering::SeqCst);
    let other = erase(&world, None, Some("1")).await;
    assert_eq!((one.takes.len(), other.takes.len()), (1, 2));
    check(&world, &[("a", [1, 1, 1]), ("b", [0, 0, 0])]).await;
    for asked in [&one, &other] {
        erased(&world, asked).await;
    }
    check(&world, &[("a", [1, 1, 1]), ("b", [0, 0, 0])]).await;
}

async fn label(world: &World, subject: &Subject) {
    let labels = [("room".to_owned(), "lobby".to_owned())].into();
    let labels = Labels::new(labels).expect("labels");
    let set = world
        .core
        .set_labels(&world.grant, subject.clone(), labels, None);
    set.await.expect("set");
}

#[tokio::test(start_paused = true)]
async fn labels_that_do_not_go_at_once_are_gone_when_the_receipt_says_erased() {
    let place = Place::new(Options::default());
    let open = || Ailing::over(Memory::open(&place).expect("nobody else"));
    let engine = open();
    let world = over(&engine).await;
    let subject = Subject::new("1").expect("a subject");
    world.publish(&["a/x/1"]).await;
    label(&world, &subject).await;
    engine.ailments.keeps_labels.store(true, Ordering::SeqCst);
    let asked = erase(&world, None, Some("1")).await;
    tokio::time::sleep(ERASURE_RETRY * 3).await;
    assert_eq!(receipt(&world, &asked).await.erased, None, "it waits");
    world.core.close().await;
    let world = over(&open()).await;
    erased(&world, &asked).await;
    let labels = world.core.labels(&world.grant, &subject).await;
    assert!(labels.expect("labels").is_empty());
}

#[tokio::test(start_paused = true)]
async fn labels_that_are_set_after_an_erasure_stay() {
    let engine = Ailing::over(Memory::new());
    let world = over(&engine).await;
    let subject = Subject::new("1").expect("a subject");
    world.publish(&["a/x/1"]).await;
    label(&world, &subject).await;
    engine.ailments.keeps_events.store(true, Ordering::SeqCst);
    let asked = erase(&world, None, Some("1")).await;
    label(&world, &subject).await;
    engine.ailments.keeps_events.store(false, Ordering::SeqCst);
    erased(&world, &asked).await;
    let labels = world.core.labels(&world.grant, &subject).await;
    assert!(!labels.expect("labels").is_empty());
}

/// A batch that came to nothing had positions up to which was erased, and after a crash the log gave them again: to events that were
/// acknowledged, hidden at once, and erased with the next start.
#[tokio::test(start_paused = true)]
async fn an_erasure_reaches_no_further_than_the_log_when_it_is_opened_again() {
    let place = Place::new(Options::default());
    let open = || Arc::new(Memory::open(&place).expect("nobody else"));
    let engine = open();
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    world.publish(&["a/x/1", "a/x/2"]).await;
    let name = world.grant.project();
    let project = Project::open(&*engine, name, world.clock.clone(), TAIL_BYTES_MAX).await;
    let asked = Receipt {
        id: EventId::new("e").expect("an id"),
        erasure: Erasure {
            feed: None,
            subject: Subject::new("1").ok(),
            through: Position::ZERO.plus(4),
        },
        takes: std::collections::BTreeMap::new(),
        counted_to: Position::ZERO,
        takes_labels: false,
        asked_at: Timestamp::default(),
        erased: None,
    };
    let project = project.expect("opened");
    project.erasures().ask(&asked).await.expect("it is kept");
    drop(project);
    for _ in 0..2 {
        engine.close().await;
        let world = World::over(open(), TAIL_BYTES_MAX).await;
        let gone = erased(&world, &asked).await;
        assert_eq!(gone.erasure.through, Position::ZERO.plus(2));
        world.core.close().await;
    }
    let world = World::over(open(), TAIL_BYTES_MAX).await;
    world.publish(&["a/x/1"]).await;
    world.publish(&["a/x/1"]).await;
    let mut reader = world
        .follow(Start::Beginning, filter(""))
        .await
        .expect("a reader");
    assert_eq!(next(&mut reader, EVERYTHING).await, [2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn counts_that_are_rebuilt_after_an_erasure_tell_what_is_left() {
    let place = Place::new(Options::default());
    let open = || Arc::new(Memory::open(&place).expect("nobody else"));
    let engine = open();
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    world
        .publish(&["a/x/1", "a/x/1", "a/x/1", "a/x/2", "b/x/1"])
        .await;
    world.publish(&["c/x/1"]).await;
    let first = erase(&world, Some("a"), Some("1")).await;
    erased(&world, &first).await;
    // Of feed c something is trimmed, and then the feed is erased with that.
    let keep = Retention {
        age: Some(Duration::from_secs(50)),
        bytes: None,
    };
    let log = engine.log(world.grant.project()).await.expect("a log");
    world.clock.set(100);
    world.publish(&["c/x/2", "a/x/3"]).await;
    check(
        &world,
        &[("a", [2, 2, 2]), ("b", [1, 1, 1]), ("c", [2, 2, 2])],
    )
    .await;
    let now = crate::Clock::now(&*world.clock);
    log.trim(keep, now, Position::MAX).await.expect("trimmed");
    let whole = erase(&world, Some("c"), None).await;
    erased(&world, &whole).await;
    let expected = [("a", [2, 2, 2]), ("b", [1, 1, 1]), ("c", [0, 0, 0])];
    check(&world, &expected).await;
    drop(log);
    world.core.close().await;

    let engine = open();
    let project = world.grant.project();
    let view = engine.view(project, "counts").await.expect("a view");
    view.reset().await.expect("emptied");
    let world = World::over(engine, TAIL_BYTES_MAX).await;
    check(&world, &expected).await;
    world.publish(&["c/x/1"]).await;
    check(&world, &[expected[0], expected[1], ("c", [1, 1, 1])]).await;
    let feeds = world.core.feeds(&world.grant).await.expect("feeds").feeds;
    let c = feeds
        .iter()
        .find(|count| count.name == FeedName::new("c").expect("a name"));
    let c = c.expect("it is counted");
    assert_eq!((c.events, c.erased.events), (3, 2));
}
