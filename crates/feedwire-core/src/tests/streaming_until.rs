//! Streams that end, and events that are given up.

use std::time::Duration;

use super::streaming::{
    acknowledge, events, is_idle, join, name, position, publish, settings, settle, take, world,
};
use super::world::{EVERYTHING, World};
use crate::stream::{Member, Origin, Receipt, Settings, Turn, Verdict, Which};

fn until(last: u64) -> Settings {
    Settings {
        until: Some(position(last)),
        ..settings()
    }
}

/// Whether the stream is at its end for `member`, which is told within ten milliseconds then.
async fn ends(member: &mut Member) -> bool {
    let done = async {
        loop {
            match member.next(EVERYTHING).await.expect("a turn") {
                Turn::Done => return,
                Turn::Changed => {}
                turn @ (Turn::Events(_) | Turn::Lost(_) | Turn::Closing) => {
                    panic!("the end, not {turn:?}")
                }
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_millis(10), done).await;
    assert_eq!(told.is_ok(), member.is_done());
    told.is_ok()
}

/// The receipts of everything that there is for `member` now.
async fn receipts_of(member: &mut Member) -> Vec<Receipt> {
    let mut all = Vec::new();
    while let Ok(events) = tokio::time::timeout(Duration::from_millis(10), events(member)).await {
        all.extend(events.into_iter().filter_map(|(_, receipt)| receipt));
    }
    all.into_iter().map(|(receipt, _)| receipt).collect()
}

async fn reasons(world: &World) -> Vec<(u64, u32, Option<String>)> {
    let name = name();
    let letters = world
        .core
        .dead_letters(&world.grant, &name, None, (10, 100_000));
    let letters = letters.await.expect("letters").0.into_iter();
    let told = letters.map(|letter| {
        let reason = letter.reason.map(|reason| reason.to_string());
        (letter.position.get(), letter.deliveries, reason)
    });
    told.collect()
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_is_done_when_everything_up_to_there_is_settled() {
    let world = world(until(50)).await;
    publish(&world, 40).await;
    let (mut one, mut other) = (join(&world).await, join(&world).await);
    let mut receipts = receipts_of(&mut one).await;
    receipts.extend(receipts_of(&mut other).await);
    assert_eq!(receipts.len(), 40);
    acknowledge(&world, &receipts).await;
    assert!(!ends(&mut one).await && !ends(&mut other).await);
    publish(&world, 20).await;
    let mut rest = receipts_of(&mut one).await;
    rest.extend(receipts_of(&mut other).await);
    let last = rest.iter().map(|receipt| receipt.position.get()).max();
    assert_eq!((rest.len(), last), (10, Some(50)));
    acknowledge(&world, &rest[..9]).await;
    assert!(!ends(&mut one).await && !ends(&mut other).await);
    acknowledge(&world, &rest[9..]).await;
    assert!(ends(&mut one).await && ends(&mut other).await);
    let overview = world.core.stream(&world.grant, &name()).await;
    let status = overview.expect("a stream").status;
    assert_eq!((status.lag.events, status.counted), (0, position(50)));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_is_not_done_while_a_letter_is_sent_once_more() {
    let world = world(until(1)).await;
    publish(&world, 2).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 1).await;
    settle(&world, &receipts, Verdict::Dead).await;
    assert!(ends(&mut member).await);
    let redriven = world.core.redrive(&world.grant, &name(), Which::All).await;
    assert_eq!(redriven.expect("redriven"), 1);
    assert!(!member.is_done());
    let (positions, receipts) = take(&mut member, 1).await;
    assert_eq!(positions, [1]);
    assert!(!ends(&mut member).await);
    acknowledge(&world, &receipts).await;
    assert!(ends(&mut member).await);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_at_its_end_goes_on_when_it_is_sent_back() {
    let world = world(until(2)).await;
    publish(&world, 3).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 2).await;
    acknowledge(&world, &receipts).await;
    assert!(ends(&mut member).await);
    let back = Origin::After(position(1));
    let sought = world.core.seek_stream(&world.grant, &name(), back).await;
    sought.expect("sought");
    assert_eq!(take(&mut member, 1).await.0, [2]);
    assert!(!member.is_done());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_given_up_is_dead_at_once_with_its_reason_and_its_subject_goes_on() {
    let world = world(settings()).await;
    world.publish(&["f/t/a", "f/t/a"]).await;
    let mut member = join(&world).await;
    let (_, receipts) = take(&mut member, 2).await;
    let reason = "\u{e9}".repeat(300);
    let settler = member.settler();
    let given_up = settler.settle(&receipts[..1], Verdict::Dead, Some(&reason));
    assert_eq!(given_up.await.expect("looked at"), (1, Vec::new()));
    let (positions, receipts) = take(&mut member, 1).await;
    assert_eq!(positions, [2]);
    let kept = "\u{e9}".repeat(256);
    assert_eq!(reasons(&world).await, [(1, 1, Some(kept))]);
    settle(&world, &receipts, Verdict::Dead).await;
    assert!(is_idle(&mut member).await);
    assert_eq!(reasons(&world).await[1], (2, 2, None));
}

#[tokio::test(start_paused = true)]
async fn what_fails_too_often_is_dead_for_the_last_reason() {
    let twice = Settings {
        max_deliveries: Some(2),
        ..settings()
    };
    let world = world(twice).await;
    publish(&world, 1).await;
    let mut member = join(&world).await;
    for reason in ["503", "504"] {
        let (_, receipts) = take(&mut member, 1).await;
        let failed = Verdict::Failed(Duration::ZERO);
        let settled = member
            .settler()
            .settle(&receipts, failed, Some(reason))
            .await;
        assert_eq!(settled.expect("looked at"), (1, Vec::new()));
    }
    assert!(is_idle(&mut member).await);
    let dead = [(1, 2, Some("504".to_owned()))];
    assert_eq!(reasons(&world).await, dead);
}
