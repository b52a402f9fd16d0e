//! What is done while a view cannot be written.

use std::sync::atomic::Ordering;

use feedwire_engine::memory::Memory;
use feedwire_engine::{Engine, Retention};

use super::ailing::Ailing;
use super::world::World;
use crate::projects::Bounds;

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
