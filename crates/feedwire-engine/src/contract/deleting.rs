//! What an engine promises of a project that is deleted.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::Place;
use super::fixture::{ALL, NOON, NOTHING, at, batch, feed, project, subject};
use crate::{
    AppendError, CreateError, DeleteError, Engine, Log, OpenError, Precondition, ReadError, Scope,
    Space, Unavailable, View, Write,
};

fn space(of: &str, name: &'static str) -> Space {
    Space {
        project: project(of),
        name,
    }
}

async fn put(engine: &dyn Engine, space: &Space, key: &'static [u8]) {
    let value = Bytes::from_static(b"v");
    let primary = engine.primary();
    let put = primary.put(space, key, value, Precondition::Any);
    put.await.expect("it is put");
}

async fn stored(engine: &dyn Engine, space: &Space) -> usize {
    let found = engine.primary().scan(space, b"", None, 100).await;
    found.expect("it is scanned").len()
}

async fn view(engine: &dyn Engine, of: &str) -> Arc<dyn View> {
    let view = engine.view(&project(of), "counts").await;
    view.expect("it opens")
}

async fn note(view: &dyn View, through: u64) -> Result<(), Unavailable> {
    let write = Write {
        key: Bytes::from_static(b"k"),
        value: Some(Bytes::from_static(b"v")),
    };
    view.apply(at(through), vec![write]).await
}

/// Makes the project `of` with something of every kind: two events with a mark, one of them trimmed, a view, two spaces.
async fn fill(engine: &dyn Engine, of: &str) -> Arc<dyn Log> {
    engine.create(&project(of)).await.expect("it is created");
    let log = engine.log(&project(of)).await.expect("it opens");
    for _ in 0..2 {
        let appended = log.append(batch(&["f t s"]), NOON).await;
        appended.expect("it is appended");
        if log.bounds().first == at(1) {
            let trimmed = log.trim(NOTHING, NOON, at(1)).await;
            trimmed.expect("it is trimmed");
        }
    }
    note(&*view(engine, of).await, 2)
        .await
        .expect("it is applied");
    put(engine, &space(of, "labels"), b"s").await;
    put(engine, &space(of, "retention"), b"log").await;
    log
}

/// Whether everything is there that [`fill`] has made.
async fn is_whole(engine: &dyn Engine, of: &str) -> bool {
    let log = engine.log(&project(of)).await.expect("it opens");
    let head = log.subject(&feed("f"), &subject("s")).await;
    let view = view(engine, of).await;
    head.expect("it is looked up")
        .is_some_and(|head| head.version.0 == 2)
        && log.bounds().last == at(2)
        && view.applied() == at(2)
        && stored(engine, &space(of, "labels")).await == 1
        && stored(engine, &space(of, "retention")).await == 1
}

async fn assert_new(engine: &dyn Engine, of: &str) {
    let log = engine.log(&project(of)).await.expect("it opens");
    assert_eq!((log.bounds().first, log.bounds().last), (at(1), at(0)));
    let read = log.read(&Scope::all(), at(0), ALL).await;
    assert!(read.expect("it is read").records.is_empty());
    let head = log.subject(&feed("f"), &subject("s")).await;
    assert_eq!(head.expect("it is looked up"), None);
    assert_eq!(log.trims().await.expect("they are told"), []);
    let view = view(engine, of).await;
    assert_eq!(view.applied(), at(0));
    assert_eq!(view.scan(b"", None, 9).await.expect("it is scanned"), []);
    for name in ["labels", "retention"] {
        assert_eq!(stored(engine, &space(of, name)).await, 0, "{name}");
    }
}

pub async fn a_deleted_project_is_gone_also_after_a_crash(place: &dyn Place) {
    let engine = place.open().await;
    drop(fill(&*engine, "p").await);
    engine.delete(&project("p")).await.expect("it is deleted");
    let gone = async |engine: &dyn Engine| {
        assert_eq!(engine.projects().await.expect("they are listed"), []);
        let log = engine.log(&project("p")).await;
        assert!(matches!(log, Err(OpenError::Unknown(_))), "{log:?}");
        let view = engine.view(&project("p"), "counts").await;
        assert!(matches!(view, Err(OpenError::Unknown(_))), "{view:?}");
        assert_eq!(stored(engine, &space("p", "labels")).await, 0);
    };
    gone(&*engine).await;
    place.crash(engine).await;
    gone(&*place.open().await).await;
}

pub async fn what_is_made_under_the_name_of_a_deleted_project_has_nothing_of_it(place: &dyn Place) {
    let engine = place.open().await;
    let log = fill(&*engine, "p").await;
    let old = log.bounds().incarnation;
    drop(log);
    engine.delete(&project("p")).await.expect("it is deleted");
    engine.create(&project("p")).await.expect("it is created");
    assert_new(&*engine, "p").await;
    place.crash(engine).await;
    let engine = place.open().await;
    assert_new(&*engine, "p").await;
    let log = engine.log(&project("p")).await.expect("it opens");
    assert_ne!(log.bounds().incarnation, old);
    let appended = log.append(batch(&["f t s"]), NOON).await;
    let appended = appended.expect("it is appended");
    assert_eq!((appended.first, appended.versions[0].0), (at(1), 1));
    assert!(!appended.is_repeat);
}

pub async fn other_projects_keep_everything(place: &dyn Place) {
    let others = ["A", "a-", "a.b", "a.b.c", "a0", "ab", "b", "_system"];
    let engine = place.open().await;
    for name in others {
        fill(&*engine, name).await;
    }
    fill(&*engine, "a").await;
    engine.delete(&project("a")).await.expect("it is deleted");
    for name in others {
        assert!(is_whole(&*engine, name).await, "{name}");
    }
    place.crash(engine).await;
    let engine = place.open().await;
    for name in others {
        let log = engine.log(&project(name)).await.expect("it opens");
        assert_eq!(log.bounds().last, at(2), "{name}");
        assert_eq!(stored(&*engine, &space(name, "labels")).await, 1, "{name}");
    }
}

pub async fn a_log_that_is_still_held_is_refused(place: &dyn Place) {
    let engine = place.open().await;
    let log = fill(&*engine, "p").await;
    engine.delete(&project("p")).await.expect("it is deleted");
    engine.create(&project("p")).await.expect("it is created");
    let append = log.append(batch(&["f t s"]), NOON).await;
    assert!(matches!(append, Err(AppendError::Closed)), "{append:?}");
    let read = log.read(&Scope::all(), at(1), ALL).await;
    assert!(matches!(read, Err(ReadError::Unavailable(_))), "{read:?}");
    let back = log.read_back(&Scope::all(), at(2), ALL).await;
    assert!(matches!(back, Err(ReadError::Unavailable(_))), "{back:?}");
    log.seek(NOON).await.expect_err("it is gone");
    let head = log.subject(&feed("f"), &subject("s")).await;
    head.expect_err("it is gone");
    assert_eq!(log.bounds().last, at(2));
    assert_new(&*engine, "p").await;
}

pub async fn a_view_that_is_still_held_is_not_that_of_the_next_project(place: &dyn Place) {
    let engine = place.open().await;
    let log = fill(&*engine, "p").await;
    let held = view(&*engine, "p").await;
    engine.delete(&project("p")).await.expect("it is deleted");
    engine.create(&project("p")).await.expect("it is created");
    // Refused or of no effect: what counts is what the next one has.
    drop(note(&*held, 2).await);
    drop(held.reset().await);
    assert_new(&*engine, "p").await;
    drop(log);
}

pub async fn an_unknown_project_is_not_deleted(place: &dyn Place) {
    let engine = place.open().await;
    fill(&*engine, "p").await;
    let unknown = engine.delete(&project("q")).await;
    assert!(matches!(unknown, Err(DeleteError::Unknown(name)) if name == project("q")));
    engine.delete(&project("p")).await.expect("it is deleted");
    let again = engine.delete(&project("p")).await;
    assert!(matches!(again, Err(DeleteError::Unknown(_))), "{again:?}");
    engine.close().await;
    let closed = engine.delete(&project("p")).await;
    closed.expect_err("the engine is closed");
}

pub async fn appends_race_a_deletion_and_are_answered(place: &dyn Place) {
    let engine = place.open().await;
    let log = fill(&*engine, "p").await;
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        let log = Arc::clone(&log);
        writers.spawn(async move {
            loop {
                match log.append(batch(&["f t s"]), NOON).await {
                    Ok(_) => {}
                    Err(AppendError::Closed) => return,
                    Err(other) => panic!("it was to be appended or refused, not {other:?}"),
                }
            }
        });
    }
    engine.delete(&project("p")).await.expect("it is deleted");
    writers.join_all().await;
    engine.create(&project("p")).await.expect("it is created");
    assert_new(&*engine, "p").await;
}

pub async fn deleting_and_creating_race_and_each_is_whole(place: &dyn Place) {
    let engine = place.open().await;
    let mut racers = JoinSet::new();
    for racer in 0..4 {
        let engine = Arc::clone(&engine);
        racers.spawn(async move {
            let mut done = 0_i64;
            for _ in 0..20 {
                if racer % 2 == 0 {
                    match engine.create(&project("p")).await {
                        Ok(()) => done += 1,
                        Err(CreateError::Exists(_)) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                } else {
                    match engine.delete(&project("p")).await {
                        Ok(()) => done -= 1,
                        Err(DeleteError::Unknown(_)) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
                match engine.log(&project("p")).await {
                    Ok(log) => assert_eq!(log.bounds().last, at(0)),
                    Err(OpenError::Unknown(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            done
        });
    }
    let left: i64 = racers.join_all().await.into_iter().sum();
    let there = engine.projects().await.expect("they are listed").len();
    assert_eq!(i64::try_from(there), Ok(left));
}
