//! Streams over the core: members that come and go, what is acknowledged, and what is kept of it.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_engine::{Engine, Retention};
use feedwire_event::{FeedName, Position, StreamName, Subject};

use super::world::{EVERYTHING, World};
use crate::limits::TAIL_BYTES_MAX;
use crate::stream::{
    Error, Letter, Member, Mode, Origin, Receipt, Refused, Selection, Settings, Turn, Verdict,
    Which,
};

pub(crate) fn name() -> StreamName {
    StreamName::new("s").expect("a name")
}

pub(crate) fn position(value: u64) -> Position {
    Position::new(value).expect("a position")
}

pub(crate) fn settings() -> Settings {
    Settings::new(name())
}

fn delivered() -> Settings {
    Settings {
        mode: Mode::Delivered,
        ..settings()
    }
}

pub(crate) async fn create(world: &World, settings: Settings) {
    let created = world
        .core
        .create_stream(&world.grant, settings, Origin::Start, None);
    created.await.expect("a stream");
}

/// A world with the stream `s` as `settings` has it.
pub(crate) async fn world(settings: Settings) -> World {
    let world = World::new().await;
    create(&world, settings).await;
    world
}

pub(crate) async fn join(world: &World) -> Member {
    world
        .core
        .join(&world.grant, &name())
        .await
        .expect("a place")
}

/// The next events of `member`: where each is, its receipt, and the how-manieth time it is.
pub(crate) async fn events(member: &mut Member) -> Vec<(u64, Option<(Receipt, u32)>)> {
    loop {
        match member.next(EVERYTHING).await.expect("a turn") {
            Turn::Events(events) => {
                let told = events
                    .iter()
                    .map(|sent| (sent.event.record().position().get(), sent.receipt));
                return told.collect();
            }
            Turn::Changed => {}
            turn @ (Turn::Lost(_) | Turn::Closing | Turn::Done) => panic!("events, not {turn:?}"),
        }
    }
}

/// The positions of the next `count` events of `member`, with their receipts.
pub(crate) async fn take(member: &mut Member, count: usize) -> (Vec<u64>, Vec<Receipt>) {
    let (mut positions, mut receipts) = (Vec::new(), Vec::new());
    while positions.len() < count {
        for (position, receipt) in events(member).await {
            positions.push(position);
            receipts.extend(receipt.map(|(receipt, _)| receipt));
        }
    }
    (positions, receipts)
}

/// Whether nothing comes for `member` in the next ten milliseconds, which pass at once.
pub(crate) async fn is_idle(member: &mut Member) -> bool {
    let events = tokio::time::timeout(Duration::from_millis(10), events(member));
    events.await.is_err()
}

pub(crate) async fn settle(
    world: &World,
    receipts: &[Receipt],
    verdict: Verdict,
) -> (usize, Vec<(Receipt, Refused)>) {
    let settled = world
        .core
        .settle(&world.grant, &name(), receipts, verdict)
        .await;
    settled.expect("looked at")
}

pub(crate) async fn acknowledge(world: &World, receipts: &[Receipt]) {
    assert_eq!(
        settle(world, receipts, Verdict::Done).await,
        (receipts.len(), Vec::new())
    );
}

pub(crate) async fn publish(world: &World, count: usize) {
    for index in 0..count {
        world.publish(&[&format!("f/t/{index}")]).await;
    }
}

/// Everything that there is for `member` now.
pub(crate) async fn drain(member: &mut Member) -> Vec<u64> {
    let mut all = Vec::new();
    while let Ok(events) = tokio::time::timeout(Duration::from_millis(10), events(member)).await {
        all.extend(events.into_iter().map(|(position, _)| position));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn each_event_goes_to_one_of_the_members() {
    let world = world(settings()).await;
    let (mut one, mut other) = (join(&world).await, join(&world).await);
    publish(&world, 100).await;
    let mut all = drain(&mut one).await;
    assert!((20..80).contains(&all.len()), "{}", all.len());
    all.extend(drain(&mut other).await);
    all.sort_unstable();
    assert_eq!(all, (1..=100).collect::<Vec<u64>>());
    let overview = world
        .core
        .stream(&world.grant, &name())
        .await
        .expect("a stream");
    let shares: Vec<usize> = overview
        .members
        .iter()
        .map(|member| member.partitions)
        .collect();
    let out: usize = overview.members.iter().map(|member| member.in_flight).sum();
    assert_eq!(
        (shares, out, overview.status.lag.events),
        (vec![32, 32], 100, 100)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_acknowledged_never_comes_again_and_the_rest_does() {
    let world = world(settings()).await;
    publish(&world, 10).await;
    let mut member = join(&world).await;
    let (positions, receipts) = take(&mut member, 10).await;
    assert_eq!(positions, (1..=10).collect::<Vec<u64>>());
    acknowledge(&world, &receipts[..4]).await;
    drop(member);
    let mut next = join(&world).await;
    assert_eq!(take(&mut next, 6).await.0, [5, 6, 7, 8, 9, 10]);
    let (_, refused) = settle(&world, &receipts[4..5], Verdict::Done).await;
    assert_eq!(refused, [(receipts[4], Refused::Stale)]);
}

#[tokio::test(start_paused = true)]
async fn all_up_to_a_receipt_is_acknowledged_of_its_partition() {
    let one = Settings {
        partitions: 1,
        members_max: 1,
        ..settings()
    };
    let world = world(one).await;
    publish(&world, 10).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 10).await;
    let through = settle(&world, &receipts[6..7], Verdict::DoneThrough).await;
    assert_eq!(through, (7, Vec::new()));
    drop(member);
    assert_eq!(take(&mut join(&world).await, 3).await.0, [8, 9, 10]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_acknowledged_in_time_or_refused_comes_again() {
    let world = world(settings()).await;
    world.publish(&["f/t/a"]).await;
    let mut member = join(&world).await;
    let first = events(&mut member).await;
    let again = events(&mut member).await;
    let attempts = [&first, &again].map(|sent| sent[0].1.map(|(_, attempt)| attempt));
    assert_eq!(attempts, [Some(1), Some(2)]);
    let (receipt, _) = again[0].1.expect("a receipt");
    let delay = Duration::from_secs(7);
    settle(&world, &[receipt], Verdict::Failed(delay)).await;
    let began = tokio::time::Instant::now();
    assert_eq!(events(&mut member).await[0].1, Some((receipt, 3)));
    assert!(began.elapsed() >= delay);
}

/// Whoever keeps a stream's time rests while nobody is there, and was not told of the first to come: for ten seconds nothing came again.
#[tokio::test(start_paused = true)]
async fn what_is_due_comes_in_time_to_the_first_member_of_a_stream_that_rested() {
    let world = world(settings()).await;
    world.publish(&["f/t/a"]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 1).await;
    let delay = Duration::from_millis(500);
    settle(&world, &receipts, Verdict::Failed(delay)).await;
    let began = tokio::time::Instant::now();
    events(&mut member).await;
    assert!(began.elapsed() < 2 * delay, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn no_more_is_out_at_a_member_than_may_be() {
    let few = Settings {
        max_in_flight: 3,
        ..settings()
    };
    let world = world(few).await;
    publish(&world, 10).await;
    let mut member = join(&world).await;
    let (positions, receipts) = take(&mut member, 3).await;
    assert_eq!((positions.len(), is_idle(&mut member).await), (3, true));
    acknowledge(&world, &receipts[..1]).await;
    assert_eq!(drain(&mut member).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_fails_too_often_is_put_aside_and_its_subject_goes_on() {
    let twice = Settings {
        max_deliveries: Some(2),
        ..settings()
    };
    let world = world(twice).await;
    world.publish(&["f/t/a", "f/t/a"]).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 2).await;
    settle(&world, &receipts[..1], Verdict::Failed(Duration::ZERO)).await;
    let stale = settle(&world, &receipts[1..], Verdict::Done).await;
    assert_eq!(stale, (0, vec![(receipts[1], Refused::Stale)]));
    // What waited for it comes once it is known what becomes of it.
    let (positions, receipts) = take(&mut member, 1).await;
    assert_eq!(positions, [1]);
    assert!(is_idle(&mut member).await);
    settle(&world, &receipts, Verdict::Failed(Duration::ZERO)).await;
    let (positions, receipts) = take(&mut member, 1).await;
    assert_eq!(positions, [2]);
    acknowledge(&world, &receipts).await;
    let dead = |letters: &[Letter]| {
        letters
            .iter()
            .map(|letter| letter.position.get())
            .collect::<Vec<_>>()
    };
    let letters = async || {
        world
            .core
            .dead_letters(&world.grant, &name(), None, (10, 1_000))
            .await
    };
    let (found, more) = letters().await.expect("letters");
    assert_eq!(
        (dead(&found), found[0].deliveries, more),
        (vec![1], 2, false)
    );
    assert!(found[0].event.is_some());

    let redriven = world.core.redrive(&world.grant, &name(), Which::All).await;
    assert_eq!(redriven.expect("redriven"), 1);
    let (positions, receipts) = take(&mut member, 1).await;
    assert_eq!(positions, [1]);
    acknowledge(&world, &receipts).await;
    assert!(is_idle(&mut member).await);
    assert_eq!(dead(&letters().await.expect("letters").0), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn in_mode_delivered_a_disconnect_goes_back_to_what_two_heartbeats_have_settled() {
    let world = world(delivered()).await;
    let mut member = join(&world).await;
    publish(&world, 3).await;
    assert_eq!(drain(&mut member).await, [1, 2, 3]);
    for _ in 0..3 {
        member.beat();
        tokio::time::advance(member.heartbeat()).await;
    }
    publish(&world, 2).await;
    assert_eq!(drain(&mut member).await, [4, 5]);
    member.beat();
    drop(member);
    let mut next = join(&world).await;
    assert_eq!(drain(&mut next).await, [4, 5]);
}

#[tokio::test(start_paused = true)]
async fn in_mode_delivered_nothing_is_settled_on_a_connection_that_takes_no_heartbeats() {
    let world = world(delivered()).await;
    let mut member = join(&world).await;
    publish(&world, 3).await;
    assert_eq!(drain(&mut member).await, [1, 2, 3]);
    tokio::time::advance(Duration::from_hours(1)).await;
    drop(member);
    assert_eq!(drain(&mut join(&world).await).await, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_partition_moves_once_what_was_sent_of_it_is_settled() {
    let world = world(settings()).await;
    let mut one = join(&world).await;
    publish(&world, 100).await;
    let (_, receipts) = take(&mut one, 100).await;
    let mut other = join(&world).await;
    publish(&world, 100).await;
    let leaving = one
        .standing()
        .held
        .iter()
        .filter(|held| held.is_leaving)
        .count();
    assert!(leaving > 0);
    let before = drain(&mut other).await.len();
    acknowledge(&world, &receipts).await;
    let after = before + drain(&mut other).await.len();
    assert!(after > before);
    assert_eq!(one.standing().held.len(), 32);
    assert_eq!(drain(&mut one).await.len() + after, 100);
}

#[tokio::test(start_paused = true)]
async fn there_are_as_many_members_as_may_be_and_a_place_is_free_when_one_goes() {
    let world = world(settings()).await;
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(join(&world).await);
    }
    let full = world.core.join(&world.grant, &name()).await;
    assert!(
        matches!(full, Err(Error::Full { members_max: 3, .. })),
        "{full:?}"
    );
    members.pop();
    join(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_sent_elsewhere_goes_on_there_with_its_members() {
    let world = world(settings()).await;
    publish(&world, 10).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 10).await;
    acknowledge(&world, &receipts).await;
    let seek = async |to| world.core.seek_stream(&world.grant, &name(), to).await;
    assert_eq!(
        seek(Origin::After(position(7)))
            .await
            .expect("sought")
            .get(),
        7
    );
    assert_eq!(take(&mut member, 3).await.0, [8, 9, 10]);
    assert_eq!(
        settle(&world, &receipts[..1], Verdict::Done).await.1[0].1,
        Refused::Stale
    );
    seek(Origin::Start).await.expect("sought");
    assert_eq!(take(&mut member, 10).await.0.len(), 10);
    seek(Origin::Now).await.expect("sought");
    assert!(is_idle(&mut member).await);
    let ahead = seek(Origin::After(position(11))).await;
    assert!(
        matches!(ahead, Err(Error::Ahead(last)) if last.get() == 10),
        "{ahead:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn where_a_stream_is_outlasts_the_server() {
    let place = Place::new(Options::default());
    let open = || Arc::new(Memory::open(&place).expect("nobody else has it"));
    let world = World::over(open(), TAIL_BYTES_MAX).await;
    create(&world, settings()).await;
    publish(&world, 10).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 10).await;
    acknowledge(&world, &receipts[..6]).await;
    let (closing, ()) = tokio::join!(member.next(EVERYTHING), world.core.close());
    assert!(matches!(closing, Ok(Turn::Closing)), "{closing:?}");
    drop(member);
    drop(world);

    let world = World::over(open(), TAIL_BYTES_MAX).await;
    let mut member = join(&world).await;
    let (positions, again) = take(&mut member, 4).await;
    assert_eq!(positions, [7, 8, 9, 10]);
    assert!(
        again
            .iter()
            .zip(&receipts[6..])
            .all(|(new, old)| new.generation > old.generation)
    );
    assert_eq!(
        settle(&world, &receipts[6..7], Verdict::Done).await.1[0].1,
        Refused::Stale
    );
}

#[tokio::test(start_paused = true)]
async fn checkpoints_that_nobody_came_back_to_are_forgotten() {
    let world = world(settings()).await;
    publish(&world, 5).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 5).await;
    acknowledge(&world, &receipts).await;
    drop(member);
    let day = 24 * 60 * 60;
    world.clock.set(7 * day);
    assert!(is_idle(&mut join(&world).await).await);
    world.clock.set(14 * day + 1);
    assert_eq!(take(&mut join(&world).await, 5).await.0, [1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn what_retention_takes_is_told_and_the_stream_goes_on() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), 1).await;
    create(&world, settings()).await;
    for at in 1..=10 {
        world.clock.set(at * 10);
        world.publish(&["f/t/a"]).await;
    }
    drop(join(&world).await);
    // Nothing is trimmed before it is counted.
    world.core.feeds(&world.grant).await.expect("counted");
    let log = engine.log(world.grant.project()).await.expect("a log");
    let keep = Retention {
        age: Some(Duration::from_secs(25)),
        bytes: None,
    };
    log.trim(keep, crate::Clock::now(&*world.clock), Position::MAX)
        .await
        .expect("trimmed");
    let mut member = join(&world).await;
    let lost = loop {
        match member.next(EVERYTHING).await.expect("a turn") {
            Turn::Lost(lost) => break lost,
            Turn::Changed => {}
            turn @ (Turn::Events(_) | Turn::Closing | Turn::Done) => panic!("lost, not {turn:?}"),
        }
    };
    assert_eq!((lost.lost_at_most, lost.first.get()), (7, 8));
    assert_eq!(take(&mut member, 3).await.0, [8, 9, 10]);
    let overview = world
        .core
        .stream(&world.grant, &name())
        .await
        .expect("a stream");
    assert_eq!(overview.status.lost_at_most, 7);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_erased_is_not_sent_and_holds_nothing_up() {
    let world = world(settings()).await;
    world.publish(&["f/t/a"]).await;
    world.publish(&["f/t/b"]).await;
    let mut member = join(&world).await;
    take(&mut member, 2).await;
    drop(member);
    let erased = world
        .core
        .erase(&world.grant, None, Subject::new("a").ok())
        .await;
    erased.expect("erased");
    let mut member = join(&world).await;
    let (positions, receipts) = take(&mut member, 1).await;
    assert_eq!(positions, [2]);
    acknowledge(&world, &receipts).await;
    let overview = world
        .core
        .stream(&world.grant, &name())
        .await
        .expect("a stream");
    assert_eq!(overview.status.lag.events, 0);
    assert!(
        overview
            .partitions
            .iter()
            .all(|partition| partition.checkpoint.get() == 2)
    );
}

#[tokio::test(start_paused = true)]
async fn members_are_sent_away_when_a_stream_is_changed_or_deleted() {
    let world = world(settings()).await;
    publish(&world, 2).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 2).await;
    acknowledge(&world, &receipts[..1]).await;
    let change = Box::new(|settings| {
        Ok(Settings {
            members_max: 1,
            ..settings
        })
    });
    let changed = world
        .core
        .change_stream(&world.grant, &name(), change, None)
        .await;
    assert_eq!(changed.expect("changed").settings.members_max, 1);
    assert!(matches!(member.next(EVERYTHING).await, Ok(Turn::Closing)));
    let mut member = join(&world).await;
    assert_eq!(take(&mut member, 1).await.0, [2]);

    let connected = world.core.delete_stream(&world.grant, &name(), true).await;
    assert!(
        matches!(connected, Err(Error::Connected(1))),
        "{connected:?}"
    );
    world
        .core
        .delete_stream(&world.grant, &name(), false)
        .await
        .expect("deleted");
    assert!(matches!(member.next(EVERYTHING).await, Ok(Turn::Closing)));
    let gone = world.core.join(&world.grant, &name()).await;
    assert!(matches!(gone, Err(Error::Unknown(_))), "{gone:?}");
    create(&world, settings()).await;
    assert_eq!(take(&mut join(&world).await, 2).await.0, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_is_live_only_reaches_a_member_that_was_there_before_it_and_nobody_later() {
    let world = world(Settings {
        selection: Selection {
            live_feeds: vec![FeedName::new("live").expect("a name")],
            ..Selection::default()
        },
        ..settings()
    })
    .await;
    world.publish(&["live/t/a", "f/t/a"]).await;
    let mut member = join(&world).await;
    assert_eq!(take(&mut member, 1).await.0, [2]);
    world.publish(&["live/t/a"]).await;
    let (positions, _) = take(&mut member, 1).await;
    assert_eq!(positions, [3]);
    drop(member);
    let mut later = join(&world).await;
    assert_eq!(drain(&mut later).await, [2]);
}
