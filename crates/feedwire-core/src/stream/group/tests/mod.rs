//! Thousands of random lives of a stream. A seed that fails is told, and is lived again by `FEEDWIRE_SEED=… cargo test`.

mod check;
mod draining;
mod outstanding;
mod random;
mod settling;
mod taking;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use world::World;

const STEPS: usize = 300;

fn live(seed: u64) {
    let mut world = World::new(seed);
    let lived = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..STEPS {
            world.step();
        }
        world.settle();
    }));
    if let Err(panic) = lived {
        eprintln!("{}\nFEEDWIRE_SEED={seed} goes wrong", world.story());
        resume_unwind(panic);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever looks into a life says which"
)]
fn live_all(seeds: std::ops::Range<u64>) {
    match std::env::var("FEEDWIRE_SEED") {
        Ok(seed) => live(seed.parse().expect("a number")),
        Err(_) => seeds.for_each(live),
    }
}

/// Lives in several tests, so that they can run at the same time; each checks all.
#[test]
fn no_life_of_a_stream_loses_or_swaps_anything() {
    live_all(0..500);
}

#[test]
fn no_life_of_a_stream_gives_a_partition_to_two() {
    live_all(500..1_000);
}

#[test]
fn no_life_of_a_stream_settles_what_nobody_had() {
    live_all(1_000..1_500);
}

#[test]
fn every_life_of_a_stream_settles_in_the_end() {
    live_all(1_500..2_000);
}
