//! The generations of leases, of which none is given twice: a receipt of somebody who is gone settles nothing.

use std::sync::Arc;

use feedwire_engine::memory::{Memory, Options, Place};

use super::streaming::{create, join, name, position, publish, settings, settle, take, world};
use super::world::World;
use crate::limits::TAIL_BYTES_MAX;
use crate::stream::{Origin, Receipt, Refused, Verdict};

/// Everything that is there, as a member that comes now is sent it.
async fn receipts(world: &World, count: usize) -> Vec<Receipt> {
    let mut member = join(world).await;
    take(&mut member, count).await.1
}

fn latest(receipts: &[Receipt]) -> u64 {
    let generations = receipts.iter().map(|receipt| receipt.generation);
    generations.max().expect("there are some")
}

fn first(receipts: &[Receipt]) -> u64 {
    let generations = receipts.iter().map(|receipt| receipt.generation);
    generations.min().expect("there are some")
}

/// A stream that was made anew under a name began with the generations of the one before, so that a member of that which came back late
/// settled what it never had.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_made_again_knows_no_receipt_of_the_one_before() {
    let world = world(settings()).await;
    publish(&world, 10).await;
    let before = receipts(&world, 10).await;
    let name = name();
    let deleted = world.core.delete_stream(&world.grant, &name, false);
    deleted.await.expect("deleted");
    world.clock.set(1);
    create(&world, settings()).await;
    let mut member = join(&world).await;
    let (_, after) = take(&mut member, 10).await;
    assert!(first(&after) > latest(&before), "{before:?} {after:?}");
    let (count, refused) = settle(&world, &before, Verdict::Done).await;
    assert_eq!(count, 0);
    assert!(refused.iter().all(|(_, why)| *why == Refused::Stale));
}

#[test]
fn a_server_that_was_killed_gives_no_generation_again() {
    let place = Place::new(Options::default());
    let open = || Arc::new(Memory::open(&place).expect("nobody else has it"));
    // What runs in a life is gone with it, in the middle of whatever it did.
    let mut lives = Vec::new();
    for life in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let given = runtime.block_on(async {
            let world = World::over(open(), TAIL_BYTES_MAX).await;
            if life == 0 {
                create(&world, settings()).await;
                publish(&world, 10).await;
            }
            let mut given = receipts(&world, 10).await;
            given.extend(receipts(&world, 10).await);
            given
        });
        lives.push(given);
    }
    for (before, after) in lives.iter().zip(&lives[1..]) {
        assert!(first(after) > latest(before), "{before:?} {after:?}");
    }
}

/// Checkpoints that were too old were forgotten by the next to join, also where somebody had just said where to go on.
#[tokio::test(start_paused = true)]
async fn a_stream_whose_checkpoints_are_too_old_goes_on_where_it_is_sent() {
    let world = world(settings()).await;
    publish(&world, 5).await;
    drop(join(&world).await);
    world.clock.set(8 * 24 * 60 * 60);
    let (name, to) = (name(), Origin::After(position(3)));
    let sought = world.core.seek_stream(&world.grant, &name, to).await;
    assert_eq!(sought.expect("sought"), position(3));
    assert_eq!(take(&mut join(&world).await, 2).await.0, [4, 5]);
}
