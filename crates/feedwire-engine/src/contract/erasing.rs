//! What erasing promises: what is gone, and what stays as it was.

use feedwire_event::{Position, Version};

use super::Place;
use super::fixture::{ALL, Bench, at, feed, head, positions, scope, subject};
use crate::{Erasure, Record, Scope};

fn of(feeds: &str, subjects: &str, through: u64) -> Erasure {
    Erasure {
        feed: Some(feeds).filter(|f| !f.is_empty()).map(feed),
        subject: Some(subjects).filter(|s| !s.is_empty()).map(subject),
        through: at(through),
    }
}

async fn erase(bench: &Bench<'_>, erasure: &Erasure) -> u64 {
    let erased = bench.log.erase(erasure).await;
    erased.expect("it is erased")
}

async fn mixed(bench: &Bench<'_>) {
    bench.append(&["f t a", "f t b", "g t a"]).await;
    bench.append(&["f t a", "g t"]).await;
    bench.append(&["g t b", "f t a"]).await;
}

async fn left(bench: &Bench<'_>) -> Vec<u64> {
    positions(&bench.read(&Scope::all()).await)
}

pub async fn what_was_appended_and_erased_is_counted(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let erased = erase(&bench, &of("", "a", 7)).await;
    let stats = bench.log.stats();
    assert_eq!((stats.batches, stats.commits.sum), (3, 7), "{stats:?}");
    assert!((1..=3).contains(&stats.commits.count()), "{stats:?}");
    assert_eq!(stats.erased_events, erased);
    assert!(stats.appended_bytes > 0 && stats.size_bytes > 0);
    assert_eq!((stats.queued_bytes, stats.is_failing), (0, false));
    let disk = bench.engine.disk().await.expect("the disk is there");
    assert!(disk.is_none_or(|disk| disk.free_bytes <= disk.size_bytes));
}

pub async fn erased_events_are_in_no_reading(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    assert_eq!(erase(&bench, &of("", "a", 7)).await, 4);
    for scope in [
        scope("", "", "a"),
        scope("f", "", "a"),
        scope("g", "t", "a"),
    ] {
        assert!(bench.read(&scope).await.is_empty());
        let back = bench.log.read_back(&scope, Position::MAX, ALL).await;
        assert!(back.expect("it is read").records.is_empty());
    }
    assert_eq!(left(&bench).await, [2, 5, 6]);
    let back = bench.log.read_back(&Scope::all(), Position::MAX, ALL).await;
    assert_eq!(positions(&back.expect("it is read").records), [6, 5, 2]);
    let chunk = bench.log.read(&Scope::all(), at(6), ALL).await;
    let chunk = chunk.expect("it is read");
    assert_eq!((chunk.records.len(), chunk.through), (0, at(7)));
}

pub async fn an_erasure_keeps_to_its_feed_subject_and_position(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    assert_eq!(erase(&bench, &of("f", "a", 6)).await, 2);
    assert_eq!(left(&bench).await, [2, 3, 5, 6, 7]);
    assert_eq!(erase(&bench, &of("g", "", 5)).await, 2);
    assert_eq!(left(&bench).await, [2, 6, 7]);
    assert_eq!(erase(&bench, &of("", "", 6)).await, 2);
    assert_eq!(left(&bench).await, [7]);
    assert_eq!(erase(&bench, &of("unheard-of", "", 7)).await, 0);
}

pub async fn what_is_erased_stays_erased(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    erase(&bench, &of("", "a", 7)).await;
    let bench = bench.crash().await;
    assert_eq!(left(&bench).await, [2, 5, 6]);
    bench.append(&["f t a"]).await;
    let bench = bench.reopen().await;
    assert_eq!(left(&bench).await.len(), 4);
}

pub async fn an_erasure_leaves_positions_places_and_versions_alone(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let before = bench.read(&Scope::all()).await;
    erase(&bench, &of("", "a", 7)).await;
    let bench = bench.reopen().await;
    let after = bench.read(&Scope::all()).await;
    let kept = |r: &&Record| r.subject() != Some("a");
    assert_eq!(
        after,
        before.iter().filter(kept).cloned().collect::<Vec<_>>()
    );
    assert_eq!(bench.head("f a").await, Some(head(3, 7)));
    let appended = bench.append(&["f t a"]).await;
    assert!(appended.first >= at(8));
    assert_eq!(appended.versions, [Version(4)]);
}

pub async fn erasing_again_finds_nothing(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    assert_eq!(erase(&bench, &of("", "b", 7)).await, 2);
    assert_eq!(erase(&bench, &of("", "b", 7)).await, 0);
    bench.append(&["f t b"]).await;
    assert_eq!(erase(&bench, &of("", "b", 7)).await, 0);
    assert_eq!(left(&bench).await, [1, 3, 4, 5, 7, 8]);
}
