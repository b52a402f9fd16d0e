//! Histories of subjects, read by version.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::Memory;
use feedwire_engine::{Engine, Record, Retention};
use feedwire_event::{FeedName, Position, Subject, Version};

use super::world::World;
use crate::history::{Error, History, Part};
use crate::limits::TAIL_BYTES_MAX;
use crate::{Allowance, Clock, Confinement};

fn part(since: u64, batches: u64) -> Part {
    Part {
        since: Version(since),
        batches,
        bytes: usize::MAX,
    }
}

async fn history(world: &World, about: &str, part: Part) -> Result<Option<History>, Error> {
    let (feed, subject) = about.split_once('/').expect("feed/subject");
    let feed = FeedName::new(feed).expect("a name");
    let subject = Subject::new(subject).expect("a subject");
    let core = &world.core;
    core.history(&world.grant, &feed, &subject, part).await
}

/// The versions of the events of a part, the head's version, and whether there is more.
async fn versions(world: &World, about: &str, of: Part) -> Option<(Vec<u64>, u64, bool)> {
    let history = history(world, about, of).await.expect("a history")?;
    let records = history.records.iter();
    let versions = records.map(|record| record.stamp().version.0).collect();
    Some((versions, history.head.version.0, history.more))
}

/// Subject 1 of feed `a` with batches of one, two and one event again and again, and others between.
async fn publish(world: &World, batches: u64) {
    for batch in 0..batches {
        world.publish(&["a/x/2", "b/x/1"]).await;
        if batch % 3 == 1 {
            world.publish(&["a/x/1", "a/x/2", "a/x/1"]).await;
        } else {
            world.publish(&["a/x/1"]).await;
        }
    }
}

#[tokio::test]
async fn a_history_is_read_by_version_and_no_batch_of_it_is_split() {
    let world = World::new().await;
    assert_eq!(versions(&world, "a/1", part(0, 10)).await, None);
    publish(&world, 6).await;
    let check = async |since, batches, events: &[u64], more| {
        let read = versions(&world, "a/1", part(since, batches)).await;
        assert_eq!(read, Some((events.to_vec(), 6, more)), "{since} {batches}");
    };
    check(0, 10, &[1, 2, 2, 3, 4, 5, 5, 6], false).await;
    check(0, 6, &[1, 2, 2, 3, 4, 5, 5, 6], false).await;
    check(0, 2, &[1, 2, 2], true).await;
    check(0, 1, &[1], true).await;
    check(1, 1, &[2, 2], true).await;
    check(2, 3, &[3, 4, 5, 5], true).await;
    check(5, 1, &[6], false).await;
    check(5, u64::MAX, &[6], false).await;
    check(6, 5, &[], false).await;
    check(u64::MAX, 5, &[], false).await;
    assert_eq!(versions(&world, "b/2", part(0, 10)).await, None);
}

#[tokio::test]
async fn every_part_of_a_long_history_is_found() {
    let world = World::new().await;
    publish(&world, 1_500).await;
    for since in [0, 1, 2, 7, 499, 500, 998, 1_000, 1_498, 1_499] {
        let (events, head, more) = versions(&world, "a/1", part(since, 400))
            .await
            .expect("one");
        let last = (since + 400).min(1_500);
        let expected = (since + 1..=last).flat_map(|version| {
            let events = if version % 3 == 2 { 2 } else { 1 };
            std::iter::repeat_n(version, events)
        });
        assert_eq!(events, expected.collect::<Vec<u64>>());
        assert_eq!((head, more), (1_500, last < 1_500));
    }
}

#[tokio::test]
async fn a_history_that_is_too_large_is_refused_and_not_cut() {
    let world = World::new().await;
    publish(&world, 3).await;
    let bytes = |bytes| Part {
        bytes,
        ..part(0, 3)
    };
    let whole = history(&world, "a/1", part(0, 3))
        .await
        .expect("it is read");
    let size = whole
        .expect("it is there")
        .records
        .iter()
        .map(Record::bytes)
        .sum();
    assert!(history(&world, "a/1", bytes(size)).await.is_ok());
    let refused = history(&world, "a/1", bytes(size - 1)).await;
    assert!(
        matches!(refused, Err(Error::TooLarge { batches: 3, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_history_whose_beginning_was_trimmed_is_refused_and_what_is_behind_is_read() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    for second in 1..=6 {
        world.clock.set(second * 10);
        world.publish(&["a/x/1"]).await;
        world.publish(&["a/x/2"]).await;
    }
    world.core.feeds(&world.grant).await.expect("counted");
    let log = engine.log(world.grant.project()).await.expect("a log");
    let trim = async |age| {
        let age = Some(Duration::from_secs(age));
        let keep = Retention { age, bytes: None };
        let now = world.clock.now();
        log.trim(keep, now, Position::MAX).await.expect("trimmed");
    };
    trim(35).await;
    let lost = history(&world, "a/1", part(0, 10)).await;
    assert!(matches!(lost, Err(Error::Expired(Version(2)))), "{lost:?}");
    assert!(history(&world, "a/1", part(1, 10)).await.is_err());
    let rest = versions(&world, "a/1", part(2, 10)).await;
    assert_eq!(rest, Some((vec![3, 4, 5, 6], 6, false)));
    world.clock.set(1_000);
    trim(1).await;
    let lost = history(&world, "a/1", part(2, 2)).await;
    assert!(matches!(lost, Err(Error::Expired(Version(4)))), "{lost:?}");
    let at_its_head = versions(&world, "a/1", part(6, 10)).await;
    assert_eq!(at_its_head, Some((vec![], 6, false)));
}

#[tokio::test]
async fn whoever_is_confined_reads_histories_of_its_own_and_of_no_other() {
    let world = World::new().await;
    publish(&world, 1).await;
    let own = |feeds: &str, subject: &str| {
        world.granting(Allowance {
            rights: [crate::Right::Read].into_iter().collect(),
            feeds: vec![feeds.parse().expect("a pattern")],
            confinement: Some(Confinement::Subjects(vec![
                Subject::new(subject).expect("a subject"),
            ])),
        })
    };
    assert!(versions(&own("a", "1"), "a/1", part(0, 9)).await.is_some());
    for other in [own("a", "2"), own("b", "1")] {
        assert!(history(&other, "a/1", part(0, 9)).await.is_err());
    }
}
