//! What the embedded engine refuses: a second process, too many projects, a store without room.

use bytes::Bytes;
use feedwire_engine::{Engine, OpenError, Precondition, PutError, Space};
use feedwire_engine_local::{Error, Local, Options};
use feedwire_event::ProjectName;

use crate::folder;

fn project(name: &str) -> ProjectName {
    ProjectName::new(name).expect("a name")
}

#[tokio::test]
async fn a_second_engine_on_a_folder_is_refused() {
    let place = tempfile::tempdir().expect("a folder");
    let engine = Local::open(place.path(), folder::options()).expect("it opens");
    let second = Local::open(place.path(), folder::options());
    let error = second.expect_err("it is open");
    assert!(matches!(error, Error::InUse(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("open in another process"), "{text}");
    engine.close().await;
    // Who still holds a part of the first does not keep the second out.
    let _primary = engine.primary();
    Local::open(place.path(), folder::options()).expect("it opens again");
}

#[tokio::test]
async fn idle_projects_make_room_for_others_and_used_ones_do_not() {
    let place = tempfile::tempdir().expect("a folder");
    let options = Options {
        projects_open_max: 2,
        ..folder::options()
    };
    let engine = Local::open(place.path(), options).expect("it opens");
    for name in ["a", "b", "c"] {
        engine.create(&project(name)).await.expect("it is created");
        engine.log(&project(name)).await.expect("another is idle");
    }
    let a = engine.log(&project("a")).await.expect("another is idle");
    let b = engine
        .view(&project("b"), "counts")
        .await
        .expect("another is idle");
    let full = engine.log(&project("c")).await;
    let Err(OpenError::Unavailable(full)) = full else {
        panic!("{full:?}");
    };
    assert!(
        full.0.to_string().starts_with("2 projects are open"),
        "{full:?}"
    );
    engine.log(&project("a")).await.expect("it is open");
    drop(b);
    engine.log(&project("c")).await.expect("b is idle");
    drop(a);
}

#[tokio::test]
async fn a_project_of_which_a_view_is_held_is_not_released() {
    let place = tempfile::tempdir().expect("a folder");
    let engine = Local::open(place.path(), folder::options()).expect("it opens");
    engine.create(&project("p")).await.expect("it is created");
    let view = engine.view(&project("p"), "counts").await;
    let view = view.expect("it opens");
    assert!(!engine.release(&project("p")).await);
    view.apply(view.applied(), Vec::new())
        .await
        .expect("it is open");
    drop(view);
    assert!(engine.release(&project("p")).await);
}

#[tokio::test]
async fn a_store_without_room_refuses_changes_and_goes_on_when_there_is_room() {
    let place = tempfile::tempdir().expect("a folder");
    let full = Options {
        store_reserve_bytes: u64::MAX,
        ..folder::options()
    };
    let space = Space {
        project: project("p"),
        name: "labels",
    };
    let engine = Local::open(place.path(), folder::options()).expect("it opens");
    let primary = engine.primary();
    let value = Bytes::from_static(b"v");
    let put = primary.put(&space, b"k", value.clone(), Precondition::Absent);
    put.await.expect("there is room");
    engine.close().await;
    drop((engine, primary));

    let engine = Local::open(place.path(), full).expect("it opens");
    let primary = engine.primary();
    let refused = primary.put(&space, b"l", value.clone(), Precondition::Absent);
    let refused = refused.await;
    assert!(matches!(refused, Err(PutError::NoSpace(_))), "{refused:?}");
    let entry = primary.get(&space, b"k").await.expect("it is read");
    assert_eq!(entry.map(|entry| entry.value), Some(value.clone()));
    engine.close().await;
    drop((engine, primary));

    let engine = Local::open(place.path(), folder::options()).expect("it opens");
    let put = engine.primary();
    let put = put.put(&space, b"l", value, Precondition::Absent).await;
    put.expect("there is room again");
}

#[tokio::test]
async fn what_lets_go_and_what_is_the_servers_own_is_written_out_of_the_reserve() {
    let place = tempfile::tempdir().expect("a folder");
    let engine = Local::open(place.path(), folder::options()).expect("it opens");
    let primary = engine.primary();
    let space = |project| Space {
        project,
        name: "labels",
    };
    let (theirs, own) = (space(project("p")), space(ProjectName::system()));
    let value = Bytes::from_static(b"v");
    let put = primary.put(&theirs, b"k", value.clone(), Precondition::Absent);
    put.await.expect("there is room");
    engine.close().await;
    drop((engine, primary));

    let disk = rustix::fs::statvfs(place.path()).expect("it is there");
    let full = Options {
        store_reserve_bytes: disk.f_bavail * disk.f_frsize * 2,
        ..folder::options()
    };
    let engine = Local::open(place.path(), full).expect("it opens");
    let primary = engine.primary();
    // All at once, so that they would be of one group.
    let retention = Space {
        name: Space::RETENTION,
        ..theirs.clone()
    };
    let (refused, removed, kept, let_go) = tokio::join!(
        primary.put(&theirs, b"l", value.clone(), Precondition::Absent),
        primary.delete(&theirs, b"k", Precondition::Any),
        primary.put(&own, b"k", value.clone(), Precondition::Absent),
        primary.put(&retention, b"k", value.clone(), Precondition::Absent),
    );
    assert!(matches!(refused, Err(PutError::NoSpace(_))), "{refused:?}");
    removed.expect("it lets go");
    kept.expect("it is the server's own");
    let_go.expect("it makes room");
    let entry = primary.get(&theirs, b"k").await.expect("it is read");
    assert_eq!(entry, None);
}
