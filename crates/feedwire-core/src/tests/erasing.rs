//! Erasing subjects and feeds.

use std::sync::Arc;

use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_engine::{Appended, Batch, Engine, Erasure, NewRecord, Scope};
use feedwire_event::{
    Attribute, Event, EventId, Extensions, FeedName, Labels, Position, ProjectName, Subject,
    Timestamp, TypeName, payload,
};

use super::world::{EVERYTHING, World, filter, next};
use crate::limits::TAIL_BYTES_MAX;
use crate::project::Project;
use crate::{Receipt, Start};

async fn erase(world: &World, feed: Option<&str>, subject: Option<&str>) -> Receipt {
    let feed = feed.map(|feed| FeedName::new(feed).expect("a name"));
    let subject = subject.map(|subject| Subject::new(subject).expect("a subject"));
    world
        .core
        .erase(&world.grant, feed, subject)
        .await
        .expect("asked")
}

/// The receipt, once what it is about is gone from disk.
async fn erased(world: &World, asked: &Receipt) -> Receipt {
    loop {
        let receipt = world
            .core
            .erasure(&world.grant, &asked.id)
            .await
            .expect("the store");
        let receipt = receipt.expect("a receipt");
        if receipt.erased.is_some() {
            return receipt;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_erased_is_hidden_from_readers_of_the_log_and_of_the_tail_at_once() {
    let world = World::new().await;
    let mut tail = world
        .follow(Start::Now, filter(""))
        .await
        .expect("a reader");
    world.publish(&["a/x/1", "b/x/1", "a/x/2", "a/x"]).await;
    erase(&world, Some("a"), Some("1")).await;
    let mut log = world
        .follow(Start::Beginning, filter(""))
        .await
        .expect("a reader");
    assert_eq!(next(&mut log, EVERYTHING).await, [2, 3, 4]);
    assert_eq!(next(&mut tail, EVERYTHING).await, [2, 3, 4]);
}

#[tokio::test]
async fn a_subject_can_come_again_after_it_was_erased() {
    let world = World::new().await;
    world.publish(&["a/x/1", "b/x/1"]).await;
    erase(&world, None, Some("1")).await;
    let version = world.publish(&["a/x/1"]).await.versions[0];
    assert_eq!(version.0, 2, "versions stay as they are");
    let mut reader = world
        .follow(Start::Beginning, filter(""))
        .await
        .expect("a reader");
    assert_eq!(next(&mut reader, EVERYTHING).await, [3]);
}

/// Appends an event of feed `a` that is known by `id`.
async fn append(project: &Project, id: &str, about: &Subject) -> Appended {
    let event = Event {
        id: Some(EventId::new(id).expect("an id")),
        source: None,
        ty: TypeName::new("x").expect("a name"),
        subject: Some(about.clone()),
        time: None,
        extensions: Extensions::default(),
        data: None,
    };
    let marks = payload::Marks {
        id: true,
        key: None,
    };
    let record = NewRecord {
        feed: FeedName::new("a").expect("a name"),
        ty: event.ty.clone(),
        subject: event.subject.clone(),
        time: None,
        payload: payload::encode(&event, marks, || unreachable!("it has an id")),
    };
    let batch = Batch::new(vec![record], Vec::new()).expect("a batch");
    let appended = project.append(batch, Timestamp::default()).await;
    appended.expect("appended")
}

#[tokio::test]
async fn what_is_hidden_and_not_erased_yet_is_new_when_it_comes_again() {
    let engine = Memory::new();
    let name = ProjectName::new("default").expect("a name");
    engine.create(&name).await.expect("created");
    // Alone: nothing that is hidden is ever erased.
    let project = Project::open(&engine, &name, TAIL_BYTES_MAX).await;
    let project = project.expect("opened");
    let [gone, kept] = ["1", "2"].map(|subject| Subject::new(subject).expect("a subject"));
    append(&project, "i", &gone).await;
    append(&project, "j", &kept).await;
    let asked = Receipt {
        id: EventId::new("e").expect("an id"),
        erasure: Erasure {
            feed: None,
            subject: Some(gone.clone()),
            through: project.log().bounds().last,
        },
        asked_at: Timestamp::default(),
        erased: None,
    };
    project.ask_to_erase(asked).await.expect("hidden");
    let again = append(&project, "i", &gone).await;
    assert_eq!((again.is_repeat, again.first.get()), (false, 3));
    let once_more = append(&project, "i", &gone).await;
    assert_eq!((once_more.is_repeat, once_more.first.get()), (true, 3));
    assert!(append(&project, "j", &kept).await.is_repeat);
}

#[tokio::test]
async fn the_receipt_says_when_it_is_gone_from_disk() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    world.publish(&["a/x/1", "a/x/2", "a/y/1"]).await;
    world.clock.set(7);
    let asked = erase(&world, Some("a"), None).await;
    let receipt = erased(&world, &asked).await;
    assert_eq!(receipt.erased, Some((crate::Clock::now(&*world.clock), 3)));
    let log = engine.log(world.grant.project()).await.expect("a log");
    let left = log
        .read(&Scope::all(), Position::ZERO, EVERYTHING)
        .await
        .expect("read")
        .records;
    assert_eq!(left, []);
}

#[tokio::test]
async fn an_erasure_that_was_asked_for_is_carried_out_after_a_restart() {
    let place = Place::new(Options::default());
    let world = World::over(Arc::new(Memory::open(&place).expect("nobody else")), 1).await;
    world.publish(&["a/x/1", "a/x/2"]).await;
    // The task that carries out has not had its turn when the server stops.
    let asked = erase(&world, None, Some("1")).await;
    world.core.close().await;
    let world = World::over(Arc::new(Memory::open(&place).expect("nobody else")), 1).await;
    let mut reader = world
        .follow(Start::Beginning, filter(""))
        .await
        .expect("a reader");
    assert_eq!(next(&mut reader, EVERYTHING).await, [2]);
    assert_eq!(
        erased(&world, &asked)
            .await
            .erased
            .map(|(_, events)| events),
        Some(1)
    );
}

#[tokio::test]
async fn erasing_a_subject_everywhere_takes_its_labels() {
    let world = World::new().await;
    let subject = Subject::new("1").expect("a subject");
    let labels = [("room".to_owned(), "lobby".to_owned())].into();
    let labels = Labels::new(labels).expect("labels");
    world
        .core
        .set_labels(&world.grant, subject.clone(), labels, None)
        .await
        .expect("set");
    erase(&world, None, Some("1")).await;
    assert!(
        world
            .core
            .labels(&world.grant, &subject)
            .await
            .expect("labels")
            .is_empty()
    );
}
