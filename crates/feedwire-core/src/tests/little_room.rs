//! What is done while a view cannot be written.

use std::sync::atomic::Ordering;

use feedwire_engine::memory::Memory;
use feedwire_engine::{Engine, Retention};
use feedwire_event::{FeedName, Subject};

use super::ailing::Ailing;
use super::world::World;
use crate::projects::Bounds;
use crate::read;

#[tokio::test(start_paused = true)]
async fn what_was_counted_before_there_was_no_room_is_trimmed() {
    let engine = Ailing::over(Memory::new());
    let world = World::within(engine.clone(), Bounds::default()).await;
    let project = world.grant.project();
    let log = engine.log(project).await.expect("a log");
    world.publish(&["f/t/a", "f/t/a"]).await;
    let view = engine.view(project, "counts").await.expect("a view");
    // Saved every second, of a clock that goes while nothing else is to be done.
    while view.applied() < log.bounds().last {
        tokio::time::sleep(crate::limits::COUNTS_INTERVAL).await;
    }
    let counted = view.applied();
    engine.ailments.keeps_views.store(true, Ordering::SeqCst);
    world.publish(&["f/t/b"]).await;

    let nothing = Retention {
        bytes: Some(0),
        ..Retention::default()
    };
    let set = world.core.set_retention(&world.grant, nothing, None).await;
    set.expect("it is stored");
    while log.bounds().first <= counted {
        tokio::time::sleep(crate::limits::RETENTION_INTERVAL).await;
    }
    let bounds = log.bounds();
    assert_eq!(
        (bounds.first, bounds.last),
        (counted.next(), counted.next())
    );
}

#[tokio::test]
async fn whoever_asks_for_what_is_latest_is_told_while_it_cannot_be_kept_and_has_it_after_that() {
    let engine = Ailing::over(Memory::new());
    let world = World::within(engine.clone(), Bounds::default()).await;
    engine.ailments.keeps_views.store(true, Ordering::SeqCst);
    world.publish(&["f/t/a", "f/u/a"]).await;
    let feed = FeedName::new("f").expect("a name");
    let subject = Subject::new("a").expect("a subject");
    let refused = world.core.latest(&world.grant, &feed, &subject).await;
    assert!(
        matches!(refused, Err(read::Error::Unavailable(_))),
        "{refused:?}"
    );
    engine.ailments.keeps_views.store(false, Ordering::SeqCst);
    let latest = world.core.latest(&world.grant, &feed, &subject).await;
    let latest = latest.expect("there is room").into_iter();
    let positions: Vec<u64> = latest.map(|record| record.position().get()).collect();
    assert_eq!(positions, [1, 2]);
}
