//! What erasing promises: what is gone, and what stays as it was.

use std::sync::Arc;

use feedwire_event::{Position, Version};
use tokio::task::JoinSet;

use super::Place;
use super::fixture::{ALL, Bench, NOON, at, batch, erasure, head, positions, scope, version};
use crate::{Log, Record, Scope};

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
    let erased = bench.erase(&erasure("", "a", 7)).await;
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
    assert_eq!(bench.erase(&erasure("", "a", 7)).await, 4);
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
    assert_eq!(bench.erase(&erasure("f", "a", 6)).await, 2);
    assert_eq!(left(&bench).await, [2, 3, 5, 6, 7]);
    assert_eq!(bench.erase(&erasure("g", "", 5)).await, 2);
    assert_eq!(left(&bench).await, [2, 6, 7]);
    assert_eq!(bench.erase(&erasure("", "", 6)).await, 2);
    assert_eq!(left(&bench).await, [7]);
    assert_eq!(bench.erase(&erasure("unheard-of", "", 7)).await, 0);
}

pub async fn what_is_erased_stays_erased(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.erase(&erasure("", "a", 7)).await;
    let bench = bench.crash().await;
    assert_eq!(left(&bench).await, [2, 5, 6]);
    bench.append(&["f t a"]).await;
    let bench = bench.reopen().await;
    assert_eq!(left(&bench).await.len(), 4);
}

pub async fn an_erasure_leaves_positions_and_places_alone(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let before = bench.read(&Scope::all()).await;
    bench.erase(&erasure("", "a", 7)).await;
    let bench = bench.reopen().await;
    let after = bench.read(&Scope::all()).await;
    let kept = |r: &&Record| r.subject() != Some("a");
    assert_eq!(
        after,
        before.iter().filter(kept).cloned().collect::<Vec<_>>()
    );
    let appended = bench.append(&["f t a"]).await;
    assert!(appended.first >= at(8));
}

/// Of what [`mixed`] appends, subject `a` is erased.
async fn check_anew(bench: &Bench<'_>) {
    for name in ["f a", "g a"] {
        assert_eq!(bench.head(name).await, None, "{name}");
    }
    assert_eq!(bench.head("f b").await, Some(head(1, 2)));
    assert_eq!(bench.head("g b").await, Some(head(1, 6)));
}

pub async fn an_erased_subject_begins_anew(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.erase(&erasure("", "a", 7)).await;
    check_anew(&bench).await;
    bench = bench.crash().await;
    check_anew(&bench).await;
    bench = bench.reopen().await;
    check_anew(&bench).await;
    let expectations = vec![version("f a", 0), version("f b", 1)];
    let batch = super::fixture::expecting(&["f t a", "f t b", "f t a"], expectations);
    let appended = bench.try_append(batch).await.expect("it is as expected");
    assert_eq!(appended.versions, [1, 2, 1].map(Version));
    let last = appended.last.get();
    bench = bench.crash().await;
    assert_eq!(bench.head("f a").await, Some(head(1, last)));
    assert_eq!(bench.append(&["f t a"]).await.versions, [Version(2)]);
}

pub async fn an_erased_feed_begins_anew(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.append(&["g- t a"]).await;
    bench.erase(&erasure("g", "", 8)).await;
    for _ in 0..2 {
        assert_eq!(bench.head("g a").await, None);
        assert_eq!(bench.head("g b").await, None);
        assert_eq!(bench.head("f a").await, Some(head(3, 7)));
        assert_eq!(bench.head("g- a").await, Some(head(1, 8)));
        bench = bench.crash().await;
    }
    bench.erase(&erasure("", "", 8)).await;
    bench = bench.reopen().await;
    for name in ["f a", "f b", "g- a"] {
        assert_eq!(bench.head(name).await, None, "{name}");
    }
}

pub async fn a_subject_with_a_later_event_keeps_its_version_when_it_is_erased(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.erase(&erasure("", "a", 6)).await;
    for _ in 0..2 {
        assert_eq!(bench.head("f a").await, Some(head(3, 7)));
        assert_eq!(bench.head("g a").await, None);
        bench = bench.crash().await;
    }
    let appended = bench.append(&["f t a", "g t a"]).await;
    assert_eq!(appended.versions, [4, 1].map(Version));
}

pub async fn what_was_trimmed_begins_anew_once_it_is_erased(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.trim_all().await;
    assert_eq!(bench.erase(&erasure("", "a", 7)).await, 0);
    check_anew(&bench).await;
    bench = bench.reopen().await;
    check_anew(&bench).await;
}

pub async fn what_comes_later_is_not_erased_whatever_the_position(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    mixed(&bench).await;
    let everything = erasure("", "", Position::MAX.get());
    assert_eq!(bench.erase(&everything).await, 7);
    let appended = bench.append(&["f t a", "f t c"]).await;
    assert_eq!(appended.versions, [1, 1].map(Version));
    let last = appended.last.get();
    for _ in 0..2 {
        assert_eq!(left(&bench).await, [last - 1, last]);
        assert_eq!(bench.head("f a").await, Some(head(1, last - 1)));
        bench = bench.reopen().await;
    }
}

pub async fn what_was_on_its_way_is_erased_too(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    bench.append(&["f t s"]).await;
    for round in 0..20 {
        bench.submit(batch(&["f t s", "f t r"])).await;
        let given = bench.log.given();
        bench.erase(&erasure("", "s", given.get())).await;
        assert!(bench.read(&scope("", "", "s")).await.is_empty());
        assert_eq!(bench.head("f s").await, None);
        if round % 8 == 0 {
            bench = bench.crash().await;
            assert_eq!(bench.head("f s").await, None);
        }
        assert_eq!(bench.append(&["f t s"]).await.versions, [Version(1)]);
    }
}

/// Appends to subject `s` of feed `f` again and again; returns at which positions, and to which versions.
async fn write(log: Arc<dyn Log>) -> Vec<(Position, Version)> {
    let mut written = Vec::new();
    for _ in 0..25 {
        let appended = log.append(batch(&["f t s"]), NOON).await;
        let appended = appended.expect("it is appended");
        written.push((appended.last, appended.versions[0]));
    }
    written
}

pub async fn appends_race_an_erasure_and_versions_neither_skip_nor_repeat(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        writers.spawn(write(Arc::clone(&bench.log)));
    }
    let (mut written, mut erased) = (Vec::new(), Vec::new());
    while !writers.is_empty() {
        let given = bench.log.given();
        let all = erased.len() % 2 == 0;
        let through = if all { Position::MAX } else { given };
        bench.erase(&erasure("f", "s", through.get())).await;
        // Up to where it went is between these two.
        erased.push((given, through.min(bench.log.given())));
        while let Some(ended) = writers.try_join_next() {
            written.extend(ended.expect("a writer ends well"));
        }
    }
    written.sort_unstable();
    let mut before = (Position::ZERO, Version::NONE);
    for &(position, version) in &written {
        let between = |(from, to): &(Position, Position)| *from < position && *to >= before.0;
        let is_anew = version == Version(1) && erased.iter().any(between);
        assert!(is_anew || version == before.1.next(), "{written:?}");
        before = (position, version);
    }
    for _ in 0..2 {
        let left = bench.read(&scope("f", "", "s")).await;
        let is_gone = |record: &Record| erased.iter().any(|(to, _)| record.position() <= *to);
        assert!(!left.iter().any(is_gone), "{erased:?}");
        let last = left.last().map(|_| head(before.1.0, before.0.get()));
        assert_eq!(bench.head("f s").await, last);
        bench = bench.crash().await;
    }
}

pub async fn erasing_again_finds_nothing(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    assert_eq!(bench.erase(&erasure("", "b", 7)).await, 2);
    assert_eq!(bench.erase(&erasure("", "b", 7)).await, 0);
    bench.append(&["f t b"]).await;
    assert_eq!(bench.erase(&erasure("", "b", 7)).await, 0);
    assert_eq!(left(&bench).await, [1, 3, 4, 5, 7, 8]);
}
