//! Erasing subjects and feeds.

use std::sync::Arc;

use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_engine::{Appended, Batch, Engine, NewRecord, Scope};
use feedwire_event::{
    Attribute, Event, EventId, Extensions, FeedName, Labels, Position, ProjectName, Subject,
    Timestamp, TypeName, payload,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::world::{EVERYTHING, Hands, World, filter, next};
use crate::erasure::Asked;
use crate::limits::TAIL_BYTES_MAX;
use crate::project::Project;
use crate::{Receipt, Start};

pub(super) async fn erase(world: &World, feed: Option<&str>, subject: Option<&str>) -> Receipt {
    let feed = feed.map(|feed| FeedName::new(feed).expect("a name"));
    let subject = subject.map(|subject| Subject::new(subject).expect("a subject"));
    world
        .core
        .erase(&world.grant, feed, subject)
        .await
        .expect("asked")
}

/// The receipt, once what it is about is gone from disk.
pub(super) async fn erased(world: &World, asked: &Receipt) -> Receipt {
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
    assert_eq!(version.0, 1, "it begins anew");
    let mut reader = world
        .follow(Start::Beginning, filter(""))
        .await
        .expect("a reader");
    assert_eq!(next(&mut reader, EVERYTHING).await, [3]);
}

/// Appends an event of feed `a` that is known by `id`.
pub(super) async fn append(project: &Project, id: &str, about: &Subject) -> Appended {
    let event = Event {
        id: Some(EventId::new(id).expect("an id")),
        source: None,
        ty: TypeName::new("x").expect("a name"),
        subject: Some(about.clone()),
        time: None,
        live_only: false,
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
    // It is followed and not kept: nothing that is hidden is ever erased.
    let project = Project::open(&engine, &name, Arc::new(Hands::default()), TAIL_BYTES_MAX).await;
    let project = Arc::new(project.expect("opened"));
    let followed = Arc::clone(&project);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { followed.follow_log(CancellationToken::new()).await });
    let [gone, kept] = ["1", "2"].map(|subject| Subject::new(subject).expect("a subject"));
    append(&project, "i", &gone).await;
    append(&project, "j", &kept).await;
    let asked = Asked {
        id: EventId::new("e").expect("an id"),
        feed: None,
        subject: Some(gone.clone()),
        at: Timestamp::default(),
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

/// What is left of each feed: events, runs and subjects.
pub(super) async fn left(world: &World) -> Vec<(String, [u64; 3])> {
    let feeds = world.core.feeds(&world.grant).await.expect("feeds").feeds;
    let left = feeds.into_iter().map(|count| {
        let left = count.left();
        let left = [left.events, left.runs, left.subjects];
        (count.name.to_string(), left)
    });
    left.collect()
}

#[tokio::test]
async fn what_is_erased_is_counted_at_once_and_after_a_restart() {
    let place = Place::new(Options::default());
    let open = async || World::over(Arc::new(Memory::open(&place).expect("nobody else")), 1).await;
    let world = open().await;
    world.publish(&["a/x/1", "a/x/1", "a/x/2", "b/x/1"]).await;
    world.publish(&["a/x/1", "a/x/2"]).await;
    let check = async |world: &World, a, b| {
        let expected = [("a".to_owned(), a), ("b".to_owned(), b)];
        assert_eq!(left(world).await, expected);
    };
    check(&world, [5, 4, 2], [1, 1, 1]).await;
    erase(&world, Some("a"), Some("1")).await;
    check(&world, [2, 2, 1], [1, 1, 1]).await;
    erase(&world, Some("a"), Some("1")).await;
    check(&world, [2, 2, 1], [1, 1, 1]).await;
    world.publish(&["a/x/1"]).await;
    check(&world, [3, 3, 2], [1, 1, 1]).await;
    let asked = erase(&world, None, Some("1")).await;
    check(&world, [2, 2, 1], [0, 0, 0]).await;
    erased(&world, &asked).await;
    check(&world, [2, 2, 1], [0, 0, 0]).await;
    world.core.close().await;
    let world = open().await;
    check(&world, [2, 2, 1], [0, 0, 0]).await;
    world.publish(&["a/x/3", "a/x"]).await;
    check(&world, [4, 4, 2], [0, 0, 0]).await;
    erase(&world, Some("a"), None).await;
    check(&world, [0, 0, 0], [0, 0, 0]).await;
    world.publish(&["a/x/2"]).await;
    check(&world, [1, 1, 1], [0, 0, 0]).await;
}

#[tokio::test]
async fn a_feed_that_is_erased_has_its_subjects_begin_anew_and_lists_none() {
    let place = Place::new(Options::default());
    let open = async || World::over(Arc::new(Memory::open(&place).expect("nobody else")), 1).await;
    let world = open().await;
    world.publish(&["a/x/1", "a/x/2", "b/x/1"]).await;
    let names = async |world: &World, feed: &str| {
        let feed = FeedName::new(feed).expect("a name");
        let listing = world.core.subjects(&world.grant, &feed, 0, 9).await;
        let subjects = listing.expect("listed").subjects.into_iter();
        let told = subjects.map(|one| (one.name.to_string(), one.head.version.0));
        told.collect::<Vec<_>>()
    };
    let asked = erase(&world, Some("a"), None).await;
    assert_eq!(names(&world, "a").await, []);
    let versions = world.publish(&["a/x/1", "b/x/1"]).await.versions;
    assert_eq!([versions[0].0, versions[1].0], [1, 2]);
    erased(&world, &asked).await;
    world.core.close().await;
    let world = open().await;
    assert_eq!(names(&world, "a").await, [("1".to_owned(), 1)]);
    let versions = world.publish(&["a/x/2", "a/x/1"]).await.versions;
    assert_eq!([versions[0].0, versions[1].0], [1, 2]);
}

/// Publishers that race an erasure: whatever order they come in, each subject's versions are 1, 2, 3 and so on behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_behind_an_erasure_neither_skip_nor_repeat_while_publishers_race() {
    let world = Arc::new(World::new().await);
    let mut publishers = JoinSet::new();
    for _ in 0..4 {
        let world = world.clone();
        publishers.spawn(async move {
            for _ in 0..200 {
                world.publish(&["a/x/1"]).await;
            }
        });
    }
    let mut through = Position::ZERO;
    for _ in 0..10 {
        through = erase(&world, Some("a"), Some("1")).await.erasure.through;
        tokio::task::yield_now().await;
    }
    publishers.join_all().await;
    let mut reader = world
        .follow(Start::Beginning, filter("a"))
        .await
        .expect("a reader");
    let shown = reader.present(EVERYTHING).await.expect("read").events;
    let versions = shown.iter().map(|event| event.record().stamp().version.0);
    assert!(versions.eq(1..=shown.len() as u64));
    let mut positions = shown.iter().map(|event| event.record().position());
    assert!(positions.all(|position| position > through));
}
