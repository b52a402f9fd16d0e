//! Heads and views whose store was changed behind the engine's back, or is a part of the way behind.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use feedwire_engine::{
    AppendError, Batch, Engine, Expectation, Expected, Head, Log, NewRecord, Write,
};
use feedwire_engine_local::{Local, Options};
use feedwire_event::{FeedName, Position, ProjectName, Subject, Timestamp, TypeName, Version};

use crate::folder;

fn project() -> ProjectName {
    ProjectName::new("p").expect("a name")
}

fn feed() -> FeedName {
    FeedName::new("f").expect("a name")
}

fn subject(name: &str) -> Subject {
    Subject::new(name).expect("a subject")
}

fn at(position: u64) -> Position {
    Position::new(position).expect("a position")
}

fn batch(subjects: &[&str], expected: Option<u64>) -> Batch {
    let record = |name: &&str| NewRecord {
        feed: feed(),
        ty: TypeName::new("t").expect("a name"),
        subject: Some(subject(name)),
        time: None,
        payload: Bytes::new(),
    };
    let expectation = |version| Expectation {
        feed: feed(),
        subject: subject(subjects[0]),
        expected: Expected::Version(Version(version)),
    };
    let expectations = expected.map(expectation).into_iter().collect();
    let records = subjects.iter().map(record).collect();
    Batch::new(records, expectations).expect("a batch")
}

async fn append(log: &dyn Log, subjects: &[&str]) {
    let appended = log
        .append(batch(subjects, None), Timestamp::from_micros(0))
        .await;
    appended.expect("it is appended");
}

async fn open(folder: &Path, options: Options) -> (Local, Arc<dyn Log>) {
    let engine = Local::open(folder, options).expect("it opens");
    let log = engine.log(&project()).await.expect("it opens");
    (engine, log)
}

/// An engine with a project of three batches: `s` has had three, `r` one.
async fn filled(folder: &Path) -> (Local, Arc<dyn Log>) {
    let engine = Local::open(folder, folder::options()).expect("it opens");
    engine.create(&project()).await.expect("it is created");
    let log = engine.log(&project()).await.expect("it opens");
    append(&*log, &["s", "r"]).await;
    append(&*log, &["s"]).await;
    append(&*log, &["s", "s"]).await;
    (engine, log)
}

async fn check(log: &dyn Log, name: &str, expected: Option<(u64, u64)>) {
    let head = log.subject(&feed(), &subject(name)).await;
    let head = head.expect("it is looked up");
    let expected = expected.map(|(version, position)| Head {
        version: Version(version),
        position: at(position),
    });
    assert_eq!(head, expected, "{name}");
    let version = expected.map_or(0, |head| head.version.0);
    let wrong = batch(&[name], Some(version + 1));
    let refused = log.append(wrong, Timestamp::from_micros(0)).await;
    match refused {
        Err(AppendError::Conflict { head, .. }) => assert_eq!(head, expected),
        other => panic!("a conflict was expected, not {other:?}"),
    }
}

#[tokio::test]
async fn heads_are_made_again_when_the_store_was_deleted() {
    let place = tempfile::tempdir().expect("a folder");
    let (engine, log) = filled(place.path()).await;
    drop(log);
    engine.close().await;
    fs::remove_dir_all(place.path().join("store")).expect("it is removed");
    let (_engine, log) = open(place.path(), folder::options()).await;
    check(&*log, "s", Some((3, 5))).await;
    check(&*log, "r", Some((1, 2))).await;
    check(&*log, "q", None).await;
}

#[tokio::test]
async fn an_older_store_is_brought_up_to_the_log() {
    let place = tempfile::tempdir().expect("a folder");
    let older = tempfile::tempdir().expect("a folder");
    let store = place.path().join("store");
    let (engine, log) = filled(place.path()).await;
    let view = engine.view(&project(), "counts").await.expect("it opens");
    let write = |value: &'static str| Write {
        key: Bytes::from_static(b"k"),
        value: Some(Bytes::from_static(value.as_bytes())),
    };
    view.apply(at(2), vec![write("two")])
        .await
        .expect("it is applied");
    drop((view, log));
    engine.close().await;
    drop(engine);
    folder::copy(&store, older.path()).expect("it is copied");

    let (engine, log) = open(place.path(), folder::options()).await;
    append(&*log, &["s", "q"]).await;
    let view = engine.view(&project(), "counts").await.expect("it opens");
    view.apply(at(7), vec![write("seven")])
        .await
        .expect("it is applied");
    drop((view, log));
    engine.close().await;
    drop(engine);
    fs::remove_dir_all(&store).expect("it is removed");
    folder::copy(older.path(), &store).expect("it is put back");

    let (engine, log) = open(place.path(), folder::options()).await;
    check(&*log, "s", Some((4, 6))).await;
    check(&*log, "q", Some((1, 7))).await;
    check(&*log, "r", Some((1, 2))).await;
    let view = engine.view(&project(), "counts").await.expect("it opens");
    assert_eq!(view.applied(), at(2));
    let value = view.get(b"k").await.expect("it is read");
    assert_eq!(value.as_deref(), Some(&b"two"[..]));
}

#[tokio::test]
async fn what_is_ahead_of_the_log_is_emptied() {
    let place = tempfile::tempdir().expect("a folder");
    let older = tempfile::tempdir().expect("a folder");
    let logs = place.path().join("projects");
    let (engine, log) = filled(place.path()).await;
    drop(log);
    engine.close().await;
    drop(engine);
    folder::copy(&logs, older.path()).expect("it is copied");

    let (engine, log) = open(place.path(), folder::options()).await;
    append(&*log, &["s", "q"]).await;
    let view = engine.view(&project(), "counts").await.expect("it opens");
    let write = Write {
        key: Bytes::from_static(b"k"),
        value: Some(Bytes::new()),
    };
    view.apply(at(7), vec![write]).await.expect("it is applied");
    drop((view, log));
    engine.close().await;
    drop(engine);
    fs::remove_dir_all(&logs).expect("it is removed");
    folder::copy(older.path(), &logs).expect("it is put back");

    let (engine, log) = open(place.path(), folder::options()).await;
    assert_eq!(log.bounds().last, at(5));
    check(&*log, "s", Some((3, 5))).await;
    check(&*log, "q", None).await;
    let view = engine.view(&project(), "counts").await.expect("it opens");
    assert_eq!(view.applied(), Position::ZERO);
    assert!(
        view.scan(b"", None, 10)
            .await
            .expect("it is scanned")
            .is_empty()
    );
}

/// A cache of next to nothing: nearly every head comes from the store, or is not there yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_are_right_with_more_subjects_than_are_cached() {
    let place = tempfile::tempdir().expect("a folder");
    let options = Options {
        heads_cached_max: 32,
        ..folder::options()
    };
    let engine = Local::open(place.path(), options).expect("it opens");
    engine.create(&project()).await.expect("it is created");
    let names: Vec<String> = (0..300).map(|number| format!("s{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut log = engine.log(&project()).await.expect("it opens");
    for round in 1..=6 {
        for some in names.chunks(50) {
            let appended = log.append(batch(some, Some(round - 1)), Timestamp::from_micros(0));
            let appended = appended.await.expect("it is as expected");
            assert!(
                appended.versions.iter().all(|v| *v == Version(round)),
                "{appended:?}"
            );
        }
        if round % 2 == 0 {
            // Trimming applies all heads, so that the cache may drop them.
            let all = log.bounds().last;
            let keep = feedwire_engine::Retention::default();
            let trimmed = log.trim(keep, Timestamp::from_micros(0), all).await;
            trimmed.expect("it is trimmed");
        }
    }
    drop(log);
    engine.close().await;
    drop(engine);
    let (_engine, reopened) = open(place.path(), options).await;
    log = reopened;
    check(&*log, "s0", Some((6, 1_501))).await;
    check(&*log, "s299", Some((6, 1_800))).await;
    check(&*log, "s300", None).await;
}
