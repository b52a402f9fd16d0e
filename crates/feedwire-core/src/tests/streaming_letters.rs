//! Dead letters over the core, and what counts towards them.

use std::time::Duration;

use feedwire_engine::memory::Memory;
use feedwire_event::FeedName;

use super::ailing::Ailing;
use super::streaming::{
    acknowledge, create, drain, is_idle, join, name, position, settings, settle, take, world,
};
use super::world::{EVERYTHING, World};
use crate::projects::Bounds;
use crate::stream::{Letter, Member, Selection, Sent, Settings, Turn, Verdict, Which};

/// Of each event one sending is enough.
fn once() -> Settings {
    Settings {
        max_deliveries: Some(1),
        ..settings()
    }
}

/// Has the first `count` events of the stream put aside.
async fn bury(world: &World, count: usize) {
    let mut member = join(world).await;
    let (_, receipts) = take(&mut member, count).await;
    settle(world, &receipts, Verdict::Failed(Duration::ZERO)).await;
    assert!(is_idle(&mut member).await);
}

async fn letters(world: &World) -> Vec<Letter> {
    let name = name();
    let letters = world
        .core
        .dead_letters(&world.grant, &name, None, (10, 1_000));
    letters.await.expect("letters").0
}

/// Both found the letter, and both said that they had it sent.
#[tokio::test(start_paused = true)]
async fn a_letter_that_two_have_sent_once_more_at_once_is_sent_once_and_counted_for_one() {
    let engine = Ailing::over(Memory::new());
    let ailments = engine.ailments.clone();
    let world = World::within(engine, Bounds::default()).await;
    create(&world, once()).await;
    world.publish(&["f/t/a"]).await;
    bury(&world, 1).await;
    let name = name();
    ailments.stuck_space.send_replace("dead-letters");
    let redrive = || {
        let these = Which::These(vec![position(1)]);
        world.core.redrive(&world.grant, &name, these)
    };
    let (one, other, ()) = tokio::join!(redrive(), redrive(), async {
        ailments.sticks.notified().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        ailments.stuck_space.send_replace("");
    });
    assert_eq!(one.expect("looked at") + other.expect("looked at"), 1);
    let mut member = join(&world).await;
    let (positions, receipts) = take(&mut member, 1).await;
    assert_eq!(positions, [1]);
    acknowledge(&world, &receipts).await;
    assert!(is_idle(&mut member).await);
    assert!(letters(&world).await.is_empty());
}

/// Whoever may have all that the stream sends now was shown and sent what it had put aside before.
#[tokio::test(start_paused = true)]
async fn letters_that_a_stream_is_not_of_any_more_are_neither_shown_nor_sent() {
    let world = world(once()).await;
    world.publish(&["f/t/a", "secret/t/b"]).await;
    bury(&world, 2).await;
    let name = name();
    let narrow = Box::new(|settings| {
        let selection = Selection {
            feeds: vec![FeedName::new("f").expect("a name")],
            ..Selection::default()
        };
        Ok(Settings {
            selection,
            ..settings
        })
    });
    let changed = world.core.change_stream(&world.grant, &name, narrow, None);
    changed.await.expect("changed");
    let shown = |letter: &Letter| (letter.position.get(), letter.event.is_some());
    let found: Vec<_> = letters(&world).await.iter().map(shown).collect();
    assert_eq!(found, [(1, true), (2, false)]);

    let redriven = world.core.redrive(&world.grant, &name, Which::All).await;
    assert_eq!(redriven.expect("redriven"), 2);
    let mut member = join(&world).await;
    assert_eq!(take(&mut member, 1).await.0, [1]);
    assert!(is_idle(&mut member).await);
    let left: Vec<_> = letters(&world).await.iter().map(shown).collect();
    assert_eq!(left, [(1, true)], "what cannot be sent is done with");
}

/// The next events of `member`.
async fn sent(member: &mut Member) -> Vec<Sent> {
    loop {
        match member.next(EVERYTHING).await.expect("a turn") {
            Turn::Events(events) => return events,
            Turn::Changed => {}
            turn @ (Turn::Lost(_) | Turn::Closing | Turn::Done) => panic!("events, not {turn:?}"),
        }
    }
}

/// A server without room for what it was about to send ended the connection, and put the event aside in the end though nobody ever had it.
#[tokio::test(start_paused = true)]
async fn what_was_not_sent_for_want_of_room_does_not_count_as_sent() {
    let world = world(once()).await;
    world.publish(&["f/t/a"]).await;
    let mut member = join(&world).await;
    let events = sent(&mut member).await;
    member.not_sent(&events);
    drop(member);
    assert_eq!(drain(&mut join(&world).await).await, [1]);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_put_off_comes_later_in_order_and_does_not_count_as_sent() {
    let world = world(once()).await;
    world.publish(&["f/t/a", "f/t/a", "f/t/b"]).await;
    let mut member = join(&world).await;
    let settler = member.settler();
    for _ in 0..5 {
        let mut held = Vec::new();
        while held.len() < 3 {
            held.extend(sent(&mut member).await);
        }
        let wait = Duration::from_secs(10);
        settler.put_off(&held, wait).expect("put off");
        assert!(!held.iter().any(|sent| settler.has(sent)));
        // What is no longer there is nothing to be put off.
        settler.put_off(&held, wait).expect("put off");
        assert!(is_idle(&mut member).await);
        tokio::time::sleep(wait).await;
    }
    let (positions, receipts) = take(&mut member, 3).await;
    let of_a: Vec<_> = positions.iter().filter(|at| **at != 3).collect();
    assert_eq!((positions.len(), of_a), (3, vec![&1, &2]));
    acknowledge(&world, &receipts).await;
    assert!(letters(&world).await.is_empty());
}
