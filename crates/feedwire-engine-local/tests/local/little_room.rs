//! What is still done while the disk has little room: where so much of it has to stay free that there is none, or is none beyond
//! what the store holds in reserve.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use feedwire_engine::{
    AppendError, Batch, Engine, Erasure, Log, MinFree, NewRecord, Precondition, Retention, Space,
    Write,
};
use feedwire_engine_local::{Local, Options};
use feedwire_event::{FeedName, Position, ProjectName, Subject, Timestamp, TypeName};

use crate::folder;

fn project() -> ProjectName {
    ProjectName::new("p").expect("a name")
}

fn batch(subject: &str) -> Batch {
    let record = NewRecord {
        feed: FeedName::new("f").expect("a name"),
        ty: TypeName::new("t").expect("a name"),
        subject: Some(Subject::new(subject).expect("a subject")),
        time: None,
        payload: Bytes::from_static(&[b'x'; 1_000]),
    };
    Batch::new(vec![record], Vec::new()).expect("a batch")
}

async fn append(log: &Arc<dyn Log>, subject: &str) -> Result<Position, AppendError> {
    let appended = log.append(batch(subject), Timestamp::from_micros(0)).await;
    appended.map(|appended| appended.last)
}

/// More than is free, however much others let go of meanwhile.
fn more_than_is_free(folder: &Path) -> u64 {
    let disk = rustix::fs::statvfs(folder).expect("it is there");
    disk.f_bavail * disk.f_frsize * 2
}

#[tokio::test]
async fn where_no_event_is_taken_changes_are_stored_and_put_on_record() {
    let place = tempfile::tempdir().expect("a folder");
    let full = Options {
        min_free_bytes: more_than_is_free(place.path()),
        ..folder::options()
    };
    let engine = Local::open(place.path(), full).expect("it opens");
    for name in [project(), ProjectName::system()] {
        engine.create(&name).await.expect("a project takes little");
    }
    let log = engine.log(&project()).await.expect("it opens");
    let refused = append(&log, "s").await;
    let needed = MinFree(Some(full.min_free_bytes));
    assert!(
        matches!(refused, Err(AppendError::NoSpace(told)) if told == needed),
        "{refused:?}"
    );
    let audit = engine.log(&ProjectName::system()).await;
    let recorded = append(&audit.expect("it opens"), "s").await;
    recorded.expect("it has to leave less");
    let space = Space {
        project: project(),
        name: "labels",
    };
    let value = Bytes::from_static(b"v");
    let put = engine.primary();
    let put = put.put(&space, b"k", value, Precondition::Absent).await;
    put.expect("the store has its room");
    drop(log);
    engine.close().await;
    drop(engine);

    let engine = Local::open(place.path(), folder::options()).expect("it opens");
    let log = engine.log(&project()).await.expect("it opens");
    let appended = append(&log, "s").await.expect("there is room");
    assert_eq!(appended.get(), 1, "what was refused used no position");
}

#[tokio::test]
async fn out_of_its_reserve_the_store_writes_what_it_takes_to_trim_and_to_erase() {
    let place = tempfile::tempdir().expect("a folder");
    let engine = Local::open(place.path(), folder::options()).expect("it opens");
    engine.create(&project()).await.expect("it is created");
    engine.close().await;
    drop(engine);

    let full = Options {
        store_reserve_bytes: more_than_is_free(place.path()),
        ..folder::options()
    };
    let engine = Local::open(place.path(), full).expect("it opens");
    let log = engine.log(&project()).await.expect("it opens");
    let mut head = Position::ZERO;
    for number in 0..100 {
        let subject = (number % 10).to_string();
        head = append(&log, &subject).await.expect("the log has room");
    }
    let counted = Write {
        key: Bytes::from_static(b"k"),
        value: Some(Bytes::from_static(b"v")),
    };
    let view = engine.view(&project(), "counts").await.expect("it opens");
    let applied = view.apply(head, vec![counted]).await;
    applied.expect("what is trimmed has to be counted");

    let erasure = Erasure {
        feed: None,
        subject: Subject::new("0").ok(),
        through: head,
    };
    assert_eq!(log.erase(&erasure).await.expect("it is erased"), 10);
    let nothing = Retention {
        bytes: Some(0),
        ..Retention::default()
    };
    let first = log.trim(nothing, Timestamp::from_micros(0), head).await;
    assert_eq!(first.expect("it is trimmed"), head.next());
}

/// How far the heads of the project in `folder` are in its store, told by what can be trimmed of it where nothing more is stored.
async fn stored_through(folder: &Path) -> u64 {
    let full = Options {
        store_reserve_bytes: more_than_is_free(folder) * 4,
        ..folder::options()
    };
    let engine = Local::open(folder, full).expect("it opens");
    let log = engine.log(&project()).await.expect("it opens");
    let nothing = Retention {
        bytes: Some(0),
        ..Retention::default()
    };
    let all = log.bounds().last;
    let first = log.trim(nothing, Timestamp::from_micros(0), all).await;
    drop(log);
    engine.close().await;
    first.expect("what can be trimmed is").get() - 1
}

#[tokio::test]
async fn heads_are_stored_out_of_the_reserve_when_a_log_is_closed_and_when_it_is_opened() {
    let place = tempfile::tempdir().expect("a folder");
    let little = Options {
        store_reserve_bytes: more_than_is_free(place.path()),
        ..folder::options()
    };
    let engine = Local::open(place.path(), little).expect("it opens");
    engine.create(&project()).await.expect("it takes little");
    let log = engine.log(&project()).await.expect("it opens");
    append(&log, "s").await.expect("the log has room");
    let killed = tempfile::tempdir().expect("a folder");
    folder::copy(place.path(), killed.path()).expect("it is copied");
    let untouched = tempfile::tempdir().expect("a folder");
    folder::copy(place.path(), untouched.path()).expect("it is copied");
    drop(log);
    engine.close().await;
    drop(engine);
    assert_eq!(stored_through(untouched.path()).await, 0);
    assert_eq!(stored_through(place.path()).await, 1, "it was closed");

    let engine = Local::open(killed.path(), little).expect("it opens");
    let log = engine.log(&project()).await.expect("it opens");
    let opened = tempfile::tempdir().expect("a folder");
    folder::copy(killed.path(), opened.path()).expect("it is copied");
    drop(log);
    drop(engine);
    assert_eq!(stored_through(opened.path()).await, 1, "it was opened");
}
