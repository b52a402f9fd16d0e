//! What stands beside what is slow, fails or is gone: it has its turn.

use std::time::Duration;

use feedwire_core::connectors::{Answered, Phase, Retry, SecretText, Settings};
use feedwire_core::stream::{self, Origin, Which};
use feedwire_event::{StreamName, Subject};
use feedwire_push::Replaying;
use tokio::time::{Instant, sleep, timeout};

use crate::receiver::{Receiver, Reply};
use crate::world::{NAME, World, borrowed, name, rounds, subjects, to};

#[tokio::test(start_paused = true)]
async fn a_subject_that_is_slow_leaves_room_for_others() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| match &*seen.events[0].0 {
        "slow" => Reply::Slow(Duration::from_secs(1)),
        _ => Reply::Status(200),
    });
    world.publish(&rounds(&["slow"], 0..300)).await;
    world.publish(&rounds(&["other"], 0..1)).await;
    world.connect(to(&receiver)).await;
    let has_other = receiver.until(|state| state.taken.contains_key("other"));
    let soon = timeout(Duration::from_secs(5), has_other).await;
    assert!(soon.is_ok(), "it waits for what it has nothing to do with");
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_is_never_answered_holds_up_no_other_however_much_there_is_of_it() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| match &*seen.events[0].0 {
        "bad" => Reply::Never,
        _ => Reply::Status(200),
    });
    world.connect(to(&receiver)).await;
    world.publish(&rounds(&["bad"], 0..100)).await;
    for number in 0..120 {
        let published = Instant::now();
        world.publish(&rounds(&["good"], number..number + 1)).await;
        let came = receiver.until(|state| {
            let taken = state.taken.get("good");
            taken.is_some_and(|taken| taken.contains(&number))
        });
        came.await;
        let late = published.elapsed();
        assert!(late < Duration::from_secs(2), "{number} came {late:?} late");
        sleep(Duration::from_secs(1)).await;
    }
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_receiver_does_not_want_of_many_holds_up_none_of_the_others() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| {
        let is_bad = seen.events[0].0.starts_with("bad");
        Reply::Status(if is_bad { 400 } else { 200 })
    });
    world
        .publish(&rounds(&borrowed(&subjects("bad", 200)), 0..3))
        .await;
    world
        .publish(&rounds(&borrowed(&subjects("good", 50)), 0..3))
        .await;
    let start = Instant::now();
    world.connect(to(&receiver)).await;
    receiver.taken(150).await;
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_erased_while_it_stands_in_hand_is_not_sent() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::Slow(Duration::from_secs(1)));
    world.publish(&rounds(&["gone"], 0..30)).await;
    world.connect(to(&receiver)).await;
    receiver.came(2).await;
    let subject = Subject::new("gone").expect("a subject");
    let erased = world.core.erase(&world.grant, None, Some(subject)).await;
    erased.expect("erased");
    let sent = receiver.state().seen.len();
    world.settled().await;
    let after = receiver.state().seen.len();
    assert!(after <= sent + 1, "{after}, of which {sent} were before");
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn of_a_stream_that_waits_for_less_long_nothing_is_buried_that_was_not_sent() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::Slow(Duration::from_secs(2)));
    let shared = StreamName::new("shared").expect("a name");
    let settings = stream::Settings {
        ack_timeout: Duration::from_secs(10),
        max_deliveries: Some(3),
        ..stream::Settings::new(shared.clone())
    };
    let made = world
        .core
        .create_stream(&world.grant, settings, Origin::Start, None);
    made.await.expect("a stream");
    world.publish(&rounds(&["s"], 0..100)).await;
    let source = feedwire_core::connectors::Source::Stream(shared);
    let connector = Settings {
        concurrency: 64,
        ..to(&receiver)
    };
    world.connect_to(connector, source).await;
    let state = receiver.taken(100).await;
    world.settled().await;
    assert_eq!(state.faults, [""; 0]);
    assert_eq!(state.repeats, 0);
    assert!(world.letters().await.is_empty());
    world.close().await;
}

/// Time does not pass here for whoever never rests.
#[tokio::test(start_paused = true)]
async fn what_waits_as_it_is_asked_to_rests_while_something_else_is_on_its_way() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| match &*seen.events[0].0 {
        "slow" => Reply::Slow(Duration::from_secs(9)),
        _ => Reply::With(429, "retry-after: 30\r\n".to_owned()),
    });
    let shared = StreamName::new("shared").expect("a name");
    let settings = stream::Settings {
        ack_timeout: Duration::from_secs(20),
        ..stream::Settings::new(shared.clone())
    };
    let made = world
        .core
        .create_stream(&world.grant, settings, Origin::Start, None);
    made.await.expect("a stream");
    world.publish(&rounds(&["slow", "other"], 0..1)).await;
    let source = feedwire_core::connectors::Source::Stream(shared);
    world.connect_to(to(&receiver), source).await;
    receiver
        .until(|state| state.taken.contains_key("slow"))
        .await;
    receiver.answer(|_| Reply::Status(200));
    let state = receiver.taken(2).await;
    assert_eq!(state.faults, [""; 0]);
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn one_failure_after_a_quiet_time_disables_nothing() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|_| Reply::Status(400));
    let usual = to(&receiver);
    let settings = Settings {
        disable_after: Duration::from_mins(10),
        retry: Retry {
            age: Duration::from_secs(5),
            ..usual.retry
        },
        ..usual
    };
    world.connect(settings).await;
    world.publish(&rounds(&["a"], 0..1)).await;
    world.settled().await;
    assert_eq!(world.letters().await.len(), 1);
    sleep(Duration::from_mins(20)).await;
    world.publish(&rounds(&["b"], 0..1)).await;
    let before = receiver.state().seen.len();
    receiver.came(before + 1).await;
    sleep(Duration::from_secs(1)).await;
    let phase = world.shown().await.overview.connector.phase.clone();
    assert_eq!(phase, Phase::Active);
    world.close().await;
}

#[tokio::test(start_paused = true)]
async fn dead_letters_of_a_replay_that_is_done_are_pushed_once_more() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let other = Receiver::start().await;
    other.answer(|_| Reply::Status(400));
    let usual = to(&receiver);
    let retry = Retry {
        age: Duration::from_secs(5),
        ..usual.retry
    };
    world.connect(Settings { retry, ..usual }).await;
    world.publish(&rounds(&["a"], 0..1)).await;
    receiver.taken(1).await;
    let replaying = Replaying {
        name: None,
        from: Origin::Start,
        until: None,
        url: Some(format!("http://{NAME}:{}/", other.port)),
    };
    let made = world.push.replay(&world.grant, &name(), replaying).await;
    let replay = made.expect("made").shown.overview.connector;
    let replay = replay.settings.name.clone();
    let is_done = async || {
        let shown = world.push.show(&world.grant, &replay).await;
        shown.expect("there").overview.connector.phase == Phase::Done
    };
    while !is_done().await {
        sleep(Duration::from_secs(1)).await;
    }
    other.answer(|_| Reply::Status(200));
    let redriven = world.push.redrive(&world.grant, &replay, Which::All).await;
    assert_eq!(redriven.expect("redriven"), 1);
    other.taken(1).await;
    while !is_done().await {
        sleep(Duration::from_secs(1)).await;
    }
    world.close().await;
}

/// Pages for errors often show what was asked for.
#[tokio::test(start_paused = true)]
async fn what_a_receiver_says_back_of_secrets_is_not_shown() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answer(|seen| {
        let said = seen.headers["authorization"].to_str().expect("ASCII");
        let token = said.trim_start_matches("Bearer ");
        Reply::Says(
            400,
            format!("you sent {said}, which is {token}; {}", &token[..7]),
        )
    });
    world.connect(to(&receiver)).await;
    let revision = Box::new(|mut revised: feedwire_core::connectors::Revised| {
        let value = SecretText::new("Bearer hunter2-hunter2");
        revised.secrets.headers = vec![("authorization".to_owned(), value)];
        Ok(revised)
    });
    let changed = world.push.change(&world.grant, &name(), revision).await;
    changed.expect("changed");
    let tried = world.push.test(&world.grant, &name()).await.expect("tried");
    let Answered::Status(400, said) = tried.answered else {
        panic!("{:?}", tried.answered);
    };
    assert_eq!(&*said, "you sent ***, which is ***; ***");
    world.close().await;
}
