//! Subjects that fail for long and hold up nobody but themselves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_engine::{Engine, Space};
use feedwire_event::{FeedName, ProjectName, Subject};

use tokio::time::timeout;

use super::streaming::{create, events, is_idle, join, name, settings, take, world};
use super::world::World;
use crate::limits::{CHECKPOINT_INTERVAL_IDLE, SUBJECTS_ASIDE_MAX, TAIL_BYTES_MAX};
use crate::stream::{Member, Overview, Receipt, Settings, Verdict};

/// How many events of others there are to each that fails.
const OTHERS: u64 = 100;

fn narrow() -> Settings {
    Settings {
        partitions: 1,
        members_max: 1,
        max_in_flight: 100,
        max_deliveries: None,
        ..settings()
    }
}

/// Publishes `count` times one event of the subject `ill` and many of others.
async fn publish(world: &World, count: usize) {
    let mut batch = vec!["f/t/ill".to_owned()];
    batch.extend((1..=OTHERS).map(|other| format!("f/t/s{}", other % 7)));
    let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
    for _ in 0..count {
        world.publish(&batch).await;
    }
}

/// Whether the event at `position` is of the subject that fails.
fn is_ill(position: u64) -> bool {
    position % (OTHERS + 1) == 1
}

async fn overview(world: &World) -> Overview {
    let overview = world.core.stream(&world.grant, &name()).await;
    overview.expect("a stream")
}

/// What a member had, and how often.
#[derive(Debug, Default)]
struct Had {
    done: Vec<u64>,
    failed: BTreeMap<u64, u32>,
}

impl Had {
    /// Has `member` take what there is until `is_over`. What is ill fails while `fails` says so.
    async fn take(&mut self, member: &mut Member, fails: bool, is_over: impl Fn(&Self) -> bool) {
        while !is_over(self) {
            let (mut done, mut failed) = (Vec::new(), Vec::new());
            for (position, receipt) in events(member).await {
                let (receipt, _) = receipt.expect("a receipt");
                if fails && is_ill(position) {
                    *self.failed.entry(position).or_default() += 1;
                    failed.push(receipt);
                } else {
                    self.done.push(position);
                    done.push(receipt);
                }
            }
            let late = Verdict::Failed(Duration::from_secs(1));
            settle(member, &done, Verdict::Done).await;
            for receipt in failed {
                // One that waits for another was taken back.
                settled(member, &[receipt], late).await;
            }
        }
    }

    fn ill(&self) -> Vec<u64> {
        let done = self.done.iter().copied();
        done.filter(|position| is_ill(*position)).collect()
    }

    fn others(&self) -> Vec<u64> {
        let done = self.done.iter().copied();
        done.filter(|position| !is_ill(*position)).collect()
    }
}

async fn settled(member: &Member, receipts: &[Receipt], verdict: Verdict) -> usize {
    let settled = member.settler().settle(receipts, verdict, None).await;
    settled.expect("looked at").0
}

async fn settle(member: &Member, receipts: &[Receipt], verdict: Verdict) {
    assert_eq!(settled(member, receipts, verdict).await, receipts.len());
}

/// Whether what is kept of the stream names the subject that fails.
async fn is_named(engine: &Memory) -> bool {
    let space = Space {
        project: ProjectName::new("default").expect("a name"),
        name: "checkpoints",
    };
    let (primary, name) = (engine.primary(), name());
    let kept = primary.get(&space, name.as_str().as_bytes()).await;
    let kept = kept.expect("read").expect("it was kept");
    kept.value.windows(3).any(|text| text == b"ill")
}

fn positions(through: u64, ill: bool) -> Vec<u64> {
    let all = 1..=through;
    all.filter(|position| is_ill(*position) == ill).collect()
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_fails_fifty_times_holds_up_no_other_and_comes_in_order_once_it_does_not() {
    let world = world(narrow()).await;
    publish(&world, 300).await;
    let last = 300 * (OTHERS + 1);
    let mut member = join(&world).await;
    let mut had = Had::default();
    had.take(&mut member, true, |had| had.others().len() == 30_000)
        .await;
    assert_eq!(had.others(), positions(last, false));
    had.take(&mut member, true, |had| had.failed[&1] >= 50)
        .await;
    let told = overview(&world).await;
    assert_eq!(
        (told.status.subjects_aside, told.status.lag.events),
        (1, 300)
    );
    assert_eq!(told.partitions[0].checkpoint.get(), last);

    publish(&world, 1).await;
    had.take(&mut member, false, |had| {
        had.done.len() == 30_000 + 300 + 101
    })
    .await;
    assert_eq!(had.ill(), positions(last + 101, true));
    assert!(is_idle(&mut member).await);
    let told = overview(&world).await;
    assert_eq!((told.status.subjects_aside, told.status.lag.events), (0, 0));
    assert_eq!(told.partitions[0].checkpoint.get(), last + 101);
}

#[tokio::test(start_paused = true)]
async fn where_a_subject_aside_is_outlasts_the_server_and_nothing_else_comes_again() {
    let place = Place::new(Options::default());
    let open = || Arc::new(Memory::open(&place).expect("nobody else has it"));
    let world = World::over(open(), TAIL_BYTES_MAX).await;
    create(&world, narrow()).await;
    publish(&world, 300).await;
    let last = 300 * (OTHERS + 1);
    let mut member = join(&world).await;
    let mut had = Had::default();
    had.take(&mut member, true, |had| had.others().len() == 15_000)
        .await;
    world.core.close().await;
    drop(member);
    drop(world);

    let world = World::over(open(), TAIL_BYTES_MAX).await;
    let told = overview(&world).await;
    assert_eq!(told.status.subjects_aside, 1);
    let mut member = join(&world).await;
    had.take(&mut member, true, |had| had.others().len() == 30_000)
        .await;
    assert_eq!(had.others(), positions(last, false));
    had.take(&mut member, true, |had| had.failed[&1] >= 50)
        .await;
    had.take(&mut member, false, |had| had.done.len() == 30_000 + 300)
        .await;
    assert_eq!(had.ill(), positions(last, true));
    assert!(is_idle(&mut member).await);
    let told = overview(&world).await;
    assert_eq!((told.status.subjects_aside, told.status.lag.events), (0, 0));
}

/// A member that was sent so many events of a subject before the first of them failed.
#[tokio::test(start_paused = true)]
async fn what_is_let_go_of_when_a_subject_is_set_aside_is_void_and_comes_again_behind_it() {
    let world = world(Settings {
        max_in_flight: 1_000,
        ..narrow()
    })
    .await;
    let batch = vec!["f/t/ill"; 600];
    world.publish(&batch).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 600).await;
    settle(&member, &receipts[500..510], Verdict::Done).await;
    let late = Verdict::Failed(Duration::from_secs(1));
    settle(&member, &receipts[..1], late).await;
    assert!(is_idle(&mut member).await);
    assert_eq!(overview(&world).await.status.subjects_aside, 1);
    assert_eq!(settled(&member, &receipts[1..], Verdict::Done).await, 0);
    let mut all = Vec::new();
    while all.len() < 600 {
        let (positions, receipts) = take(&mut member, 1).await;
        settle(&member, &receipts, Verdict::Done).await;
        all.extend(positions);
    }
    assert_eq!(all, (1..=600).collect::<Vec<u64>>());
    assert!(is_idle(&mut member).await);
    assert_eq!(overview(&world).await.status.lag.events, 0);
}

#[tokio::test(start_paused = true)]
async fn a_subject_aside_that_is_erased_is_none_and_is_not_named_any_more() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    create(&world, narrow()).await;
    publish(&world, 3).await;
    let mut member = join(&world).await;
    let mut had = Had::default();
    had.take(&mut member, true, |had| had.others().len() == 300)
        .await;
    assert_eq!(overview(&world).await.status.subjects_aside, 1);
    drop(member);
    tokio::time::sleep(2 * CHECKPOINT_INTERVAL_IDLE).await;
    assert!(is_named(&engine).await);
    let subject = Subject::new("ill").ok();
    let erased = world.core.erase(&world.grant, None, subject).await;
    let receipt = erased.expect("erased");
    loop {
        let receipt = world.core.erasure(&world.grant, &receipt.id).await;
        let receipt = receipt.expect("read").expect("a receipt");
        if receipt.erased.is_some() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(!is_named(&engine).await);
    let told = overview(&world).await;
    assert_eq!((told.status.subjects_aside, told.status.lag.events), (0, 0));
    // What comes of it from here on is in line.
    publish(&world, 1).await;
    let mut member = join(&world).await;
    assert_eq!(take(&mut member, 100).await.0[0], 304);
}

#[tokio::test(start_paused = true)]
async fn events_without_a_subject_and_of_other_feeds_are_aside_as_the_stream_has_them() {
    let mut only = narrow();
    only.selection.feeds = vec![FeedName::new("f").expect("a name")];
    let world = world(only).await;
    let mut batch = vec!["f/t", "other/t", "other/t/a"];
    batch.extend(["f/t/a"; 100]);
    for _ in 0..3 {
        world.publish(&batch).await;
    }
    let is_ill = |position: u64| position % 103 == 1;
    let mut member = join(&world).await;
    let (mut done, mut ill) = (Vec::new(), Vec::new());
    while done.len() < 300 {
        for (position, receipt) in events(&mut member).await {
            let (receipt, _) = receipt.expect("a receipt");
            let verdict = if is_ill(position) {
                Verdict::Failed(Duration::from_secs(1))
            } else {
                done.push(position);
                Verdict::Done
            };
            settled(&member, &[receipt], verdict).await;
        }
    }
    assert_eq!(overview(&world).await.status.subjects_aside, 1);
    while ill.len() < 3 {
        for (position, receipt) in events(&mut member).await {
            let (receipt, _) = receipt.expect("a receipt");
            ill.push(position);
            settle(&member, &[receipt], Verdict::Done).await;
        }
    }
    assert_eq!(ill, [1, 104, 207]);
    assert!(is_idle(&mut member).await);
    assert_eq!(overview(&world).await.status.subjects_aside, 0);
}

#[tokio::test(start_paused = true)]
async fn as_many_subjects_are_aside_as_may_be_and_what_fails_beyond_holds_up_its_partition() {
    let world = world(Settings {
        max_in_flight: 4,
        ..narrow()
    })
    .await;
    let batch: Vec<String> = (0..SUBJECTS_ASIDE_MAX + 20)
        .map(|subject| format!("f/t/{subject}"))
        .collect();
    let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
    for some in batch.chunks(500) {
        world.publish(some).await;
    }
    let mut member = join(&world).await;
    let hour = Verdict::Failed(Duration::from_hours(1));
    let mut failed = Vec::new();
    while let Ok(events) = timeout(Duration::from_millis(10), events(&mut member)).await {
        for (_, receipt) in events {
            let (receipt, _) = receipt.expect("a receipt");
            settle(&member, &[receipt], hour).await;
            failed.push(receipt);
        }
    }
    assert_eq!(failed.len(), SUBJECTS_ASIDE_MAX + 4);
    let told = overview(&world).await;
    assert_eq!(told.status.subjects_aside, SUBJECTS_ASIDE_MAX);
    assert_eq!(told.status.lag.events, SUBJECTS_ASIDE_MAX as u64 + 20);
    // One that is done late has its place taken.
    settle(&member, &failed[..1], Verdict::Done).await;
    let next = SUBJECTS_ASIDE_MAX as u64 + 5;
    assert_eq!(take(&mut member, 1).await.0, [next]);
    let told = overview(&world).await;
    assert_eq!(told.status.subjects_aside, SUBJECTS_ASIDE_MAX);
}
