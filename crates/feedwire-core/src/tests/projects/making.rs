//! Making projects, listing them, and their limits.

use std::sync::Arc;

use feedwire_engine::Engine;
use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_event::{Position, Timestamp};
use tokio::task::JoinSet;

use super::super::world::World;
use super::{delete, make, name, names};
use crate::projects::create;
use crate::{RateLimits, store};

async fn on(place: &Place) -> World {
    let engine = Memory::open(place).expect("nobody else has it");
    World::over(Arc::new(engine), 1).await
}

async fn limit(world: &World, text: &str, readers: u64) -> Result<(), store::Error> {
    let limits = RateLimits {
        readers: Some(readers),
        ..RateLimits::default()
    };
    world
        .core
        .set_project_limits(&name(text), limits, None)
        .await
}

#[tokio::test]
async fn the_first_start_makes_the_servers_own_project_and_one_to_begin_with() {
    let place = Place::new(Options::default());
    let world = on(&place).await;
    assert_eq!(names(&world), ["_system", "default"]);
    delete(&world, "default").await;
    world.core.close().await;
    let world = on(&place).await;
    assert_eq!(names(&world), ["_system"], "it is not made again");
}

#[tokio::test]
async fn where_an_older_version_made_projects_only_the_servers_own_is_added() {
    let place = Place::new(Options::default());
    let engine = Memory::open(&place).expect("nobody else has it");
    engine.create(&name("acme")).await.expect("created");
    engine.close().await;
    let world = on(&place).await;
    assert_eq!(names(&world), ["_system", "acme"]);
    let acme = world.core.show_project(&name("acme")).expect("it is there");
    assert_eq!(
        (acme.created_at, acme.limits),
        (None, RateLimits::default())
    );
    limit(&world, "acme", 3).await.expect("set");
    let acme = world.core.show_project(&name("acme")).expect("it is there");
    assert_eq!((acme.created_at, acme.limits.readers), (None, Some(3)));
}

#[tokio::test]
async fn a_project_is_shown_as_it_was_made_also_after_a_restart() {
    let place = Place::new(Options::default());
    let world = on(&place).await;
    world.clock.set(7);
    make(&world, "acme").await;
    make(&world, "acme.eu").await;
    assert_eq!(names(&world), ["_system", "acme", "acme.eu", "default"]);
    let show = |world: &World| world.core.show_project(&name("acme")).expect("it is there");
    let shown = show(&world);
    assert_eq!(shown.created_at, Some(Timestamp::from_micros(7_000_000)));
    assert_eq!(shown.head, None, "it is not open");
    world.of("acme").publish(&["f/t/s"]).await;
    assert_eq!(show(&world).head.map(Position::get), Some(1));
    world.core.close().await;
    assert_eq!(show(&on(&place).await), shown);
}

#[tokio::test]
async fn a_name_is_made_once_and_not_every_name_is_made() {
    let world = World::new().await;
    let refused = async |text| {
        let made = world.core.create_project(&name(text)).await;
        made.expect_err("it is not made")
    };
    make(&world, "acme").await;
    assert!(matches!(refused("acme").await, create::Error::Exists(_)));
    assert!(matches!(
        refused("_system").await,
        create::Error::Reserved(_)
    ));
    assert!(matches!(refused("acme.").await, create::Error::Reserved(_)));
    for orphan in ["other.eu", "acme.eu.1", "acme..eu"] {
        let error = refused(orphan).await;
        assert!(matches!(error, create::Error::NoParent(_)), "{orphan}");
    }
    make(&world, "acme.eu").await;
    make(&world, "acme.eu.1").await;
    assert!(!world.core.project_exists(&name("other")));
    assert!(world.core.project_exists(&name("acme.eu")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_make_the_same_name_one_does() {
    let world = World::new().await;
    for _ in 0..20 {
        let mut racers = JoinSet::new();
        for _ in 0..4 {
            let core = world.core.clone();
            racers.spawn(async move { core.create_project(&name("acme")).await.is_ok() });
        }
        let made = racers.join_all().await;
        assert_eq!(made.into_iter().filter(|made| *made).count(), 1);
        world.of("acme").publish(&["f/t/s"]).await;
        delete(&world, "acme").await;
    }
}

#[tokio::test]
async fn limits_are_known_at_once_and_after_a_restart_and_are_those_of_one_project() {
    let place = Place::new(Options::default());
    let world = on(&place).await;
    make(&world, "acme").await;
    limit(&world, "acme", 5).await.expect("set");
    let of = |world: &World, text| world.core.project_limits(&name(text)).readers;
    assert_eq!((of(&world, "acme"), of(&world, "default")), (Some(5), None));
    assert_eq!(of(&world, "unknown"), None);
    world.core.close().await;
    let world = on(&place).await;
    assert_eq!((of(&world, "acme"), of(&world, "default")), (Some(5), None));
    let unknown = limit(&world, "unknown", 1).await;
    assert!(matches!(
        unknown,
        Err(store::Error::Read(crate::read::Error::UnknownProject(_)))
    ));
}

#[tokio::test]
async fn limits_are_set_only_if_those_that_are_there_pass() {
    let world = World::new().await;
    limit(&world, "default", 5).await.expect("set");
    let set = async |expected| {
        let check = move |limits: &RateLimits| limits.readers == expected;
        let limits = RateLimits::default();
        let of = name("default");
        let set = world
            .core
            .set_project_limits(&of, limits, Some(Box::new(check)));
        set.await
    };
    assert!(matches!(set(None).await, Err(store::Error::Changed)));
    set(Some(5)).await.expect("they are these");
    let limits = world.core.project_limits(&name("default"));
    assert_eq!(limits, RateLimits::default());
}
