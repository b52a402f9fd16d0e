//! What a repetition promises: it is known for what it is, and appended once.

use std::sync::Arc;

use feedwire_event::json::Canonical;
use feedwire_event::{
    Attribute, Data, Event, EventId, Extensions, IdempotencyKey, Source, Version, payload,
};
use tokio::task::JoinSet;

use super::Place;
use super::fixture::{Bench, NOON, at, feed, positions, subject, ty, version};
use crate::{AppendError, Appended, Batch, Erasure, Expectation, NewRecord, Scope};

/// A record of type `t` out of `feed id [subject]`, known by its id, with `source` and `data`.
fn record(text: &str, source: Option<&str>, data: &str, key: Option<&str>) -> NewRecord {
    let mut words = text.split(' ');
    let (of, id) = (words.next().expect("a feed"), words.next());
    let about = words.next().map(subject);
    let event = Event {
        id: id
            .filter(|id| *id != "-")
            .map(|id| EventId::new(id).expect("an id")),
        source: source.map(|source| Source::new(source).expect("a source")),
        ty: ty("t"),
        subject: about.clone(),
        time: None,
        live_only: false,
        extensions: Extensions::default(),
        data: Some(Data::Json(Canonical::string(data))),
    };
    let key = key.map(|key| IdempotencyKey::new(key).expect("a key"));
    let marks = payload::Marks {
        id: true,
        key: key.as_ref(),
    };
    let given = || EventId::new(&fastrand::u64(..).to_string()).expect("an id");
    NewRecord {
        feed: feed(of),
        ty: event.ty.clone(),
        subject: about,
        time: None,
        payload: payload::encode(&event, marks, given),
    }
}

pub(super) fn known_by_id(records: &[&str]) -> Batch {
    expecting(records, Vec::new())
}

fn expecting(records: &[&str], expectations: Vec<Expectation>) -> Batch {
    let records = records.iter().map(|text| record(text, None, "", None));
    Batch::new(records.collect(), expectations).expect("the tests stay within the limits")
}

/// A batch whose request had `key`.
pub(super) fn known_by_key(key: &str, records: &[&str], data: &str) -> Batch {
    let records = records.iter().enumerate().map(|(index, text)| {
        let key = (index == 0).then_some(key);
        record(text, None, data, key)
    });
    Batch::new(records.collect(), Vec::new()).expect("the tests stay within the limits")
}

async fn append(bench: &Bench<'_>, batch: Batch) -> Appended {
    bench.try_append(batch).await.expect("it is taken")
}

/// The answer to a batch that is appended and then repeated.
async fn twice(bench: &Bench<'_>, batch: Batch) -> Appended {
    let first = append(bench, batch.clone()).await;
    assert!(!first.is_repeat);
    let second = append(bench, batch).await;
    let expected = Appended {
        is_repeat: true,
        ..first.clone()
    };
    assert_eq!(second, expected);
    first
}

async fn all(bench: &Bench<'_>) -> Vec<u64> {
    positions(&bench.read(&Scope::all()).await)
}

pub async fn a_repetition_is_answered_with_where_its_events_are(place: &dyn Place) {
    let bench = Bench::new(place).await;
    twice(&bench, known_by_id(&["f a s", "f b", "f c s", "g a"])).await;
    twice(&bench, known_by_id(&["f d s"])).await;
    // What came in several batches, and in another order.
    let scattered = append(&bench, known_by_id(&["f d s", "f b", "f a s"])).await;
    assert!(scattered.is_repeat);
    assert_eq!((scattered.first, scattered.last), (at(1), at(5)));
    let versions = [Version(2), Version::NONE, Version(1)];
    assert_eq!(scattered.versions, versions);
    assert_eq!(all(&bench).await, [1, 2, 3, 4, 5]);
    assert_eq!(
        bench.head("f s").await.map(|head| head.version),
        Some(Version(2))
    );
}

pub async fn a_repetition_does_not_move_the_head(place: &dyn Place) {
    let bench = Bench::new(place).await;
    append(&bench, known_by_id(&["f a"])).await;
    append(&bench, known_by_id(&["f b"])).await;
    let mut head = bench.log.head();
    assert_eq!(*head.borrow_and_update(), at(2));
    assert!(append(&bench, known_by_id(&["f a"])).await.is_repeat);
    assert_eq!(*head.borrow(), at(2));
}

pub async fn an_id_is_one_of_its_feed_source_and_subject(place: &dyn Place) {
    let bench = Bench::new(place).await;
    for (text, source) in [
        ("f a", None),
        ("g a", None),
        ("f b", None),
        ("f a", Some("/s")),
        ("f a", Some("/t")),
        ("f a 1", None),
        ("f a 2", None),
    ] {
        let batch = Batch::new(vec![record(text, source, "", None)], Vec::new());
        twice(&bench, batch.expect("a batch")).await;
    }
    assert_eq!(bench.log.bounds().last, at(7));
}

pub async fn what_bears_no_mark_is_never_a_repetition(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let unnamed = known_by_id(&["f -", "f -"]);
    for _ in 0..3 {
        assert!(!append(&bench, unnamed.clone()).await.is_repeat);
        bench.append(&["f a", "f a"]).await;
    }
    assert_eq!(bench.log.bounds().last, at(12));
}

pub async fn a_batch_of_which_some_is_known_is_refused_whole(place: &dyn Place) {
    let bench = Bench::new(place).await;
    append(&bench, known_by_id(&["f a", "f b"])).await;
    for batch in [
        &["f c", "f b", "f d", "f a"][..],
        &["f -", "f b", "f -", "f a"],
    ] {
        match bench.try_append(known_by_id(batch)).await {
            Err(AppendError::PartlyKnown { known }) => {
                assert_eq!(known, [(1, at(2)), (3, at(1))]);
            }
            other => panic!("it is partly known, not {other:?}"),
        }
    }
    assert_eq!(all(&bench).await, [1, 2]);
    assert!(!append(&bench, known_by_id(&["f c", "f d"])).await.is_repeat);
}

pub async fn a_key_is_of_one_batch(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let batch = |data| known_by_key("k", &["f - s", "f - s", "f named"], data);
    append(&bench, batch("x")).await;
    let again = append(&bench, batch("x")).await;
    assert!(again.is_repeat);
    assert_eq!((again.first, again.last), (at(1), at(3)));
    assert_eq!(again.versions, [Version(1), Version(1), Version::NONE]);
    for other in [
        batch("y"),
        known_by_key("k", &["f - s"], "x"),
        known_by_key("k", &["f - s", "f - s", "f -"], "x"),
        known_by_key("k", &["f - s", "f - r", "f named"], "x"),
        known_by_key("k", &["f - s", "f - s", "f other"], "x"),
    ] {
        match bench.try_append(other).await {
            Err(AppendError::KeyReused { first }) => assert_eq!(first, at(1)),
            other => panic!("the key is that of another batch, and not {other:?}"),
        }
    }
    // Another feed's requests have keys of their own, and so has another key.
    assert!(
        !append(&bench, known_by_key("k", &["g -"], "x"))
            .await
            .is_repeat
    );
    assert!(
        !append(&bench, known_by_key("l", &["f -"], "x"))
            .await
            .is_repeat
    );
    assert_eq!(all(&bench).await, [1, 2, 3, 4, 5]);
}

pub async fn an_unknown_key_leaves_ids_to_be_known(place: &dyn Place) {
    let bench = Bench::new(place).await;
    append(&bench, known_by_key("k", &["f a", "f b"], "")).await;
    assert!(
        append(&bench, known_by_key("l", &["f b", "f a"], ""))
            .await
            .is_repeat
    );
    assert!(append(&bench, known_by_id(&["f b"])).await.is_repeat);
}

pub async fn what_is_expected_of_a_repetition_was_expected_the_first_time(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let batch = expecting(&["f a s"], vec![version("f s", 0)]);
    twice(&bench, batch).await;
    let late = expecting(&["f b s"], vec![version("f s", 0)]);
    let refused = bench.try_append(late).await;
    assert!(
        matches!(refused, Err(AppendError::Conflict { .. })),
        "{refused:?}"
    );
}

pub async fn of_racing_repetitions_one_is_appended(place: &dyn Place) {
    let bench = Bench::new(place).await;
    for round in 0..20 {
        let mut racers = JoinSet::new();
        for racer in 0..8 {
            let log = Arc::clone(&bench.log);
            let texts = [format!("f {round} s"), format!("f {round}-b s")];
            let texts = texts.each_ref().map(String::as_str);
            let batch = if racer % 2 == 0 {
                known_by_id(&texts)
            } else {
                known_by_key(&round.to_string(), &texts, "")
            };
            racers.spawn(async move { log.append(batch, NOON).await });
        }
        let mut appended = 0;
        for outcome in racers.join_all().await {
            let outcome = outcome.expect("it is taken");
            assert_eq!(outcome.first, at(round * 2 + 1));
            // Who is told of it can read it.
            assert!(bench.log.bounds().last >= outcome.last);
            appended += usize::from(!outcome.is_repeat);
        }
        assert_eq!(appended, 1);
    }
}

pub async fn repetitions_are_known_after_reopening(place: &dyn Place) {
    let bench = Bench::new(place).await;
    append(&bench, known_by_id(&["f a", "f b"])).await;
    append(&bench, known_by_key("k", &["f -"], "")).await;
    let bench = bench.reopen().await;
    still_known(&bench).await;
}

pub async fn a_closed_engine_refuses_what_may_be_known(place: &dyn Place) {
    let bench = Bench::new(place).await;
    append(&bench, known_by_id(&["f a"])).await;
    // What is known may have to be looked for first.
    let bench = bench.reopen().await;
    bench.engine.close().await;
    for id in ["f a", "f b"] {
        let refused = bench.try_append(known_by_id(&[id])).await;
        assert!(matches!(refused, Err(AppendError::Closed)), "{refused:?}");
    }
}

pub async fn repetitions_are_known_after_a_crash(place: &dyn Place) {
    let bench = Bench::new(place).await;
    append(&bench, known_by_id(&["f a", "f b"])).await;
    append(&bench, known_by_key("k", &["f -"], "")).await;
    let bench = bench.crash().await;
    still_known(&bench).await;
}

async fn still_known(bench: &Bench<'_>) {
    let again = append(bench, known_by_key("k", &["f -"], "")).await;
    assert!(again.is_repeat);
    assert_eq!(again.first, at(3));
    let again = append(bench, known_by_id(&["f a", "f b"])).await;
    assert!(again.is_repeat);
    assert_eq!((again.first, again.last), (at(1), at(2)));
    assert!(!append(bench, known_by_id(&["f c"])).await.is_repeat);
}

fn erasure(about: &str, through: u64) -> Erasure {
    Erasure {
        feed: None,
        subject: Some(subject(about)),
        through: at(through),
    }
}

pub async fn what_a_batch_forgets_is_new_to_it(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let (batch, keyed) = (known_by_id(&["f a s"]), known_by_key("k", &["f - s"], ""));
    append(&bench, batch.clone()).await;
    append(&bench, keyed.clone()).await;
    for batch in [batch, keyed] {
        let other = batch.clone().forgetting(Arc::new(erasure("r", 2)));
        assert!(append(&bench, other).await.is_repeat);
        let batch = batch.forgetting(Arc::new(erasure("s", 2)));
        twice(&bench, batch).await;
    }
    bench
        .log
        .erase(&erasure("s", 2))
        .await
        .expect("it is erased");
    assert_eq!(all(&bench).await, [3, 4]);
}

pub async fn a_batch_of_which_some_was_erased_is_refused_whole(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let batches = [
        known_by_id(&["f a s", "f b t"]),
        known_by_key("k", &["f - s", "f - t"], ""),
    ];
    for batch in &batches {
        append(&bench, batch.clone()).await;
    }
    let hidden = erasure("t", 4);
    for first in [1, 3, 1, 3] {
        let batch = batches[first / 3].clone();
        let batch = batch.forgetting(Arc::new(hidden.clone()));
        match bench.try_append(batch).await {
            Err(AppendError::PartlyKnown { known }) => {
                assert_eq!(known, [(0, at(first as u64))]);
            }
            other => panic!("it is partly known, not {other:?}"),
        }
        bench.log.erase(&hidden).await.expect("it is erased");
    }
}

pub async fn what_was_trimmed_or_erased_is_no_longer_known(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let (batch, keyed) = (known_by_id(&["f a s"]), known_by_key("k", &["f - s"], ""));
    append(&bench, batch.clone()).await;
    append(&bench, keyed.clone()).await;
    bench
        .log
        .erase(&erasure("s", 2))
        .await
        .expect("it is erased");
    assert!(!append(&bench, batch.clone()).await.is_repeat);
    assert!(!append(&bench, keyed.clone()).await.is_repeat);
    assert!(append(&bench, batch.clone()).await.is_repeat);
    bench.trim_all().await;
    assert!(!append(&bench, batch).await.is_repeat);
    assert!(!append(&bench, keyed).await.is_repeat);
}
