//! Random histories: whatever happens, everything arrives, in order of each subject.

use std::time::Duration;

use feedwire_core::connectors::{Form, Settings};
use proptest::prelude::*;
use proptest::test_runner::Config;
use tokio::time::{advance, sleep};

use crate::receiver::{Receiver, Reply};
use crate::world::{World, to};

#[derive(Clone, Debug)]
enum Act {
    /// So many events of one of four subjects, or of none.
    Publish(usize, u64),
    /// Requests are answered like this, one after the other, again and again.
    Answer(Vec<Reply>),
    Pause,
    Resume,
    Reopen,
    Wait(u64),
    HangUp,
}

const SUBJECTS: [&str; 5] = ["a", "b", "c", "d", ""];

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        3 => Just(Reply::Status(200)),
        1 => Just(Reply::Status(500)),
        1 => Just(Reply::With(429, "retry-after: 7\r\n".to_owned())),
        1 => Just(Reply::Never),
        1 => Just(Reply::Close),
        1 => Just(Reply::CutHead),
        1 => Just(Reply::CutBody),
        1 => (1..15_000_u64).prop_map(|millis| Reply::Slow(Duration::from_millis(millis))),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..SUBJECTS.len(), 1..20_u64).prop_map(|(subject, count)| Act::Publish(subject, count)),
        2 => prop::collection::vec(reply(), 1..6).prop_map(Act::Answer),
        1 => Just(Act::Pause),
        1 => Just(Act::Resume),
        1 => Just(Act::Reopen),
        3 => (1..20_000_u64).prop_map(Act::Wait),
        1 => Just(Act::HangUp),
    ]
}

fn answer(receiver: &Receiver, replies: Vec<Reply>) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    receiver.answer(move |_| {
        let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        replies[at % replies.len()].clone()
    });
}

async fn live(acts: Vec<Act>, batch_events: usize, concurrency: usize) {
    let (mut world, receiver) = (World::new().await, Receiver::start().await);
    let form = if batch_events == 1 {
        Form::Structured
    } else {
        Form::Batch
    };
    world
        .connect(Settings {
            form,
            batch_events,
            concurrency,
            ..to(&receiver)
        })
        .await;
    let mut published = [0; SUBJECTS.len()];
    for act in acts {
        match act {
            Act::Publish(subject, count) => {
                let first = published[subject];
                published[subject] += count;
                let events: Vec<_> = (first..first + count)
                    .map(|number| (SUBJECTS[subject], number))
                    .collect();
                world.publish(&events).await;
            }
            Act::Answer(replies) => answer(&receiver, replies),
            Act::Pause => world.set_active(false).await,
            Act::Resume => world.set_active(true).await,
            Act::Reopen => world = world.reopen().await,
            Act::Wait(millis) => sleep(Duration::from_millis(millis)).await,
            Act::HangUp => receiver.hang_up(),
        }
        // Two changes are at two times.
        advance(Duration::from_millis(1)).await;
    }
    receiver.answer(|_| Reply::Status(200));
    world.set_active(true).await;
    world.settled().await;
    let state = receiver.state();
    assert_eq!(state.faults, [""; 0]);
    for (subject, count) in SUBJECTS.iter().zip(published) {
        let taken = state.taken.get(*subject).cloned().unwrap_or_default();
        assert_eq!(taken, (0..count).collect::<Vec<_>>(), "of {subject}");
    }
    world.close().await;
}

proptest! {
    #![proptest_config(Config { cases: 24, ..Config::default() })]

    #[test]
    fn everything_arrives_in_order_whatever_happens(
        acts in prop::collection::vec(act(), 1..25),
        batch_events in prop_oneof![Just(1_usize), 2..8_usize],
        concurrency in 1..6_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(live(acts, batch_events, concurrency));
    }
}
