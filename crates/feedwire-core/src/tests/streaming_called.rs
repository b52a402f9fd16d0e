//! What people call a stream, which can be changed while it has members.

use std::sync::Arc;

use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_event::StreamName;

use super::streaming::{name, settings, world};
use super::world::{EVERYTHING, World};
use crate::limits::TAIL_BYTES_MAX;
use crate::stream::{Conflict, Error, Origin, Settings, Status, Turn};

/// Has the stream `s` called `display_name`, if nobody else is.
async fn call(world: &World, display_name: &'static str) -> Result<Status, Error> {
    let revision = Box::new(move |settings| {
        Ok(Settings {
            display_name: display_name.into(),
            ..settings
        })
    });
    let conflict: Conflict = Box::new(move |others: &[Status]| {
        let mut names = others.iter().map(|other| &other.settings.display_name);
        match names.find(|name| *name == display_name) {
            Some(name) => Err(Error::Called(name.clone())),
            None => Ok(()),
        }
    });
    world
        .core
        .change_stream(&world.grant, &name(), revision, Some(conflict))
        .await
}

#[tokio::test(start_paused = true)]
async fn members_stay_when_a_stream_is_called_something_else() {
    let world = world(settings()).await;
    let mut member = world
        .core
        .join(&world.grant, &name())
        .await
        .expect("a place");
    world.clock.set(5);
    let called = call(&world, "ours").await.expect("called");
    assert_eq!(
        (called.settings.display_name.as_str(), called.members),
        ("ours", 1)
    );
    assert!(called.updated_at > called.created_at);
    world.clock.set(6);
    let again = call(&world, "ours").await.expect("called");
    assert_eq!(again, called, "it is called so already");
    world.publish(&["f/t/a"]).await;
    let turn = loop {
        match member.next(EVERYTHING).await.expect("a turn") {
            Turn::Changed => {}
            turn => break turn,
        }
    };
    assert!(
        matches!(&turn, Turn::Events(events) if events.len() == 1),
        "{turn:?}"
    );

    let change = Box::new(|settings| {
        Ok(Settings {
            members_max: 1,
            ..settings
        })
    });
    let changed = world
        .core
        .change_stream(&world.grant, &name(), change, None)
        .await
        .expect("changed");
    assert_eq!(
        changed.settings.display_name, "ours",
        "whatever else changes"
    );
    assert!(matches!(member.next(EVERYTHING).await, Ok(Turn::Closing)));
}

#[tokio::test(start_paused = true)]
async fn what_another_stream_is_called_now_is_taken_and_what_it_was_called_is_free() {
    let world = world(settings()).await;
    let other = Settings {
        display_name: "theirs".into(),
        ..Settings::new(StreamName::new("other").expect("a name"))
    };
    let created = world
        .core
        .create_stream(&world.grant, other.clone(), Origin::Start, None);
    created.await.expect("a stream");
    let taken = call(&world, "theirs").await;
    assert!(
        matches!(&taken, Err(Error::Called(name)) if name == "theirs"),
        "{taken:?}"
    );
    let revision = Box::new(|settings| {
        Ok(Settings {
            display_name: "mine".into(),
            ..settings
        })
    });
    let renamed = world
        .core
        .change_stream(&world.grant, &other.name, revision, None);
    renamed.await.expect("renamed");
    let taken = call(&world, "mine").await;
    assert!(
        matches!(&taken, Err(Error::Called(name)) if name == "mine"),
        "{taken:?}"
    );
    call(&world, "theirs").await.expect("nobody is called so");
}

#[tokio::test(start_paused = true)]
async fn what_a_stream_is_called_outlasts_the_server() {
    let place = Place::new(Options::default());
    let open = || Arc::new(Memory::open(&place).expect("nobody else has it"));
    let world = World::over(open(), TAIL_BYTES_MAX).await;
    let created = world
        .core
        .create_stream(&world.grant, settings(), Origin::Start, None);
    created.await.expect("a stream");
    world.clock.set(5);
    let called = call(&world, "ours").await.expect("called");
    world.core.close().await;
    drop(world);
    let world = World::over(open(), TAIL_BYTES_MAX).await;
    let there = world.core.stream(&world.grant, &name()).await;
    let there = there.expect("it is there").status;
    assert_eq!(
        (there.settings, there.updated_at),
        (called.settings, called.updated_at)
    );
}
