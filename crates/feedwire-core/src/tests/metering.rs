//! What the core counts of what it does.

use feedwire_event::{Event, FeedName, TypeName};

use super::world::{EVERYTHING, World, filter, next};
use crate::publish::Repetition;
use crate::stats::ProjectStats;
use crate::{Grant, Start};

async fn only_project(world: &World) -> ProjectStats {
    let mut projects = world.core.stats().await.projects;
    assert_eq!(projects.len(), 1, "the one that was used");
    projects.remove(0)
}

#[tokio::test]
async fn readers_are_told_apart_by_where_they_read() {
    let world = World::new().await;
    world.publish(&["f/t/a", "f/t/a"]).await;
    let start = |start| world.follow(start, filter(""));
    let mut behind = start(Start::Beginning).await.expect("a reader");
    let mut at_tail = start(Start::Now).await.expect("a reader");
    let present = behind.present(EVERYTHING).await.expect("events");
    assert_eq!(present.events.len(), 2);
    let waiting = tokio::join!(next(&mut at_tail, EVERYTHING), world.publish(&["f/t/b"]));
    assert_eq!(waiting.0, [3]);
    let stats = only_project(&world).await;
    assert_eq!((stats.logged_events, stats.tailed_events), (2, 1));
    assert_eq!((stats.readers, stats.tail.readers), (2, 1));
    assert_eq!(stats.tail.wakes, 1);
    assert_eq!(stats.tail.head, stats.bounds.last);
    drop((behind, at_tail));
    let stats = only_project(&world).await;
    assert_eq!((stats.readers, stats.tail.readers), (0, 0));
}

#[tokio::test]
async fn batches_are_counted_and_those_that_are_refused_by_why() {
    let world = World::new().await;
    world.publish(&["f/t/a", "f/t/a"]).await;
    let nowhere = Grant::whole(feedwire_event::ProjectName::new("other").expect("a name"));
    let event = Event {
        id: None,
        source: None,
        ty: TypeName::new("t").expect("a name"),
        subject: None,
        time: None,
        live_only: false,
        extensions: feedwire_event::Extensions::default(),
        data: None,
    };
    let events = [(FeedName::new("f").expect("a name"), event)];
    let refused = world
        .core
        .publish(&nowhere, &events, Vec::new(), &Repetition::Unknown)
        .await;
    refused.expect_err("no such project");
    let empty = world
        .core
        .publish(&world.grant, &[], Vec::new(), &Repetition::Unknown)
        .await;
    empty.expect_err("no batch");
    let stats = world.core.stats().await;
    let failures = stats.failures;
    assert_eq!((failures.unknown_project, failures.batch), (1, 1));
    assert_eq!((failures.conflict, failures.closing), (0, 0));
    let log = &stats.projects[0].log;
    assert_eq!((log.batches, log.commits.sum), (1, 2));
}

#[tokio::test]
async fn what_is_done_now_and_then_is_counted() {
    let world = World::new().await;
    world.publish(&["f/t/a"]).await;
    let feed = FeedName::new("f").ok();
    let asked = world.core.erase(&world.grant, feed, None).await;
    let receipt = asked.expect("it is taken");
    while world
        .core
        .erasure(&world.grant, &receipt.id)
        .await
        .expect("the store is there")
        .is_none_or(|receipt| receipt.erased.is_none())
    {
        tokio::task::yield_now().await;
    }
    // The count follows the receipt.
    while only_project(&world).await.upkeep.erasures == 0 {
        tokio::task::yield_now().await;
    }
    let stats = only_project(&world).await;
    assert_eq!((stats.erasures_open, stats.log.erased_events), (0, 1));
    assert_eq!(stats.upkeep.retention_runs, 1);
    assert_eq!(stats.upkeep.retention_failures, 0);
}
