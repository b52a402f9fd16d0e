//! What is done to a stream by somebody who has found it as it was before a change.

use std::time::Duration;

use super::{Error, Origin, Verdict};
use crate::tests::streaming::{drain, join, name, position, publish, settings, take, world};
use crate::tests::streaming_changed::change;

/// An acknowledgement was taken by what had handed over already: it was answered as settled, and the event came again.
#[tokio::test(start_paused = true)]
async fn what_has_handed_over_takes_no_acknowledgement() {
    let world = world(settings()).await;
    publish(&world, 1).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 1).await;
    let found = world.core.stream_of(&world.grant, &name()).await;
    let (_, before) = found.expect("a stream");
    change(&world).await.expect("changed");
    let settled = before.settle(&receipts, Verdict::Done, None).await;
    assert!(matches!(settled, Err(Error::Closing)), "{settled:?}");
    assert_eq!(drain(&mut join(&world).await).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_sent_elsewhere_while_it_is_changed_goes_there() {
    let world = world(settings()).await;
    publish(&world, 5).await;
    let (name, to) = (name(), Origin::After(position(3)));
    let found = world.core.stream_of(&world.grant, &name).await;
    let (_, before) = found.expect("a stream");
    // Somebody joins meanwhile.
    let joining = before.joining.lock().await;
    let (sought, changed, ()) = tokio::join!(
        world.core.seek_stream(&world.grant, &name, to),
        change(&world),
        async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            drop(joining);
        },
    );
    assert_eq!(sought.expect("sought"), position(3));
    changed.expect("changed");
    assert_eq!(drain(&mut join(&world).await).await, [4, 5]);
}
