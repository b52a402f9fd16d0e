//! Deleting a project: nothing of it is served any more, whatever was under way.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::Retention;
use feedwire_event::{FeedName, Labels, Subject};
use tokio::task::JoinSet;

use super::super::world::{EVERYTHING, World, filter, next};
use super::{delete, make, name, names, open};
use crate::projects::delete;
use crate::{Filter, RateLimits, Start, Step, publish, read, store};

fn lobby() -> Labels {
    let labels = [("room".to_owned(), "lobby".to_owned())];
    Labels::new(labels.into()).expect("labels")
}

fn subject(text: &str) -> Subject {
    Subject::new(text).expect("a subject")
}

#[tokio::test]
async fn what_is_made_under_the_name_later_has_nothing_of_it() {
    let world = World::new().await;
    make(&world, "acme").await;
    let acme = world.of("acme");
    acme.publish(&["f/t/s", "g/t/s"]).await;
    let keep = Retention {
        age: Some(Duration::from_hours(1)),
        bytes: None,
    };
    let (core, grant) = (&acme.core, &acme.grant);
    core.set_retention(grant, keep, None).await.expect("set");
    let set = core.set_labels(grant, subject("s"), lobby(), None).await;
    set.expect("set");
    let feed = FeedName::new("g").ok();
    let receipt = core.erase(grant, feed, None).await.expect("asked");
    let limits = RateLimits {
        readers: Some(1),
        ..RateLimits::default()
    };
    let set = core.set_project_limits(grant.project(), limits, None).await;
    set.expect("set");

    delete(&world, "acme").await;
    assert_eq!(names(&world), ["_system", "default"]);
    assert!(open(&world).await.is_empty());
    let gone = core.head(grant, Filter::default()).await;
    assert!(
        matches!(gone, Err(read::Error::UnknownProject(_))),
        "{gone:?}"
    );
    let gone = acme.try_publish(&["f/t/s"]).await;
    assert!(matches!(gone, Err(publish::Error::UnknownProject(_))));
    assert_eq!(core.project_limits(grant.project()), RateLimits::default());

    world.clock.set(9);
    make(&world, "acme").await;
    assert_eq!(core.feeds(grant).await.expect("feeds").feeds, []);
    let retention = core.retention(grant).await.expect("a retention");
    assert_eq!(retention, Retention::default());
    let labels = core.labels(grant, &subject("s")).await.expect("labels");
    assert!(labels.is_empty());
    assert_eq!(core.erasure(grant, &receipt.id).await.expect("read"), None);
    assert_eq!(core.project_limits(grant.project()), RateLimits::default());
    let published = acme.publish(&["f/t/s"]).await;
    assert_eq!((published.first.get(), published.versions[0].0), (1, 1));
    let mut reader = acme
        .follow(Start::Beginning, filter(""))
        .await
        .expect("a reader");
    assert_eq!(next(&mut reader, EVERYTHING).await, [1]);
}

#[tokio::test]
async fn readers_are_sent_away_at_the_tail_and_in_the_log() {
    let world = World::new().await;
    make(&world, "acme").await;
    let acme = world.of("acme");
    acme.publish(&["f/t/s"]).await;
    let mut at_tail = acme.follow(Start::Now, filter("")).await.expect("a reader");
    let mut behind = acme
        .follow(Start::Beginning, filter(""))
        .await
        .expect("a reader");
    let (step, ()) = tokio::join!(at_tail.next(EVERYTHING), delete(&world, "acme"));
    assert!(matches!(step, Ok(Step::Closing)), "{step:?}");
    let step = behind.next(EVERYTHING).await;
    assert!(matches!(step, Ok(Step::Closing)), "{step:?}");
    behind.present(EVERYTHING).await.expect_err("it is gone");
    make(&world, "acme").await;
    acme.publish(&["f/t/s"]).await;
    let step = behind.next(EVERYTHING).await;
    assert!(
        matches!(step, Ok(Step::Closing)),
        "not of the next: {step:?}"
    );
}

#[tokio::test]
async fn parents_the_servers_own_and_what_is_not_there_are_not_deleted() {
    let world = World::new().await;
    for text in ["acme", "acme.eu", "acme2"] {
        make(&world, text).await;
    }
    let refused = async |text| {
        let deleted = world.core.delete_project(&name(text)).await;
        deleted.expect_err("it is not deleted")
    };
    assert!(matches!(
        refused("acme").await,
        delete::Error::HasChildren(_)
    ));
    assert!(matches!(
        refused("_system").await,
        delete::Error::Reserved(_)
    ));
    assert!(matches!(refused("acme.").await, delete::Error::Reserved(_)));
    assert!(matches!(refused("other").await, delete::Error::Unknown(_)));
    world.of("acme").publish(&["f/t/s"]).await;
    delete(&world, "acme.eu").await;
    delete(&world, "acme").await;
    assert!(matches!(refused("acme").await, delete::Error::Unknown(_)));
    assert_eq!(names(&world), ["_system", "acme2", "default"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_is_done_before_or_refused() {
    let world = World::new().await;
    for _ in 0..20 {
        make(&world, "acme").await;
        let mut under_way = JoinSet::new();
        for _ in 0..2 {
            let acme = Arc::new(world.of("acme"));
            let publisher = acme.clone();
            under_way.spawn(async move {
                while let Ok(published) = publisher.try_publish(&["f/t/s"]).await {
                    assert!(!published.is_repeat);
                    // An engine in memory never waits.
                    tokio::task::yield_now().await;
                }
            });
            under_way.spawn(async move {
                let set = || {
                    let labels = &acme.core;
                    labels.set_labels(&acme.grant, subject("s"), lobby(), None)
                };
                let error = loop {
                    if let Err(error) = set().await {
                        break error;
                    }
                };
                let gone = matches!(
                    error,
                    store::Error::Unavailable(_)
                        | store::Error::Read(read::Error::UnknownProject(_))
                );
                assert!(gone, "{error:?}");
            });
        }
        delete(&world, "acme").await;
        let acme = world.of("acme");
        let gone = acme.core.head(&acme.grant, Filter::default()).await;
        assert!(
            matches!(gone, Err(read::Error::UnknownProject(_))),
            "{gone:?}"
        );
        under_way.join_all().await;
        make(&world, "acme").await;
        let head = acme
            .core
            .head(&acme.grant, Filter::default())
            .await
            .expect("a head");
        assert_eq!(head.get(), 0);
        let labels = acme.core.labels(&acme.grant, &subject("s")).await;
        assert!(labels.expect("labels").is_empty());
        delete(&world, "acme").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_is_deleted_while_it_is_opened_is_gone() {
    let world = World::new().await;
    for _ in 0..50 {
        make(&world, "acme").await;
        let acme = world.of("acme");
        let mut openers = JoinSet::new();
        for _ in 0..3 {
            let (core, grant) = (acme.core.clone(), acme.grant.clone());
            openers.spawn(async move { core.head(&grant, Filter::default()).await });
        }
        delete(&world, "acme").await;
        for opened in openers.join_all().await {
            assert!(matches!(
                opened,
                Ok(_) | Err(read::Error::UnknownProject(_))
            ));
        }
        let gone = acme.core.head(&acme.grant, Filter::default()).await;
        assert!(
            matches!(gone, Err(read::Error::UnknownProject(_))),
            "{gone:?}"
        );
        assert!(open(&world).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_child_is_made_while_its_parent_is_deleted() {
    let world = World::new().await;
    for _ in 0..100 {
        make(&world, "acme").await;
        // Open, so that there is something to end.
        world.of("acme").publish(&["f/t/s"]).await;
        let mut racers = JoinSet::new();
        for _ in 0..2 {
            let core = world.core.clone();
            racers.spawn(async move { core.create_project(&name("acme.eu")).await.is_ok() });
        }
        let deleted = world.core.delete_project(&name("acme")).await;
        let made = racers.join_all().await.contains(&true);
        assert_ne!(made, deleted.is_ok());
        if made {
            delete(&world, "acme.eu").await;
            delete(&world, "acme").await;
        }
    }
}

#[tokio::test]
async fn what_a_deleted_project_has_done_is_still_counted() {
    let world = World::new().await;
    for _ in 0..2 {
        make(&world, "acme").await;
        world.of("acme").publish(&["f/t/s", "f/t/s"]).await;
        delete(&world, "acme").await;
    }
    make(&world, "acme").await;
    world.of("acme").publish(&["f/t/s"]).await;
    let stats = world.core.stats().await;
    assert_eq!(
        (stats.others.log.batches, stats.others.log.commits.sum),
        (2, 4)
    );
    assert_eq!(
        stats.projects[0].log.batches, 1,
        "another began with nothing"
    );
}
