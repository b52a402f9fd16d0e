//! Receivers that fail, and come back.

use std::time::Duration;

use feedwire_core::connectors::{Answered, Form, Phase, Retry, Settings};
use feedwire_core::stream::Which;
use feedwire_core::{Filter, Grant, Reading, Start, Step};
use feedwire_engine::Limit;
use feedwire_event::{FeedName, ProjectName};
use tokio::time::{Instant, sleep};

use crate::receiver::{ADDRESS, Receiver, Reply};
use crate::world::{NOBODY, World, borrowed, name, rounds, subjects, to};

#[tokio::test(start_paused = true)]
async fn what_fails_for_a_while_comes_again_and_nothing_overtakes_it() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (names, start) = (subjects("s", 30), Instant::now());
    receiver.answer(move |_| {
        let is_over = start.elapsed() > Duration::from_mins(10);
        Reply::Status(if is_over { 200 } else { 500 })
    });
    world.publish(&rounds(&borrowed(&names), 0..20)).await;
    world.connect(to(&receiver)).await;
    let state = receiver.taken(600).await;
    assert_eq!(state.faults, [""; 0]);
    assert_eq!(state.repeats, 0);
    // It is left alone where it is its own fault.
    let failed = state.seen.len() - 600;
    assert!((8..200).contains(&failed), "{failed}");
    assert!(
        start.elapsed() < Duration::from_mins(20),
        "{:?}",
        start.elapsed()
    );
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn whatever_a_receiver_does_with_requests_nothing_is_lost() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let names = subjects("s", 12);
    receiver.answer(|seen| {
        let at = seen.at.elapsed().subsec_nanos() as usize + seen.body.len();
        match (fastrand(seen) + at) % 9 {
            0 => Reply::Status(500),
            1 => Reply::Never,
            2 => Reply::Close,
            3 => Reply::CutHead,
            4 => Reply::CutBody,
            5 => Reply::Huge,
            6 => Reply::Slow(Duration::from_secs(9)),
            7 => Reply::Slow(Duration::from_millis(3)),
            _ => Reply::Status(202),
        }
    });
    world.connect(to(&receiver)).await;
    world.publish(&rounds(&borrowed(&names), 0..10)).await;
    let state = receiver.taken(120).await;
    world.settled().await;
    assert_eq!(state.faults, [""; 0]);
    world.close().await;
}

/// A number that differs from one attempt to the next, and is the same in each run.
fn fastrand(seen: &crate::receiver::Seen) -> usize {
    let signature = seen.headers["webhook-signature"].as_bytes();
    signature.iter().map(|byte| usize::from(*byte)).sum()
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_down_for_a_while_gets_everything() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let names = subjects("s", 20);
    world.connect(to(&receiver)).await;
    world.publish(&rounds(&borrowed(&names), 0..5)).await;
    receiver.taken(50).await;
    world.names.lead_to(NOBODY);
    receiver.hang_up();
    world.publish(&rounds(&borrowed(&names), 5..10)).await;
    sleep(Duration::from_mins(10)).await;
    let down = receiver.state().count();
    assert!(down < 200);
    let health = world.shown().await.health;
    assert!(health.failures > 5 && health.failing_since.is_some());
    world.names.lead_to(ADDRESS);
    let state = receiver.taken(200).await;
    assert_eq!(state.faults, [""; 0]);
    world.settled().await;
    let health = world.shown().await.health;
    assert_eq!((health.failures, health.failing_since), (0, None));
    assert_eq!(health.held_until, None);
    world.close().await;
}

fn given_up_after(receiver: &Receiver, age: Duration) -> Settings {
    let settings = to(receiver);
    let retry = Retry {
        age,
        ..settings.retry
    };
    Settings { retry, ..settings }
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_fails_holds_up_no_other_and_is_given_up_in_time() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let mut names = subjects("s", 20);
    names.push("bad".to_owned());
    receiver.answer(|seen| {
        let is_bad = seen.events.contains(&("bad".to_owned(), 0));
        Reply::Status(if is_bad { 422 } else { 200 })
    });
    let start = Instant::now();
    world.publish(&rounds(&borrowed(&names), 0..10)).await;
    world
        .connect(given_up_after(&receiver, Duration::from_mins(20)))
        .await;
    let state = receiver.taken(200).await;
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(!state.taken.contains_key("bad"));
    // What is behind it of its subject is sent once it is given up.
    let state = receiver.taken(209).await;
    assert!(start.elapsed() >= Duration::from_mins(20));
    assert!(start.elapsed() < Duration::from_mins(20) + Duration::from_mins(6));
    assert_eq!(state.taken["bad"], (1..10).collect::<Vec<_>>());
    let letters = world.letters().await;
    assert!(letters.len() == 1, "{letters:?}");
    let reason = letters[0].reason.as_deref();
    assert_eq!(reason, Some("the receiver answered 422"));
    assert_eq!(world.shown().await.health.buried, 1);
    receiver.answer(|_| Reply::Status(200));
    let redriven = world.push.redrive(&world.grant, &name(), Which::All).await;
    assert_eq!(redriven.expect("redriven"), 1);
    let state = receiver.taken(210).await;
    let sent = state.seen.last().expect("it was sent");
    assert_eq!(sent.events, [("bad".to_owned(), 0)]);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(receiver.state().seen.len(), state.seen.len());
    world.close().await;
}

/// Events that failed again and again, with nothing else to be sent between, were taken for a receiver that is down: what came then waited
/// for minutes, behind all of them.
#[tokio::test(start_paused = true)]
async fn many_subjects_that_fail_hold_up_no_other() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (bad, good) = (subjects("bad", 50), subjects("good", 50));
    receiver.answer(|seen| {
        let is_bad = seen.events[0].0.starts_with("bad");
        Reply::Status(if is_bad { 422 } else { 200 })
    });
    let both: Vec<_> = bad.iter().zip(&good).collect();
    let both: Vec<_> = both
        .into_iter()
        .flat_map(|(a, b)| [a.as_str(), b])
        .collect();
    world.publish(&rounds(&both, 0..3)).await;
    world.connect(to(&receiver)).await;
    sleep(Duration::from_mins(2)).await;
    for number in 3..5 {
        let start = Instant::now();
        let before = receiver.state().count();
        let one = rounds(&borrowed(&good), number..number + 1);
        world.publish(&one).await;
        receiver.taken(before + one.len()).await;
        let took = start.elapsed();
        assert!(took < Duration::from_secs(30), "{took:?}");
    }
    let state = receiver.state();
    assert_eq!(state.faults, [""; 0]);
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_gone_has_the_connector_disabled_until_it_is_resumed() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| {
        let is_third = seen.events[0].1 == 2;
        Reply::Status(if is_third { 410 } else { 200 })
    });
    world.publish(&rounds(&["a"], 0..5)).await;
    world.connect(to(&receiver)).await;
    let phase = world
        .phase(|phase| matches!(phase, Phase::Disabled(_)))
        .await;
    let why = "the receiver answered 410 Gone".to_owned();
    assert_eq!(phase, Phase::Disabled(why.clone()));
    let audited = audited(&world).await;
    assert_eq!(audited.len(), 1);
    assert!(
        audited[0].contains(&why) && audited[0].contains("\"connector\":\"c\""),
        "{audited:?}"
    );
    sleep(Duration::from_mins(1)).await;
    assert_eq!(receiver.state().seen.len(), 3);
    receiver.answer(|_| Reply::Status(200));
    world.set_active(true).await;
    let state = receiver.taken(5).await;
    assert_eq!(state.seen[3].events, [("a".to_owned(), 2)]);
    assert_eq!(state.faults, [""; 0]);
    world.close().await;
}

/// The texts of what is on record of connectors that were disabled.
async fn audited(world: &World) -> Vec<String> {
    let grant = Grant::whole(ProjectName::system());
    let reading = Reading {
        filter: Filter {
            feeds: vec![FeedName::audit()],
            ..Filter::default()
        },
        start: Start::Beginning,
        until: None,
    };
    let mut reader = world.core.follow(&grant, reading).await.expect("a reader");
    let limit = Limit {
        records: 100,
        bytes: 100_000,
    };
    match reader.next(limit).await.expect("events") {
        Step::Events(delivery) => delivery
            .events
            .iter()
            .filter(|event| event.record().ty() == "connector.disable")
            .map(|event| String::from_utf8_lossy(event.record().payload_bytes()).into_owned())
            .collect(),
        step @ (Step::End | Step::Closing) => panic!("events, not {step:?}"),
    }
}

/// It was disabled again by the first request that failed, for it had been failing for so long.
#[tokio::test(start_paused = true)]
async fn a_connector_that_fails_for_too_long_is_disabled_and_begins_anew_when_it_is_resumed() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::Status(500));
    let disable_after = Duration::from_mins(10);
    world.publish(&rounds(&["a", "b"], 0..3)).await;
    let start = Instant::now();
    world
        .connect(Settings {
            disable_after,
            ..to(&receiver)
        })
        .await;
    for _ in 0..2 {
        let phase = world
            .phase(|phase| matches!(phase, Phase::Disabled(_)))
            .await;
        let Phase::Disabled(why) = phase else {
            unreachable!("it was asked for");
        };
        assert!(why.contains("the receiver answered 500"), "{why}");
        let took = start.elapsed();
        assert!(took >= disable_after, "{took:?}");
        let sent = receiver.state().seen.len();
        sleep(Duration::from_mins(12)).await;
        assert_eq!(receiver.state().seen.len(), sent);
        world.set_active(true).await;
        // One that fails does not end it, nor what it tries.
        let state = receiver.came(sent + 6).await;
        assert_eq!(
            world.shown().await.overview.connector.phase,
            Phase::Active,
            "{}",
            state.seen.len()
        );
        assert_eq!(world.shown().await.health.buried, 0);
    }
    receiver.answer(|_| Reply::Status(200));
    let state = receiver.taken(6).await;
    assert_eq!(state.faults, [""; 0]);
    let attempts = world.push.deliveries(&world.grant, &name()).await;
    let last = &attempts.expect("attempts")[0].answered;
    assert_eq!(*last, Answered::Status(200, "".into()));
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_no_receiver_takes_is_alone_soon_and_those_beside_it_arrive() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| {
        let is_bad = |(subject, number): &(String, u64)| subject == "s7" && *number == 3;
        let has_bad = seen.events.iter().any(is_bad);
        Reply::Status(if has_bad { 400 } else { 200 })
    });
    let names = subjects("s", 100);
    world.publish(&rounds(&borrowed(&names), 0..10)).await;
    let start = Instant::now();
    let settings = Settings {
        form: Form::Batch,
        batch_events: 100,
        ..given_up_after(&receiver, Duration::from_mins(10))
    };
    world.connect(settings).await;
    // All but that and those behind it of its subject.
    let state = receiver.taken(1_000 - 7).await;
    assert!(
        start.elapsed() < Duration::from_mins(2),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(state.faults, [""; 0]);
    let state = receiver.taken(1_000 - 1).await;
    assert_eq!(state.taken["s7"], [0, 1, 2, 4, 5, 6, 7, 8, 9]);
    let letters = world.letters().await;
    assert_eq!(letters.len(), 1);
    let reason = letters[0].reason.as_deref();
    assert_eq!(reason, Some("the receiver answered 400"));
    world.close().await;
}

/// More than a partition may have out behind what is not settled.
#[tokio::test(start_paused = true)]
async fn whatever_comes_behind_a_subject_that_fails_arrives() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| {
        let has_bad = seen.events.iter().any(|(subject, _)| subject == "bad");
        Reply::Status(if has_bad { 500 } else { 200 })
    });
    let names = subjects("s", 200);
    world.publish(&rounds(&["bad"], 0..3)).await;
    world.publish(&rounds(&borrowed(&names), 0..100)).await;
    let settings = Settings {
        form: Form::Batch,
        batch_events: 100,
        ..to(&receiver)
    };
    world.connect(settings).await;
    let state = receiver.taken(20_000).await;
    assert!(!state.taken.contains_key("bad"));
    receiver.answer(|_| Reply::Status(200));
    let state = receiver.taken(20_003).await;
    assert_eq!(state.faults, [""; 0]);
    world.settled().await;
    world.close().await;
}
