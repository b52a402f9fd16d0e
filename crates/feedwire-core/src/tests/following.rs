//! The hand-over from log to tail, against a model: everything that passes, once, in order.

use std::sync::Arc;

use feedwire_engine::Limit;
use feedwire_engine::memory::Memory;
use feedwire_event::{Cursor, Position};
use proptest::prelude::*;
use tokio::task::JoinSet;

use super::labelling::set;
use super::world::{World, filter, next};
use crate::Start;

const WRITERS: usize = 4;
const BATCHES: usize = 60;

/// A reader of the model: its filter, where it starts, and how much it takes at once.
#[derive(Clone, Debug)]
struct Consumer {
    filter: &'static str,
    after: u64,
    records: usize,
    reconnects: bool,
}

fn consumer() -> impl Strategy<Value = Consumer> {
    let filters = [
        "",
        "a",
        "b;x",
        ";y",
        ";;1",
        ";;2,3",
        "a;x;1",
        ";;;room=lobby",
        "a;;;room=attic|floor,room",
    ];
    let limits = prop::sample::select(vec![1, 2, 7, 1_000]);
    (
        prop::sample::select(filters.to_vec()),
        0..50_u64,
        limits,
        any::<bool>(),
    )
        .prop_map(|(filter, after, records, reconnects)| Consumer {
            filter,
            after,
            records,
            reconnects,
        })
}

/// What a batch of the model holds: feeds, types and subjects in every mixture.
fn batch(writer: usize, number: usize) -> Vec<String> {
    let seed = writer * 7919 + number * 104_729;
    let pick = |from: &[&str], at: usize| from[(seed / at) % from.len()].to_owned();
    let event = |index: usize| {
        let feed = pick(&["a", "b", "c"], 1 + index);
        let ty = pick(&["x", "y"], 3 + index);
        format!("{feed}/{ty}/{}", pick(&["1", "2", "3", ""], 5 + index))
    };
    (0..=seed % 5).map(event).collect()
}

async fn write(world: Arc<World>, writer: usize) {
    for number in 0..BATCHES {
        let events = batch(writer, number);
        let events: Vec<_> = events.iter().map(String::as_str).collect();
        world.publish(&events).await;
        tokio::task::yield_now().await;
    }
}

/// Follows up to `last` at least; reconnects with its cursor after every step if it is of that kind. Returns what it saw
/// and its cursor.
async fn consume(world: Arc<World>, consumer: Consumer, last: u64) -> (Vec<u64>, u64) {
    let limit = Limit {
        records: consumer.records,
        bytes: usize::MAX,
    };
    let mut seen = Vec::new();
    let mut cursor = consumer.after;
    let start = |cursor| Start::After(Cursor(Position::new(cursor).expect("a position")));
    let mut reader = world
        .follow(start(cursor), filter(consumer.filter))
        .await
        .expect("a reader");
    while cursor < last {
        seen.extend(next(&mut reader, limit).await);
        cursor = reader.cursor().0.get();
        if consumer.reconnects {
            let again = world.follow(start(cursor), filter(consumer.filter)).await;
            reader = again.expect("a reader");
        }
    }
    (seen, cursor)
}

async fn run(consumers: Vec<Consumer>, tail_bytes_max: usize) {
    let world = Arc::new(World::over(Arc::new(Memory::new()), tail_bytes_max).await);
    // Enough for every consumer's start to be there, and a last event that passes every filter.
    for _ in 0..50 {
        world.publish(&["c/z"]).await;
    }
    set(&world, "1", &[("room", "lobby"), ("floor", "0")]).await;
    set(&world, "2", &[("room", "attic")]).await;
    let total: usize = (0..WRITERS)
        .flat_map(|w| (0..BATCHES).map(move |n| batch(w, n).len()))
        .sum();
    let last = 50 + u64::try_from(total).expect("a few events") + 1;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(world.clone(), writer));
    }
    let mut readers = JoinSet::new();
    for consumer in consumers.clone() {
        let task = consume(world.clone(), consumer.clone(), last);
        readers.spawn(async move { (consumer, task.await) });
    }
    writers.join_all().await;
    finish(&world).await;
    for (consumer, (seen, cursor)) in readers.join_all().await {
        let start = Start::After(Cursor(Position::new(consumer.after).expect("a position")));
        let mut reader = world
            .follow(start, filter(consumer.filter))
            .await
            .expect("a reader");
        let everything = reader
            .present(super::world::EVERYTHING)
            .await
            .expect("a page")
            .events;
        let positions = everything
            .iter()
            .map(|event| event.record().position().get());
        let model: Vec<_> = positions
            .take_while(|position| *position <= cursor)
            .collect();
        assert_eq!(seen, model, "{consumer:?}");
    }
}

/// Publishes one batch in which every filter of the model finds its last event.
async fn finish(world: &World) {
    world.publish(&["a/x/1"]).await;
    world.publish(&["b/x/2", "a/y/2", "a/x/1"]).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_reader_sees_all_that_passes_its_filter_once_and_in_order(
        consumers in prop::collection::vec(consumer(), 1..12),
        tail_bytes_max in prop::sample::select(vec![1, 100, 1_000, 1_000_000]),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
        runtime.expect("a runtime").block_on(run(consumers, tail_bytes_max));
    }
}
