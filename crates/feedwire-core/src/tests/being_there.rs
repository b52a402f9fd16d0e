//! Events for those alone who are there: they reach who was there before them, in every way of reading, and no one later.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use feedwire_engine::Limit;
use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_event::{
    Attribute, Cursor, Event, EventId, FeedName, IdempotencyKey, Position, Subject, Version,
};
use proptest::prelude::*;
use tokio::runtime;

use super::confining::allowance;
use super::waking::{Wakes, wait};
use super::world::{EVERYTHING, World, filter, next, parse};
use crate::limits::TAIL_BYTES_MAX;
use crate::{Published, Reader, Repetition, Span, Start, back, history, publish};

async fn follow(world: &World, start: Start, asked: &str) -> Reader {
    let reader = world.follow(start, filter(asked)).await;
    reader.expect("a reader")
}

/// The positions of what there is for `reader` now.
async fn present(reader: &mut Reader, limit: Limit) -> Vec<u64> {
    let delivery = reader.present(limit).await.expect("a page");
    let events = delivery.events.iter();
    events
        .map(|event| event.record().position().get())
        .collect()
}

fn subject(name: &str) -> Subject {
    Subject::new(name).expect("a subject")
}

fn feed(name: &str) -> FeedName {
    FeedName::new(name).expect("a name")
}

#[tokio::test]
async fn an_event_for_those_who_are_there_reaches_who_waits_and_no_one_later() {
    let world = World::new().await;
    world.publish(&["a/x", "a/x//live"]).await;
    let mut waiting = follow(&world, Start::Beginning, "").await;
    assert_eq!(next(&mut waiting, EVERYTHING).await, [1]);
    world.publish(&["a/x", "a/x//live", "a/x"]).await;
    assert_eq!(next(&mut waiting, EVERYTHING).await, [3, 4, 5]);
    for start in [Start::Beginning, Start::After(Cursor(Position::ZERO))] {
        let mut late = follow(&world, start, "").await;
        assert_eq!(next(&mut late, EVERYTHING).await, [1, 3, 5]);
        assert_eq!(late.cursor().0.get(), 5);
    }
}

#[tokio::test]
async fn a_page_that_was_asked_for_later_has_none_and_leads_past_it() {
    let world = World::new().await;
    let mut early = follow(&world, Start::Beginning, "").await;
    world.publish(&["a/x//live", "a/x//live"]).await;
    let mut late = follow(&world, Start::Beginning, "").await;
    assert!(present(&mut late, EVERYTHING).await.is_empty());
    assert_eq!(late.cursor().0.get(), 2);
    assert_eq!(present(&mut early, EVERYTHING).await, [1, 2]);
}

#[tokio::test]
async fn what_came_before_a_reader_does_not_wake_it_though_it_comes_to_the_tail_later() {
    let world = World::new().await;
    let mut witness = follow(&world, Start::Now, "").await;
    // The tail takes it up once this test waits: the reader has its seat by then.
    world.publish(&["a/x/1/live"]).await;
    let mut readers = [
        follow(&world, Start::Now, "").await,
        follow(&world, Start::Beginning, ";;1").await,
    ];
    let wakes: Arc<Wakes> = Arc::default();
    wait(&mut readers, &wakes);
    assert_eq!(next(&mut witness, EVERYTHING).await, [1]);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
    world.publish(&["a/x/1/live"]).await;
    assert_eq!(next(&mut witness, EVERYTHING).await, [2]);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 2);
    for reader in &mut readers {
        assert_eq!(next(reader, EVERYTHING).await, [2]);
    }
}

#[tokio::test]
async fn a_reader_that_falls_behind_the_tail_gets_from_the_log_what_came_since_its_start() {
    let world = World::over(Arc::new(Memory::new()), 1).await;
    world.publish(&["a/x//live"]).await;
    let mut readers = [follow(&world, Start::Beginning, "").await];
    wait(&mut readers, &Arc::default());
    let mut witness = follow(&world, Start::Now, "").await;
    for position in [2, 3, 4, 5] {
        world.publish(&["a/x//live"]).await;
        assert_eq!(next(&mut witness, EVERYTHING).await, [position]);
    }
    // The tail has the last batch alone.
    assert_eq!(next(&mut readers[0], EVERYTHING).await, [2, 3, 4, 5]);
}

#[tokio::test]
async fn a_filter_holds_for_it_as_for_every_event() {
    let world = World::new().await;
    let mut one = follow(&world, Start::Now, "a;x;1").await;
    let mut other = follow(&world, Start::Now, ";y").await;
    let batch = ["a/x/1/live", "a/x/2/live", "a/y/1/live", "b/x/1/live"];
    world.publish(&batch).await;
    assert_eq!(next(&mut one, EVERYTHING).await, [1]);
    assert_eq!(next(&mut other, EVERYTHING).await, [3]);
}

#[tokio::test]
async fn nobody_was_there_before_a_restart() {
    let place = Place::new(Options::default());
    let engine = Arc::new(Memory::open(&place).expect("nobody else"));
    let world = World::over(engine, TAIL_BYTES_MAX).await;
    let mut reader = follow(&world, Start::Now, "").await;
    world.publish(&["a/x//live", "a/x"]).await;
    assert_eq!(next(&mut reader, EVERYTHING).await, [1, 2]);
    drop(reader);
    world.core.close().await;
    drop(world);
    let engine = Arc::new(Memory::open(&place).expect("nobody else"));
    let world = World::over(engine, TAIL_BYTES_MAX).await;
    let mut reader = follow(&world, Start::Beginning, "").await;
    assert_eq!(next(&mut reader, EVERYTHING).await, [2]);
}

#[tokio::test]
async fn who_looks_back_was_not_there() {
    let world = World::new().await;
    world.publish(&["a/x/1", "a/y/1/live"]).await;
    world.publish(&["a/x/1/live"]).await;
    let part = back::Part {
        before: None,
        span: Span::default(),
        limit: EVERYTHING,
    };
    let page = world.core.back(&world.grant, filter(""), part).await;
    let page = page.expect("it is granted").records;
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].position().get(), 1);

    let about = (feed("a"), subject("1"));
    let latest = world.core.latest(&world.grant, &about.0, &about.1).await;
    let latest = latest.expect("it is granted");
    assert_eq!(latest, page, "the last one that is for everybody");
}

#[tokio::test]
async fn a_version_of_which_nothing_is_shown_is_not_taken_for_lost() {
    let world = World::new().await;
    for batch in [
        &["a/x/1/live"][..],
        &["a/x/1", "a/x/1/live"],
        &["a/x/1/live", "a/x/1/live"],
        &["a/x/1"],
        &["a/x/1/live"],
    ] {
        world.publish(batch).await;
    }
    let check = async |since, batches, versions: &[u64], more| {
        let part = history::Part {
            since: Version(since),
            batches,
            bytes: usize::MAX,
        };
        let (feed, subject) = (feed("a"), subject("1"));
        let history = world
            .core
            .history(&world.grant, &feed, &subject, part)
            .await
            .expect("none is lost")
            .expect("it has had some");
        let records = history.records.iter();
        let found: Vec<u64> = records.map(|record| record.stamp().version.0).collect();
        let told = (found, history.more, history.head.version.0);
        assert_eq!(told, (versions.to_vec(), more, 5), "{since} {batches}");
    };
    check(0, 10, &[2, 4], false).await;
    check(0, 1, &[], true).await;
    check(0, 2, &[2], true).await;
    check(2, 1, &[], true).await;
    check(2, 2, &[4], true).await;
    check(4, 1, &[], false).await;
    check(3, 9, &[4], false).await;
}

#[tokio::test]
async fn it_is_counted_by_the_log_and_not_where_events_are_counted_for_somebody() {
    let world = World::new().await;
    world.publish(&["a/x/1", "b/x/1/live"]).await;
    world.publish(&["a/x/1/live"]).await;
    let counted = async |world: &World| {
        let feeds = world.core.feeds(&world.grant).await.expect("feeds").feeds;
        let feeds = feeds.iter();
        feeds
            .map(|feed| (feed.name.to_string(), feed.events))
            .collect::<Vec<_>>()
    };
    assert_eq!(counted(&world).await, [("a".into(), 2), ("b".into(), 1)]);
    let own = world.granting(allowance("read;;=1"));
    assert_eq!(counted(&own).await, [("a".into(), 1)]);
}

async fn publish_known(
    world: &World,
    is_live_only: bool,
    repetition: Repetition,
) -> Result<Published, publish::Error> {
    let (feed, event) = parse("a/x/1");
    let event = Event {
        id: Some(EventId::new("i").expect("an id")),
        live_only: is_live_only,
        ..event
    };
    let events = [(feed, event)];
    let published = world
        .core
        .publish(&world.grant, &events, Vec::new(), &repetition);
    published.await
}

#[tokio::test]
async fn a_repetition_of_it_is_known_by_its_id_and_its_key_and_reaches_nobody_again() {
    let world = World::new().await;
    let mut reader = follow(&world, Start::Now, "").await;
    let key = || Repetition::ByKey(IdempotencyKey::new("k").expect("a key"));
    for repetition in [key(), key(), Repetition::ByIds] {
        let published = publish_known(&world, true, repetition).await;
        assert_eq!(published.expect("published").first.get(), 1);
    }
    // A key is that of one request: this says of its event that it is for everybody.
    let reused = publish_known(&world, false, key()).await;
    assert!(matches!(reused, Err(publish::Error::KeyReused { first }) if first.get() == 1));
    world.publish(&["a/x"]).await;
    assert_eq!(next(&mut reader, EVERYTHING).await, [1, 2]);
}

/// What happens to a world with readers.
#[derive(Clone, Debug)]
enum Action {
    /// A batch is published; of each event, whether it is for those who are there.
    Publish(Vec<bool>),
    /// Somebody comes, who has so much of what there is.
    Come(prop::sample::Index),
    /// One of those who came takes up to so many of what there is for it.
    Take(prop::sample::Index, usize),
    /// One of those who came goes where it waits.
    Wait(prop::sample::Index),
}

fn action() -> impl Strategy<Value = Action> {
    let one = any::<prop::sample::Index>;
    prop_oneof![
        3 => prop::collection::vec(any::<bool>(), 1..4).prop_map(Action::Publish),
        1 => one().prop_map(Action::Come),
        3 => (one(), 1..6_usize).prop_map(|(who, records)| Action::Take(who, records)),
        2 => one().prop_map(Action::Wait),
    ]
}

/// A reader beside what it is still to be handed.
struct Consumer {
    reader: Reader,
    left: Vec<u64>,
}

impl Consumer {
    async fn take(&mut self, records: usize) {
        let limit = Limit {
            records,
            ..EVERYTHING
        };
        let taken = present(&mut self.reader, limit).await;
        assert_eq!(taken, self.left[..taken.len()]);
        assert_eq!(taken.is_empty(), self.left.is_empty());
        self.left.drain(..taken.len());
    }

    /// Goes to the end of what there is, and waits there once.
    async fn wait(&mut self) {
        while !self.left.is_empty() {
            let taken = next(&mut self.reader, EVERYTHING).await;
            assert_eq!(taken, self.left[..taken.len()]);
            self.left.drain(..taken.len());
        }
        wait(std::slice::from_mut(&mut self.reader), &Arc::default());
    }
}

async fn run(actions: Vec<Action>, tail_bytes_max: usize) {
    let world = World::over(Arc::new(Memory::new()), tail_bytes_max).await;
    let (mut head, mut for_all): (u64, Vec<u64>) = (0, Vec::new());
    let mut consumers: Vec<Consumer> = Vec::new();
    for action in actions {
        match action {
            Action::Publish(batch) => {
                let event = |live_only: &bool| if *live_only { "a/x/1/live" } else { "a/x/1" };
                let events: Vec<_> = batch.iter().map(event).collect();
                world.publish(&events).await;
                for live_only in batch {
                    head += 1;
                    for consumer in &mut consumers {
                        consumer.left.push(head);
                    }
                    if !live_only {
                        for_all.push(head);
                    }
                }
            }
            Action::Come(much) => {
                let after = much.index(usize::try_from(head).expect("few") + 1) as u64;
                let start = Start::After(Cursor(Position::new(after).expect("a position")));
                let reader = follow(&world, start, "").await;
                let left = for_all.iter().copied().filter(|at| *at > after).collect();
                consumers.push(Consumer { reader, left });
            }
            Action::Take(who, records) if !consumers.is_empty() => {
                who.get_mut(&mut consumers).take(records).await;
            }
            Action::Wait(who) if !consumers.is_empty() => {
                who.get_mut(&mut consumers).wait().await;
            }
            Action::Take(..) | Action::Wait(_) => {}
        }
    }
    for mut consumer in consumers {
        consumer.wait().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whoever_comes_has_all_that_is_for_everybody_and_what_comes_behind_its_coming(
        actions in prop::collection::vec(action(), 1..40),
        tail_bytes_max in prop::sample::select(vec![1, 3_000, TAIL_BYTES_MAX]),
    ) {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(run(actions, tail_bytes_max));
    }
}
