//! What an expectation promises: versions, conflicts, and that one of many wins.

use std::sync::Arc;

use feedwire_event::{Position, Version};
use tokio::task::JoinSet;

use super::Place;
use super::fixture::{Bench, NOON, at, batch, expect, expecting, feed, head, subject, version};
use crate::{AppendError, Batch, Expected, Scope};

async fn conflict(bench: &Bench<'_>, batch: Batch) -> (String, Option<crate::Head>) {
    match bench.try_append(batch).await {
        Err(AppendError::Conflict {
            feed,
            subject,
            head,
        }) => (format!("{feed} {subject}"), head),
        other => panic!("a conflict was expected, not {other:?}"),
    }
}

pub async fn versions_count_the_batches_of_a_subject_in_a_feed(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let versions = async |records: &[&str]| -> Vec<u64> {
        let appended = bench.append(records).await;
        appended.versions.iter().map(|v| v.0).collect()
    };
    assert_eq!(versions(&["f t s", "f u s", "f t s"]).await, [1, 1, 1]);
    assert_eq!(
        versions(&["g t s", "f t r", "f t s", "f t"]).await,
        [1, 1, 2, 0]
    );
    assert_eq!(versions(&["f t s", "g t s"]).await, [3, 2]);
    let records = bench.read(&Scope::all()).await;
    let stamped: Vec<u64> = records.iter().map(|r| r.stamp().version.0).collect();
    assert_eq!(stamped, [1, 1, 1, 1, 1, 2, 0, 3, 2]);
    assert_eq!(bench.head("f s").await, Some(head(3, 8)));
    assert_eq!(bench.head("g s").await, Some(head(2, 9)));
    assert_eq!(bench.head("f r").await, Some(head(1, 5)));
    assert_eq!(bench.head("g r").await, None);
}

pub async fn an_expected_version_or_position_is_the_subjects_own(place: &dyn Place) {
    let bench = Bench::new(place).await;
    for expected in [
        Expected::Version(Version::NONE),
        Expected::Version(Version(1)),
        Expected::Position(at(2)),
        Expected::Version(Version(3)),
        Expected::Position(at(4)),
    ] {
        let batch = expecting(&["f t s"], vec![expect("f s", expected)]);
        bench.try_append(batch).await.expect("it is as expected");
    }
    // Another subject's batches, and another feed's, leave it where it is.
    bench.append(&["g t s", "f t r"]).await;
    let batch = expecting(&["f t s"], vec![expect("f s", Expected::Position(at(5)))]);
    bench.try_append(batch).await.expect("it is as expected");
    let none = Expected::Position(Position::ZERO);
    let batch = expecting(&["f t new"], vec![expect("f new", none)]);
    bench.try_append(batch).await.expect("it is as expected");
}

pub async fn a_conflict_names_where_the_subject_is(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t s", "f t r"]).await;
    for expected in [
        Expected::Version(Version::NONE),
        Expected::Version(Version(2)),
        Expected::Position(Position::ZERO),
        Expected::Position(at(1)),
        Expected::Position(at(3)),
    ] {
        let batch = expecting(&["f t s"], vec![expect("f s", expected)]);
        let named = conflict(&bench, batch).await;
        assert_eq!(named, ("f s".to_owned(), Some(head(1, 2))), "{expected:?}");
    }
    let batch = expecting(&["f t q"], vec![version("f q", 1)]);
    assert_eq!(conflict(&bench, batch).await, ("f q".to_owned(), None));
}

pub async fn one_failed_expectation_of_several_keeps_everything_out(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t a", "f t b", "g t c"]).await;
    // The last one is of a subject that the batch itself does not have.
    let expectations = vec![version("f a", 1), version("f b", 1), version("g c", 2)];
    let batch = expecting(&["f t a", "f t b"], expectations);
    let named = conflict(&bench, batch).await;
    assert_eq!(named, ("g c".to_owned(), Some(head(1, 3))));
    assert_eq!(bench.log.bounds().last, at(3));
    assert_eq!(bench.head("f a").await, Some(head(1, 1)));
    let expectations = vec![version("f a", 1), version("f b", 1), version("g c", 1)];
    let batch = expecting(&["f t a", "f t b"], expectations);
    let appended = bench.try_append(batch).await.expect("it is as expected");
    assert_eq!(appended.versions, [Version(2), Version(2)]);
    assert_eq!(bench.head("g c").await, Some(head(1, 3)));
}

pub async fn of_appends_that_expect_the_same_one_wins(place: &dyn Place) {
    let bench = Bench::new(place).await;
    for round in 0..10 {
        let mut racers = JoinSet::new();
        for _ in 0..8 {
            let log = Arc::clone(&bench.log);
            let batch = expecting(&["f t s", "f t s"], vec![version("f s", round)]);
            racers.spawn(async move { log.append(batch, NOON).await });
        }
        let mut won = 0;
        for outcome in racers.join_all().await {
            match outcome {
                Ok(appended) => {
                    assert_eq!(appended.versions, [Version(round + 1); 2]);
                    won += 1;
                }
                Err(AppendError::Conflict { head, .. }) => {
                    assert_eq!(head.map(|head| head.version), Some(Version(round + 1)));
                }
                Err(other) => panic!("a conflict was expected, not {other:?}"),
            }
        }
        assert_eq!(won, 1);
    }
    assert_eq!(bench.head("f s").await, Some(head(10, 20)));
}

pub async fn versions_of_racing_appends_neither_skip_nor_repeat(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        let log = Arc::clone(&bench.log);
        writers.spawn(async move {
            for number in 0..25 {
                let own = format!("f t s{}", number % 5);
                let appended = log
                    .append(batch(&[own.as_str(), "f t s", "f t"]), NOON)
                    .await;
                appended.expect("it is appended");
            }
        });
    }
    writers.join_all().await;
    for (name, batches) in [("s", 100), ("s0", 20), ("s4", 20)] {
        let records = bench.read(&super::fixture::scope("f", "", name)).await;
        let versions: Vec<u64> = records.iter().map(|r| r.stamp().version.0).collect();
        assert_eq!(versions, (1..=batches).collect::<Vec<_>>(), "{name}");
    }
}

pub async fn expectations_hold_after_reopening(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t s"]).await;
    bench.append(&["f t s", "g t s"]).await;
    check_after(bench.reopen().await).await;
}

pub async fn expectations_hold_after_a_crash(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t s"]).await;
    bench.append(&["f t s", "g t s"]).await;
    check_after(bench.crash().await).await;
}

pub async fn expectations_hold_below_retention(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t s"]).await;
    bench.append(&["f t s", "g t s"]).await;
    bench.trim_all().await;
    assert!(bench.read(&Scope::all()).await.is_empty());
    assert_eq!(bench.head("f s").await, Some(head(2, 3)));
    check_after(bench.reopen().await).await;
}

/// The subject `f s` had two batches, up to position 3.
async fn check_after(bench: Bench<'_>) {
    let stale = expecting(&["f t s"], vec![version("f s", 1)]);
    let named = conflict(&bench, stale).await;
    assert_eq!(named, ("f s".to_owned(), Some(head(2, 3))));
    let unborn = expecting(&["g t s"], vec![version("g s", 0)]);
    assert_eq!(conflict(&bench, unborn).await.1, Some(head(1, 4)));
    let expectations = vec![version("f s", 2), expect("g s", Expected::Position(at(4)))];
    let batch = expecting(&["f t s"], expectations);
    let appended = bench.try_append(batch).await.expect("it is as expected");
    assert_eq!(appended.versions, [Version(3)]);
    let found = bench.log.subject(&feed("f"), &subject("s")).await;
    let found = found.expect("it is looked up");
    assert_eq!(
        found.map(|h| (h.version, h.position)),
        Some((Version(3), appended.last))
    );
}
