//! What forgetting promises: who begins anew, from when on, and until when.

use feedwire_event::{Position, Version};

use super::Place;
use super::fixture::{Bench, at, batch, erasure, expect, expecting, head, version};
use crate::{AppendError, Expected, Scope};

async fn mixed(bench: &Bench<'_>) {
    bench.append(&["f t a", "f t b", "g t a"]).await;
    bench.append(&["f t a", "fg t a"]).await;
}

async fn heads(bench: &Bench<'_>) -> [Option<(u64, u64)>; 4] {
    let mut heads = [None; 4];
    for (head, name) in heads.iter_mut().zip(["f a", "f b", "g a", "fg a"]) {
        let found = bench.head(name).await;
        *head = found.map(|head| (head.version.0, head.position.get()));
    }
    heads
}

/// What [`mixed`] leaves.
const MIXED: [Option<(u64, u64)>; 4] = [Some((2, 4)), Some((1, 2)), Some((1, 3)), Some((1, 5))];

pub async fn the_last_given_position_is_the_last_readable_one_or_beyond(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    assert_eq!(bench.log.given(), Position::ZERO);
    let appended = bench.append(&["f t s", "f t"]).await;
    assert_eq!(bench.log.given(), appended.last);
    bench = bench.reopen().await;
    assert!(bench.log.given() >= bench.log.bounds().last);
    let refused = expecting(&["f t s"], vec![version("f s", 7)]);
    assert!(bench.try_append(refused).await.is_err());
    assert_eq!(bench.append(&["f t"]).await.first, at(3));
    assert_eq!(bench.log.given(), at(3));
}

pub async fn a_forgotten_subject_begins_anew(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.forget(&erasure("f", "a", 5)).await;
    assert_eq!(heads(&bench).await, [None, MIXED[1], MIXED[2], MIXED[3]]);
    let appended = bench.append(&["f t a", "f t b", "f t a"]).await;
    assert_eq!(appended.versions, [1, 2, 1].map(Version));
    assert_eq!(bench.append(&["f t a"]).await.versions, [Version(2)]);
    let stamped = bench.read(&super::fixture::scope("f", "", "a")).await;
    let stamped: Vec<u64> = stamped.iter().map(|r| r.stamp().version.0).collect();
    assert_eq!(stamped, [1, 2, 1, 1, 2], "events stay where they are");
    // It has a later event now.
    bench = bench.crash().await;
    assert_eq!(bench.head("f a").await, Some(head(2, 9)));
    bench = bench.reopen().await;
    assert_eq!(bench.append(&["f t a"]).await.versions, [Version(3)]);
}

pub async fn a_subject_with_a_later_event_is_not_forgotten(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.forget(&erasure("", "a", 3)).await;
    assert_eq!(heads(&bench).await, [MIXED[0], MIXED[1], None, MIXED[3]]);
    // What was said for an earlier position says nothing of a later one.
    bench.forget(&erasure("", "a", 2)).await;
    assert_eq!(heads(&bench).await, [MIXED[0], MIXED[1], None, MIXED[3]]);
    let appended = bench.append(&["f t a", "g t a"]).await;
    assert_eq!(appended.versions, [3, 1].map(Version));
}

pub async fn a_feed_is_forgotten_with_all_its_subjects(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.forget(&erasure("f", "", 5)).await;
    assert_eq!(heads(&bench).await, [None, None, MIXED[2], MIXED[3]]);
    bench.forget(&erasure("", "", 5)).await;
    assert_eq!(heads(&bench).await, [None; 4]);
    let appended = bench.append(&["f t a", "fg t a", "f t"]).await;
    assert_eq!(appended.versions, [1, 1, 0].map(Version));
}

pub async fn a_subject_is_forgotten_in_every_feed(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.forget(&erasure("", "a", 5)).await;
    assert_eq!(heads(&bench).await, [None, MIXED[1], None, None]);
}

pub async fn nothing_is_what_a_forgotten_subject_is_expected_to_have_had(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.forget(&erasure("f", "a", 5)).await;
    for stale in [Expected::Version(Version(2)), Expected::Position(at(4))] {
        let stale = expecting(&["f t a"], vec![expect("f a", stale)]);
        match bench.try_append(stale).await {
            Err(AppendError::Conflict { head, .. }) => assert_eq!(head, None),
            other => panic!("a conflict was expected, not {other:?}"),
        }
    }
    let nothing = [
        Expected::Version(Version::NONE),
        Expected::Position(Position::ZERO),
    ];
    for nothing in nothing {
        let first = expecting(&["f t a"], vec![expect("f a", nothing)]);
        let appended = bench.try_append(first).await.expect("it has had nothing");
        assert_eq!(appended.versions, [Version(1)]);
        bench.forget(&erasure("f", "a", appended.last.get())).await;
    }
}

pub async fn what_comes_later_is_not_forgotten_whatever_the_position(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let everything = erasure("", "", Position::MAX.get());
    bench.forget(&everything).await;
    assert_eq!(bench.append(&["f t a"]).await.versions, [Version(1)]);
    assert_eq!(bench.append(&["f t a"]).await.versions, [Version(2)]);
    assert_eq!(bench.head("f a").await, Some(head(2, 7)));
}

pub async fn what_was_on_its_way_is_forgotten_too(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s"]).await;
    for _ in 0..20 {
        let before = bench.log.given();
        bench.submit(batch(&["f t s", "g t s"])).await;
        let given = bench.log.given();
        assert!(given == before || given == before.plus(2), "{given:?}");
        bench.forget(&erasure("", "s", given.get())).await;
        let appended = bench.append(&["f t s", "g t s"]).await;
        assert_eq!(appended.first, given.next());
        assert_eq!(appended.versions, [1, 1].map(Version));
    }
}

pub async fn what_was_on_its_way_is_readable_once_it_is_settled(place: &dyn Place) {
    let bench = Bench::new(place).await;
    for _ in 0..20 {
        bench.submit(batch(&["f t s", "g t s"])).await;
        let given = bench.log.given();
        bench.log.settle(given).await.expect("it is settled");
        assert!(bench.log.bounds().last >= given);
    }
}

pub async fn what_is_forgotten_and_not_erased_is_there_again_after_reopening(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    mixed(&bench).await;
    bench.forget(&erasure("", "", 5)).await;
    assert_eq!(heads(&bench).await, [None; 4]);
    bench = bench.reopen().await;
    assert_eq!(heads(&bench).await, MIXED);
    bench.forget(&erasure("f", "a", 5)).await;
    bench = bench.crash().await;
    assert_eq!(heads(&bench).await, MIXED);
    // Told again, it goes on from what came later.
    bench.forget(&erasure("f", "a", 5)).await;
    bench.append(&["f t a"]).await;
    bench = bench.reopen().await;
    bench.forget(&erasure("f", "a", 5)).await;
    assert_eq!(bench.append(&["f t a"]).await.versions, [Version(2)]);
}

pub async fn a_closed_log_forgets_nothing_for_the_next(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let closed = std::sync::Arc::clone(&bench.log);
    let bench = bench.reopen().await;
    let refused = closed.forget(&erasure("", "", 5)).await;
    refused.expect_err("it is closed");
    assert_eq!(heads(&bench).await, MIXED);
    assert_eq!(bench.read(&Scope::all()).await.len(), 5);
}
