//! What the server puts on record.

use feedwire_event::ProjectName;

use super::super::world::{EVERYTHING, World, filter, next, parse};
use crate::{Start, Step};

#[tokio::test]
async fn what_is_audited_is_read_in_the_servers_own_project() {
    let world = World::new().await;
    let system = world.of(ProjectName::system().as_str());
    let mut reader = system
        .follow(Start::Beginning, filter("_audit"))
        .await
        .expect("a reader");
    let (_, event) = parse("ignored/key.created/acme");
    world.core.audit(&event).await.expect("on record");
    let step = reader.next(EVERYTHING).await.expect("events");
    let Step::Events(delivery) = step else {
        panic!("events, not {step:?}");
    };
    let record = delivery.events[0].record();
    assert_eq!((record.feed(), record.ty()), ("_audit", "key.created"));
    assert_eq!(record.subject(), Some("acme"));
    // Twice the same is twice on record.
    world.core.audit(&event).await.expect("on record");
    assert_eq!(next(&mut reader, EVERYTHING).await, [2]);
}
