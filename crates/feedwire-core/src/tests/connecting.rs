//! Connectors as they are kept: who may have which, what becomes of their streams, and that they outlive the server.

use std::sync::Arc;

use bytes::Bytes;
use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_event::{ConnectorName, FeedName, ProjectName, StreamName, Timestamp};

use super::confining::allowance;
use super::streaming::{self, position};
use super::world::World;
use crate::connectors::{
    Condition, Connector, Draft, Error, Overview, Phase, Replay, Rewritten, Secrets, Settings,
    Source, Trying,
};
use crate::limits::{CONNECTORS_MAX, TAIL_BYTES_MAX};
use crate::stream::{self, Mode, Origin, Selection};
use crate::{Forbidden, Right, read, store};

fn name(text: &str) -> ConnectorName {
    ConnectorName::new(text).expect("a name")
}

fn of_feeds(feeds: &[&str]) -> Selection {
    Selection {
        feeds: feeds
            .iter()
            .map(|feed| FeedName::new(feed).expect("a name"))
            .collect(),
        ..Selection::default()
    }
}

fn draft(text: &str, source: Source) -> Draft {
    Draft {
        settings: Settings::new(name(text), "https://example.com/".into()),
        secrets: Secrets::default(),
        source,
        replay: None,
        is_active: true,
    }
}

fn own(feeds: &[&str]) -> Source {
    Source::Own(of_feeds(feeds), Origin::Start)
}

async fn create(world: &World, draft: Draft) -> Result<Overview, Error> {
    let sealed = Bytes::from_static(b"sealed");
    world
        .core
        .create_connector(&world.grant, draft, sealed)
        .await
}

async fn change(
    world: &World,
    text: &str,
    change: impl FnOnce(&mut Rewritten) + Send + 'static,
) -> Result<Overview, Error> {
    let rewrite = move |connector: &Connector, selection| {
        let is_active = connector.phase == Phase::Active;
        let sealed = connector.sealed.clone();
        let mut rewritten = Rewritten {
            settings: connector.settings.clone(),
            sealed,
            selection,
            is_active,
            skips: false,
        };
        change(&mut rewritten);
        Ok(rewritten)
    };
    let name = name(text);
    world
        .core
        .change_connector(&world.grant, &name, rewrite)
        .await
}

fn stream_name(text: &str) -> StreamName {
    StreamName::new(text).expect("a name")
}

fn names(world: &World) -> Vec<String> {
    let all = world.core.connectors_to_push().into_iter();
    all.map(|(project, connector)| format!("{project}/{}", connector.settings.name))
        .collect()
}

#[tokio::test]
async fn a_connector_has_a_stream_of_its_own_that_comes_and_goes_with_it() {
    let world = World::new().await;
    let made = create(&world, draft("c", own(&["a"]))).await.expect("made");
    let stream = made.stream.expect("a stream");
    assert_eq!(stream.settings.selection, of_feeds(&["a"]));
    assert_eq!(
        (stream.settings.members_max, stream.settings.max_deliveries),
        (1, None)
    );
    let again = create(&world, draft("c", own(&["a"]))).await;
    assert!(matches!(again, Err(Error::Exists(_))), "{again:?}");
    // As long as it is pushed, it stays.
    let deleted = world
        .core
        .delete_stream(&world.grant, &stream_name("c"), false)
        .await;
    assert!(matches!(deleted, Err(stream::Error::Pushed(by)) if by == name("c")));
    let deleted = world.core.delete_connector(&world.grant, &name("c")).await;
    deleted.expect("deleted");
    let stream = world.core.stream(&world.grant, &stream_name("c")).await;
    assert!(matches!(stream, Err(stream::Error::Unknown(_))));
    let shown = world.core.connector(&world.grant, &name("c")).await;
    assert!(matches!(shown, Err(Error::Unknown(_))), "{shown:?}");
    create(&world, draft("c", own(&["a"])))
        .await
        .expect("made anew");
}

#[tokio::test]
async fn a_stream_that_there_is_stays_when_its_connector_goes_and_has_one_at_a_time() {
    let world = World::new().await;
    streaming::create(&world, streaming::settings()).await;
    let of_stream = |text| draft(text, Source::Stream(streaming::name()));
    let made = create(&world, of_stream("c")).await.expect("made");
    assert!(!made.connector.owns_stream);
    let second = create(&world, of_stream("d")).await;
    assert!(matches!(second, Err(Error::Taken { by, .. }) if by == name("c")));
    let changed = change(&world, "c", |to| {
        to.selection = Some(of_feeds(&["b"]));
    });
    assert!(matches!(changed.await, Err(Error::NotItsOwn(_))));
    // A connector of the stream's name would have another for its own.
    let alike = create(&world, draft("s", own(&[]))).await;
    assert!(matches!(alike, Err(Error::StreamExists(_))), "{alike:?}");
    let deleted = world.core.delete_connector(&world.grant, &name("c")).await;
    deleted.expect("deleted");
    let stream = world.core.stream(&world.grant, &streaming::name()).await;
    stream.expect("it is still there");
    let unknown = create(&world, draft("e", Source::Stream(stream_name("none")))).await;
    assert!(matches!(
        unknown,
        Err(Error::Stream(stream::Error::Unknown(_)))
    ));
}

#[tokio::test]
async fn nothing_is_pushed_of_a_stream_of_which_nothing_is_acknowledged() {
    let world = World::new().await;
    let delivered = stream::Settings {
        mode: Mode::Delivered,
        ..streaming::settings()
    };
    streaming::create(&world, delivered).await;
    let made = create(&world, draft("c", Source::Stream(streaming::name()))).await;
    assert!(matches!(made, Err(Error::NotExplicit(_))), "{made:?}");
}

#[tokio::test]
async fn a_connector_is_for_who_may_have_all_that_it_pushes() {
    let world = World::new().await;
    create(&world, draft("a", own(&["a"]))).await.expect("made");
    create(&world, draft("all", own(&[]))).await.expect("made");
    let told = |overviews: Vec<Overview>| -> Vec<String> {
        let names = overviews.into_iter();
        names
            .map(|overview| overview.connector.settings.name.to_string())
            .collect()
    };
    let confined = world.granting(allowance("connectors;a"));
    let own_list = confined
        .core
        .connectors(&confined.grant)
        .await
        .expect("listed");
    assert_eq!(told(own_list), ["a"]);
    let other = confined.core.connector(&confined.grant, &name("all")).await;
    let is_forbidden = |error: &Error| {
        matches!(
            error,
            Error::Store(store::Error::Read(read::Error::Forbidden(
                Forbidden::Confined
            )))
        )
    };
    assert!(other.is_err_and(|error| is_forbidden(&error)));
    let wider = change(&confined, "a", |to| {
        to.selection = Some(Selection::default());
    });
    assert!(wider.await.is_err());
    let made = create(&confined, draft("b", own(&["b"]))).await;
    assert!(made.is_err());
    assert_eq!(names(&world), ["default/a", "default/all"]);
    // To take events from those who pull them is a right of its own.
    streaming::create(&world, streaming::settings()).await;
    let connecting = world.granting(allowance("connectors"));
    let taken = create(&connecting, draft("s2", Source::Stream(streaming::name()))).await;
    assert!(matches!(
        taken,
        Err(Error::Store(store::Error::Read(read::Error::Forbidden(
            Forbidden::Right(Right::Streams)
        ))))
    ));
    let reading = world.granting(allowance("publish,read,streams"));
    assert!(create(&reading, draft("d", own(&[]))).await.is_err());
    assert!(reading.core.connectors(&reading.grant).await.is_err());
}

#[tokio::test]
async fn what_is_changed_keeps_what_the_stream_had_reached() {
    let world = World::new().await;
    create(&world, draft("c", own(&["a"]))).await.expect("made");
    world.publish(&["a/t/1", "b/t/2"]).await;
    world.clock.set(5);
    let changed = change(&world, "c", |to| {
        to.settings.concurrency = 3;
        to.selection = Some(of_feeds(&["a", "b"]));
        to.is_active = false;
    });
    let changed = changed.await.expect("changed");
    let stream = changed.stream.expect("a stream");
    assert_eq!(stream.settings.selection, of_feeds(&["a", "b"]));
    let connector = &changed.connector;
    assert_eq!(connector.settings.concurrency, 3);
    assert_eq!(connector.phase, Phase::Paused);
    assert!(connector.phase_since > connector.created_at);
    let same = change(&world, "c", |_| ()).await.expect("nothing changed");
    assert!(Arc::ptr_eq(&same.connector, connector));
    let bad = change(&world, "c", |to| to.settings.concurrency = 0).await;
    assert!(
        matches!(
            bad,
            Err(Error::Setting {
                name: "concurrency",
                ..
            })
        ),
        "{bad:?}"
    );
}

#[tokio::test]
async fn the_server_moves_a_connector_on_unless_somebody_has_changed_it() {
    let world = World::new().await;
    let made = create(&world, draft("c", own(&[]))).await.expect("made");
    let project = &world.grant.project().clone();
    let disabled = Phase::Disabled("why".into());
    let mut told = world.core.connector_changes();
    told.mark_unchanged();
    let changed = change(&world, "c", |to| to.settings.concurrency = 2).await;
    let changed = changed.expect("changed").connector;
    assert!(told.has_changed().expect("the core is there"));
    let core = &world.core;
    let end = |seen: Arc<Connector>, phase| async move {
        core.end_pushing(project, &seen, phase)
            .await
            .expect("looked at")
    };
    assert!(!end(made.connector, disabled.clone()).await);
    assert!(end(changed, disabled.clone()).await);
    let shown = world.core.connector(&world.grant, &name("c")).await;
    assert_eq!(shown.expect("shown").connector.phase, disabled);
    let resumed = change(&world, "c", |to| to.is_active = true).await;
    assert_eq!(resumed.expect("resumed").connector.phase, Phase::Active);
}

#[tokio::test]
async fn a_replay_ends_where_it_is_to_and_is_not_taken_up_again() {
    let world = World::new().await;
    world.publish(&["a/t/1", "a/t/2", "a/t/3"]).await;
    let replay = Draft {
        replay: Some(Replay {
            of: name("c"),
            until: position(2),
        }),
        ..draft("r", own(&["a"]))
    };
    let made = create(&world, replay).await.expect("made");
    let stream = made.stream.expect("a stream");
    assert_eq!(stream.settings.until, Some(position(2)));
    let project = &world.grant.project().clone();
    let done = world
        .core
        .end_pushing(project, &made.connector, Phase::Done)
        .await;
    assert!(done.expect("noted"));
    let again = change(&world, "r", |to| to.is_active = true).await;
    assert!(matches!(again, Err(Error::Done)), "{again:?}");
}

#[tokio::test]
async fn connectors_and_how_they_fail_are_there_after_a_restart_and_gone_with_their_project() {
    let place = Place::new(Options::default());
    let world = World::over(
        Arc::new(Memory::open(&place).expect("nobody else has it")),
        TAIL_BYTES_MAX,
    )
    .await;
    let acme = ProjectName::new("acme").expect("a name");
    world.core.create_project(&acme).await.expect("made");
    let of_acme = world.of("acme");
    let made = create(&world, draft("c", own(&["a"]))).await.expect("made");
    create(&of_acme, draft("d", own(&[]))).await.expect("made");
    let trying = Trying {
        since: Timestamp::from_micros(7),
        failures: 3,
    };
    let condition = Condition {
        failing_since: Some(Timestamp::from_micros(5)),
        trying: vec![(position(9), trying)],
    };
    let project = &world.grant.project().clone();
    let noted = world
        .core
        .note_condition(project, &made.connector, &condition);
    noted.await.expect("noted");
    world.core.close().await;
    drop((of_acme, world));

    let world = World::over(
        Arc::new(Memory::open(&place).expect("nobody else has it")),
        TAIL_BYTES_MAX,
    )
    .await;
    assert_eq!(names(&world), ["acme/d", "default/c"]);
    let shown = world.core.connector(&world.grant, &name("c")).await;
    assert_eq!(shown.expect("shown").connector, made.connector);
    let kept = world.core.connector_condition(project, &name("c")).await;
    assert_eq!(kept.expect("read"), condition);
    world.core.delete_project(&acme).await.expect("deleted");
    assert_eq!(names(&world), ["default/c"]);
    world.core.create_project(&acme).await.expect("made anew");
    let none = world.of("acme");
    let listed = none.core.connectors(&none.grant).await.expect("listed");
    assert!(listed.is_empty());
    let deleted = world.core.delete_connector(&world.grant, &name("c")).await;
    deleted.expect("deleted");
    world.clock.set(1);
    create(&world, draft("c", own(&["a"])))
        .await
        .expect("made anew");
    // Whoever pushed the one before has nothing to note any more.
    let noted = world
        .core
        .note_condition(project, &made.connector, &condition);
    noted.await.expect("looked at");
    let fresh = world.core.connector_condition(project, &name("c")).await;
    assert_eq!(fresh.expect("read"), Condition::default());
    world.core.close().await;
    drop((none, world));
    let world = World::over(
        Arc::new(Memory::open(&place).expect("nobody else has it")),
        TAIL_BYTES_MAX,
    )
    .await;
    assert_eq!(names(&world), ["default/c"]);
}

#[tokio::test]
async fn a_project_has_so_many_connectors() {
    let world = World::new().await;
    for number in 0..CONNECTORS_MAX {
        let made = create(&world, draft(&format!("c{number}"), own(&[]))).await;
        made.expect("there is room");
    }
    let one_more = create(&world, draft("more", own(&[]))).await;
    assert!(matches!(one_more, Err(Error::TooMany(CONNECTORS_MAX))));
}

/// Whoever may read as a member of streams would otherwise have what a connector is not for go out.
#[tokio::test]
async fn what_a_connector_pushes_is_turned_by_those_alone_who_may_have_connectors() {
    let world = World::new().await;
    create(&world, draft("c", own(&["a"]))).await.expect("made");
    world.publish(&["a/t/1"]).await;
    let stream = stream_name("c");
    let is_refused = |error: &stream::Error| {
        matches!(
            error,
            stream::Error::Read(read::Error::Forbidden(Forbidden::Right(Right::Connectors)))
        )
    };
    let wider = || {
        Box::new(|settings: stream::Settings| {
            Ok(stream::Settings {
                selection: Selection::default(),
                ..settings
            })
        })
    };
    let streaming = world.granting(allowance("read,streams"));
    let core = &world.core;
    let changed = core.change_stream(&streaming.grant, &stream, wider(), None);
    assert!(changed.await.is_err_and(|error| is_refused(&error)));
    let sought = core.seek_stream(&streaming.grant, &stream, Origin::Now);
    assert!(sought.await.is_err_and(|error| is_refused(&error)));
    let both = world.granting(allowance("streams,connectors"));
    let sought = core.seek_stream(&both.grant, &stream, Origin::Start);
    sought.await.expect("sought");
    let changed = core.change_stream(&both.grant, &stream, wider(), None);
    changed.await.expect("changed");
}

#[tokio::test]
async fn what_came_while_a_connector_waited_is_left_out_if_that_is_asked_for_and_it_goes_on() {
    let world = World::new().await;
    let paused = Draft {
        is_active: false,
        ..draft("c", own(&[]))
    };
    create(&world, paused).await.expect("made");
    world.publish(&["a/t/1", "a/t/2"]).await;
    let lag = async || {
        let stream = world.core.stream(&world.grant, &stream_name("c")).await;
        stream
            .expect("there")
            .partitions
            .iter()
            .map(|partition| partition.checkpoint)
            .min()
    };
    let refused = change(&world, "c", |to| {
        to.settings.concurrency = 0;
        to.is_active = true;
        to.skips = true;
    });
    refused.await.expect_err("it cannot be");
    assert_eq!(lag().await, Some(position(0)));
    let resumed = change(&world, "c", |to| {
        to.is_active = true;
        to.skips = true;
    });
    resumed.await.expect("resumed");
    assert_eq!(lag().await, Some(position(2)));
}
