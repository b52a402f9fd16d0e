//! What an engine promises of its projects.

use super::Place;
use super::fixture::{ALL, Bench, NOON, at, batch, project};
use crate::{CreateError, Engine, OpenError, Scope};

async fn names(engine: &dyn Engine) -> Vec<String> {
    let projects = engine.projects().await.expect("they are listed");
    projects.iter().map(ToString::to_string).collect()
}

pub async fn a_project_is_there_once_it_is_created(place: &dyn Place) {
    let engine = place.open().await;
    assert!(names(&*engine).await.is_empty());
    for name in ["b", "a", "c"] {
        engine.create(&project(name)).await.expect("it is created");
    }
    assert_eq!(names(&*engine).await, ["a", "b", "c"]);
    place.crash(engine).await;
    let engine = place.open().await;
    assert_eq!(names(&*engine).await, ["a", "b", "c"]);
    let log = engine.log(&project("b")).await.expect("it opens");
    assert_eq!(log.bounds().last, at(0));
}

pub async fn a_project_is_created_once(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s"]).await;
    let again = bench.engine.create(&project("p")).await;
    assert!(matches!(again, Err(CreateError::Exists(name)) if name == project("p")));
    let bench = bench.reopen().await;
    let again = bench.engine.create(&project("p")).await;
    assert!(matches!(again, Err(CreateError::Exists(_))));
    assert_eq!(bench.read(&Scope::all()).await.len(), 1);
}

pub async fn projects_whose_names_differ_only_a_little_are_apart(place: &dyn Place) {
    let longest = "x".repeat(feedwire_event::limits::NAME_BYTES_MAX);
    let all = [
        "A", "CON", "a", "a-", "a.", "a..b", "a.b", "aA", "a_b", "log", &longest,
    ];
    let engine = place.open().await;
    for name in all {
        engine.create(&project(name)).await.expect("it is created");
        let log = engine.log(&project(name)).await.expect("it opens");
        let text = format!("f t {name}");
        let appended = log.append(batch(&[&text]), NOON).await;
        assert_eq!(appended.expect("it is appended").first, at(1));
    }
    engine.close().await;
    drop(engine);
    let engine = place.open().await;
    assert_eq!(names(&*engine).await, all);
    for name in all {
        let log = engine.log(&project(name)).await.expect("it opens");
        let chunk = log.read(&Scope::all(), at(0), ALL).await;
        let records = chunk.expect("it is read").records;
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].subject(), Some(name));
    }
}

pub async fn an_unknown_project_has_neither_log_nor_view(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let unknown = project("q");
    let log = bench.engine.log(&unknown).await;
    assert!(matches!(log, Err(OpenError::Unknown(name)) if name == unknown));
    let view = bench.engine.view(&unknown, "counts").await;
    assert!(matches!(view, Err(OpenError::Unknown(name)) if name == unknown));
    assert_eq!(names(&*bench.engine).await, ["p"]);
}

pub async fn a_log_is_shared(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let other = bench.engine.log(&project("p")).await.expect("it opens");
    let mut head = other.head();
    bench.append(&["f t s"]).await;
    assert_eq!(*head.borrow_and_update(), at(1));
    assert_eq!(other.bounds(), bench.log.bounds());
}

pub async fn an_incarnation_is_the_logs_own_and_lasts(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench
        .engine
        .create(&project("q"))
        .await
        .expect("it is created");
    let other = bench.engine.log(&project("q")).await.expect("it opens");
    let own = bench.log.bounds().incarnation;
    assert_ne!(other.bounds().incarnation, own);
    drop(other);
    let bench = bench.reopen().await;
    assert_eq!(bench.log.bounds().incarnation, own);
}

pub async fn a_released_project_is_opened_again_with_all_it_had(place: &dyn Place) {
    let Bench { engine, log, .. } = Bench::new(place).await;
    let appended = log.append(batch(&["f t s"]), NOON).await;
    appended.expect("it is appended");
    let bounds = log.bounds();
    drop(log);
    assert!(engine.release(&project("p")).await);
    assert!(engine.release(&project("p")).await, "it is closed already");
    assert!(engine.release(&project("unknown")).await);
    assert_eq!(names(&*engine).await, ["p"]);
    let log = engine.log(&project("p")).await.expect("it opens again");
    assert_eq!(log.bounds(), bounds);
    let appended = log.append(batch(&["f t s"]), NOON).await;
    assert_eq!(appended.expect("it is appended").versions[0].0, 2);
}

pub async fn a_log_that_is_held_is_not_released(place: &dyn Place) {
    let bench = Bench::new(place).await;
    assert!(!bench.engine.release(&project("p")).await);
    bench.append(&["f t s"]).await;
    assert_eq!(bench.read(&Scope::all()).await.len(), 1);
}
