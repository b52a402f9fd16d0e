//! Thousands of random lives of a stream. A seed that fails is told, and is lived again by `FEEDWIRE_SEED=… cargo test`.

mod check;
mod random;
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

#[test]
fn no_life_of_a_stream_loses_or_swaps_anything() {
    live_all(0..1_500);
}

#[test]
fn nor_does_any_of_these() {
    live_all(1_500..3_000);
}
