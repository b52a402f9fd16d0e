//! The latest events of subjects, by type.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_engine::{Engine, Retention};
use feedwire_event::{FeedName, Labels, Subject};
use proptest::prelude::*;
use tokio::runtime::{self, Runtime};

use super::world::World;
use crate::limits::{LATEST_INTERVAL, STORE_SCAN, TAIL_BYTES_MAX};
use crate::{Allowance, Clock, Confinement, LabelFilter, Right, read};

fn feed(name: &str) -> FeedName {
    FeedName::new(name).expect("a name")
}

fn subject(name: &str) -> Subject {
    Subject::new(name).expect("a subject")
}

async fn open(place: &Place) -> (Arc<Memory>, World) {
    let engine = Arc::new(Memory::open(place).expect("nobody else"));
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    (engine, world)
}

/// The types and positions that are told of `about`, which is a feed and a subject.
async fn try_latest(world: &World, about: &str) -> Result<Vec<(String, u64)>, read::Error> {
    let (of, about) = about.split_once('/').expect("feed/subject");
    let core = &world.core;
    let latest = core
        .latest(&world.grant, &feed(of), &subject(about))
        .await?;
    let told = latest.iter().map(|record| {
        assert_eq!((record.feed(), record.subject()), (of, Some(about)));
        (record.ty().to_owned(), record.position().get())
    });
    Ok(told.collect())
}

async fn latest(world: &World, about: &str) -> Vec<(String, u64)> {
    try_latest(world, about).await.expect("it is granted")
}

fn told(events: &[(&str, u64)]) -> Vec<(String, u64)> {
    let events = events.iter();
    events.map(|(ty, at)| ((*ty).to_owned(), *at)).collect()
}

/// How many entries the view has, of subjects and of feeds.
async fn entries(engine: &Memory, world: &World) -> usize {
    let view = engine.view(world.grant.project(), "latest").await;
    let entries = view.expect("a view").scan(b"", None, usize::MAX).await;
    entries.expect("scanned").len()
}

async fn erase(world: &World, of: Option<&str>, about: Option<&str>) {
    let (of, about) = (of.map(feed), about.map(subject));
    let asked = world.core.erase(&world.grant, of, about).await;
    let id = asked.expect("asked").id;
    loop {
        let receipt = world.core.erasure(&world.grant, &id).await;
        let receipt = receipt.expect("the store").expect("a receipt");
        if receipt.erased.is_some() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn trim(engine: &Memory, world: &World, seconds: u64) {
    world.core.feeds(&world.grant).await.expect("counted");
    let project = world.core.project(world.grant.project()).await;
    let project = project.expect("it is open");
    let counted = project.counts().persist().await.expect("counts on disk");
    let log = engine.log(world.grant.project()).await.expect("a log");
    let keep = Retention {
        age: Some(Duration::from_secs(seconds)),
        bytes: None,
    };
    let now = world.clock.now();
    log.trim(keep, now, counted).await.expect("trimmed");
}

#[tokio::test]
async fn the_latest_event_of_each_type_is_told_in_order_of_position() {
    let world = World::new().await;
    assert_eq!(latest(&world, "a/1").await, []);
    world.publish(&["a/x/1", "a/y/1", "b/x/1"]).await;
    world.publish(&["a/x/1", "a/x/2", "a/x/1"]).await;
    assert_eq!(latest(&world, "a/1").await, told(&[("y", 2), ("x", 6)]));
    assert_eq!(latest(&world, "a/2").await, told(&[("x", 5)]));
    assert_eq!(latest(&world, "a/3").await, []);
    assert_eq!(latest(&world, "b/1").await, told(&[("x", 3)]));
    world.publish(&["a/y/1"]).await;
    assert_eq!(latest(&world, "a/1").await, told(&[("x", 6), ("y", 7)]));
}

#[tokio::test]
async fn what_was_published_is_told_to_whoever_asks_next() {
    let world = World::new().await;
    for at in 1..=300 {
        world.publish(&["a/x/1"]).await;
        assert_eq!(latest(&world, "a/1").await, told(&[("x", at)]));
    }
}

#[tokio::test]
async fn names_that_begin_alike_are_not_mixed_up() {
    let world = World::new().await;
    world
        .publish(&["a/x/1", "a/x/11", "a/xx/1", "ab/x/1"])
        .await;
    world.publish(&["a/x/é", "a/x/1 "]).await;
    assert_eq!(latest(&world, "a/1").await, told(&[("x", 1), ("xx", 3)]));
    assert_eq!(latest(&world, "a/11").await, told(&[("x", 2)]));
    assert_eq!(latest(&world, "a/é").await, told(&[("x", 5)]));
    assert_eq!(latest(&world, "ab/1").await, told(&[("x", 4)]));
}

#[tokio::test]
async fn nothing_is_kept_for_feeds_that_nobody_asks_for() {
    let place = Place::new(Options::default());
    let (engine, world) = open(&place).await;
    world.publish(&["a/x/1", "b/x/1", "b/x/2"]).await;
    assert_eq!(entries(&engine, &world).await, 0);
    assert_eq!(latest(&world, "a/1").await, told(&[("x", 1)]));
    assert_eq!(latest(&world, "nowhere/1").await, []);
    assert_eq!(entries(&engine, &world).await, 2, "the feed and its event");
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_once_is_kept_until_the_project_is_closed() {
    let place = Place::new(Options::default());
    let (engine, world) = open(&place).await;
    world.publish(&["a/x/1"]).await;
    latest(&world, "a/1").await;
    world.publish(&["a/x/2"]).await;
    while entries(&engine, &world).await < 3 {
        tokio::time::advance(LATEST_INTERVAL).await;
    }
    world.core.close().await;
    drop((engine, world));
    let (engine, world) = open(&place).await;
    world.publish(&["a/x/3", "b/x/1"]).await;
    latest(&world, "b/1").await;
    world.publish(&["b/x/2"]).await;
    while entries(&engine, &world).await < 6 {
        tokio::time::advance(LATEST_INTERVAL).await;
    }
    assert_eq!(entries(&engine, &world).await, 6, "a waits to be asked for");
    assert_eq!(latest(&world, "a/3").await, told(&[("x", 3)]));
}

#[tokio::test]
async fn what_is_erased_is_not_told_and_nothing_keeps_its_name() {
    let place = Place::new(Options::default());
    let (engine, world) = open(&place).await;
    world.publish(&["a/x/1", "a/y/1", "a/x/2", "b/x/1"]).await;
    latest(&world, "a/1").await;
    latest(&world, "b/1").await;
    assert_eq!(entries(&engine, &world).await, 6);
    erase(&world, Some("a"), Some("1")).await;
    assert_eq!(latest(&world, "a/1").await, []);
    assert_eq!(latest(&world, "b/1").await, told(&[("x", 4)]));
    assert_eq!(entries(&engine, &world).await, 4);
    world.publish(&["a/y/1"]).await;
    assert_eq!(latest(&world, "a/1").await, told(&[("y", 5)]));
    erase(&world, None, Some("1")).await;
    assert_eq!(latest(&world, "a/1").await, []);
    assert_eq!(latest(&world, "b/1").await, []);
    assert_eq!(latest(&world, "a/2").await, told(&[("x", 3)]));
    assert_eq!(entries(&engine, &world).await, 3);
    erase(&world, Some("a"), None).await;
    assert_eq!(latest(&world, "a/2").await, []);
    assert_eq!(entries(&engine, &world).await, 2, "the feeds alone");
}

#[tokio::test]
async fn an_event_that_is_hidden_and_not_gone_yet_is_not_told() {
    let world = World::new().await;
    world.publish(&["a/x/1", "a/y/1"]).await;
    latest(&world, "a/1").await;
    let asked = world.core.erase(&world.grant, None, Some(subject("1")));
    asked.await.expect("asked");
    // The task that carries it out has not had its turn.
    assert_eq!(latest(&world, "a/1").await, []);
}

#[tokio::test(start_paused = true)]
async fn what_is_trimmed_is_not_told_and_its_entry_goes_soon_after() {
    let place = Place::new(Options::default());
    let (engine, world) = open(&place).await;
    world.clock.set(10);
    let many: Vec<String> = (0..STORE_SCAN + 5).map(|n| format!("a/x/{n}")).collect();
    for some in many.chunks(500) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        world.publish(&some).await;
    }
    world.clock.set(20);
    world.publish(&["a/y/1"]).await;
    let before = latest(&world, "a/1").await;
    assert_eq!(before, told(&[("x", 2), ("y", 1_006)]));
    assert_eq!(entries(&engine, &world).await, 1_007);
    trim(&engine, &world, 5).await;
    assert_eq!(latest(&world, "a/1").await, told(&[("y", 1_006)]));
    assert_eq!(latest(&world, "a/2").await, []);
    while entries(&engine, &world).await > 2 {
        tokio::time::advance(LATEST_INTERVAL).await;
    }
    assert_eq!(latest(&world, "a/1").await, told(&[("y", 1_006)]));
}

#[tokio::test]
async fn a_feed_that_is_asked_for_late_or_left_behind_by_retention_is_right() {
    let place = Place::new(Options::default());
    let (engine, world) = open(&place).await;
    world.clock.set(10);
    world.publish(&["a/x/1", "a/y/1"]).await;
    latest(&world, "a/1").await;
    world.publish(&["a/x/1", "b/x/1"]).await;
    world.clock.set(20);
    world.publish(&["a/z/1", "b/y/1"]).await;
    trim(&engine, &world, 5).await;
    assert_eq!(latest(&world, "a/1").await, told(&[("z", 5)]));
    assert_eq!(latest(&world, "b/1").await, told(&[("y", 6)]));
}

#[tokio::test]
async fn the_latest_events_of_many_subjects_are_told_in_the_order_they_are_asked_for() {
    let world = World::new().await;
    world.publish(&["a/x/1", "a/x/2", "a/y/2"]).await;
    let subjects = ["2", "3", "1"].map(subject);
    let core = &world.core;
    let latest = core.latest_of(&world.grant, &feed("a"), &subjects).await;
    let latest = latest.expect("told").into_iter().map(|records| {
        let positions = records.iter().map(|record| record.position().get());
        positions.collect::<Vec<_>>()
    });
    assert_eq!(latest.collect::<Vec<_>>(), [vec![2, 3], vec![], vec![1]]);
    let none = core.latest_of(&world.grant, &feed("a"), &[]).await;
    assert_eq!(none.expect("told"), Vec::<Vec<_>>::new());
}

#[tokio::test]
async fn whoever_is_confined_is_told_of_its_own_and_of_no_other() {
    let world = World::new().await;
    let labels = BTreeMap::from([("room".to_owned(), "lobby".to_owned())]);
    let labels = Labels::new(labels).expect("labels");
    let set = world
        .core
        .set_labels(&world.grant, subject("1"), labels, None);
    set.await.expect("set");
    world.publish(&["a/x/1", "a/x/2", "b/x/1"]).await;
    let own = |rights: Right, feeds: &str, confinement| {
        world.granting(Allowance {
            rights: [rights].into_iter().collect(),
            feeds: vec![feeds.parse().expect("a pattern")],
            confinement,
        })
    };
    let to_read = |feeds, confinement| own(Right::Read, feeds, confinement);
    let only = |name| Some(Confinement::Subjects(vec![subject(name)]));
    let lobby = Some(Confinement::Labels(vec![LabelFilter {
        key: "room".to_owned(),
        value: Some("lobby".to_owned()),
    }]));
    let check = async |reader: World, about: &str, expected: Option<&[(&str, u64)]>| match (
        try_latest(&reader, about).await,
        expected,
    ) {
        (Ok(latest), Some(expected)) => assert_eq!(latest, told(expected)),
        (Err(read::Error::Forbidden(_)), None) => {}
        (latest, _) => panic!("{about} was told {latest:?}"),
    };
    check(to_read("a", None), "a/1", Some(&[("x", 1)])).await;
    check(to_read("a", None), "b/1", None).await;
    check(to_read("b", None), "a/1", None).await;
    check(to_read("a", only("1")), "a/1", Some(&[("x", 1)])).await;
    check(to_read("a", only("1")), "a/2", None).await;
    check(to_read("*", lobby.clone()), "a/1", Some(&[("x", 1)])).await;
    check(to_read("*", lobby.clone()), "a/2", Some(&[])).await;
    check(own(Right::Publish, "*", None), "a/1", None).await;
}

/// What is done to a project.
#[derive(Clone, Debug)]
enum Step {
    /// Publishes a batch of events, each `feed/type/subject`.
    Publish(Vec<String>),
    Erase(Option<&'static str>, Option<&'static str>),
    /// Keeps so many seconds.
    Trim(u64),
    Ask(&'static str, &'static str),
    /// Closes it in order.
    End,
    Kill,
    /// Kills it, and loses what is latest.
    Lose,
}

const FEEDS: [&str; 2] = ["a", "b"];
const TYPES: [&str; 3] = ["x", "y", "z"];
const SUBJECTS: [&str; 4] = ["", "1", "11", "2"];

fn step() -> impl Strategy<Value = Step> {
    use prop::sample::select;
    let event = (
        select(&FEEDS[..]),
        select(&TYPES[..]),
        select(&SUBJECTS[..]),
    );
    let event = event.prop_map(|(feed, ty, subject)| format!("{feed}/{ty}/{subject}"));
    let named = || select(&SUBJECTS[1..]);
    prop_oneof![
        8 => prop::collection::vec(event, 1..5).prop_map(Step::Publish),
        1 => (prop::option::of(select(&FEEDS[..])), named())
            .prop_map(|(feed, subject)| Step::Erase(feed, Some(subject))),
        1 => select(&FEEDS[..]).prop_map(|feed| Step::Erase(Some(feed), None)),
        1 => (1_u64..10).prop_map(Step::Trim),
        6 => (select(&FEEDS[..]), named()).prop_map(|(feed, subject)| Step::Ask(feed, subject)),
        1 => Just(Step::End),
        1 => Just(Step::Kill),
        1 => Just(Step::Lose),
    ]
}

/// Everything there is, as plainly as can be: position, second, and `feed/type/subject`.
#[derive(Debug, Default)]
struct Model {
    events: Vec<(u64, u64, String)>,
    last: u64,
}

impl Model {
    fn latest(&self, of: &str, about: &str) -> Vec<(String, u64)> {
        let mut latest = BTreeMap::new();
        for (position, _, event) in &self.events {
            let parts: Vec<&str> = event.split('/').collect();
            if (parts[0], parts[2]) == (of, about) {
                latest.insert(parts[1].to_owned(), *position);
            }
        }
        let mut latest: Vec<_> = latest.into_iter().collect();
        latest.sort_by_key(|(_, position)| *position);
        latest
    }

    fn publish(&mut self, events: Vec<String>, second: u64) {
        for event in events {
            self.last += 1;
            self.events.push((self.last, second, event));
        }
    }

    fn erase(&mut self, of: Option<&str>, about: Option<&str>) {
        self.events.retain(|(_, _, event)| {
            let parts: Vec<&str> = event.split('/').collect();
            of.is_some_and(|of| of != parts[0]) || about.is_some_and(|about| about != parts[2])
        });
    }
}

/// A project from one start to the next.
struct Life {
    runtime: Runtime,
    engine: Arc<Memory>,
    world: World,
}

impl Life {
    fn begin(place: &Place) -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime");
        let (engine, world) = runtime.block_on(open(place));
        Self {
            runtime,
            engine,
            world,
        }
    }

    fn end(self) {
        self.runtime.block_on(self.world.core.close());
    }

    /// Nothing that it has begun goes on.
    fn kill(self) {
        drop(self.runtime);
        drop(self.world);
    }

    /// Kills it, and empties what it had kept.
    fn lose(self, place: &Place) {
        let name = self.world.grant.project().clone();
        self.kill();
        let runtime = runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            let engine = Memory::open(place).expect("nobody else");
            let view = engine.view(&name, "latest").await.expect("a view");
            view.reset().await.expect("emptied");
        });
    }

    fn latest(&self, of: &str, about: &str) -> Vec<(String, u64)> {
        let about = format!("{of}/{about}");
        self.runtime.block_on(latest(&self.world, &about))
    }

    fn publish(&self, events: &[&str]) {
        self.runtime.block_on(self.world.publish(events));
    }
}

#[test]
fn what_is_latest_goes_on_after_a_kill_however_far_it_had_come() {
    let place = Place::new(Options::default());
    let life = Life::begin(&place);
    life.publish(&["a/x/1", "a/y/1"]);
    assert_eq!(life.latest("a", "1"), told(&[("x", 1), ("y", 2)]));
    life.publish(&["a/x/1", "a/z/1"]);
    life.kill();
    let life = Life::begin(&place);
    let expected = told(&[("y", 2), ("x", 3), ("z", 4)]);
    assert_eq!(life.latest("a", "1"), expected);
    life.lose(&place);
    assert_eq!(Life::begin(&place).latest("a", "1"), expected);
}

fn latest_is_as_in_the_model(steps: Vec<Step>) {
    let place = Place::new(Options::default());
    let mut life = Life::begin(&place);
    let mut model = Model::default();
    for (second, step) in (1..).zip(steps) {
        life.world.clock.set(second);
        let second = second.unsigned_abs();
        match step {
            Step::Publish(events) => {
                let batch: Vec<&str> = events.iter().map(String::as_str).collect();
                life.publish(&batch);
                model.publish(events, second);
            }
            Step::Erase(of, about) => {
                life.runtime.block_on(erase(&life.world, of, about));
                model.erase(of, about);
            }
            Step::Trim(seconds) => {
                let trimmed = trim(&life.engine, &life.world, seconds);
                life.runtime.block_on(trimmed);
                model.events.retain(|(_, at, _)| at + seconds >= second);
            }
            Step::Ask(of, about) => {
                let told = life.latest(of, about);
                assert_eq!(told, model.latest(of, about), "{of}/{about}");
            }
            Step::End => {
                life.end();
                life = Life::begin(&place);
            }
            Step::Kill => {
                life.kill();
                life = Life::begin(&place);
            }
            Step::Lose => {
                life.lose(&place);
                life = Life::begin(&place);
            }
        }
    }
    for of in FEEDS {
        for about in &SUBJECTS[1..] {
            let told = life.latest(of, about);
            assert_eq!(told, model.latest(of, about), "{of}/{about}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn latest_is_what_a_plain_list_of_events_says(steps in prop::collection::vec(step(), 1..60)) {
        latest_is_as_in_the_model(steps);
    }
}
