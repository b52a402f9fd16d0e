//! Streams of a real server: made and settled, and joined by members that share them, fail, leave and come back.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::pending;

use feedwire_client::{
    Ack, Client, DeadLetters, Delivery, Error, Event, Interruption, JoinError, MaxDeliveries,
    NewEvent, NewStream, Notice, StreamFilter, Turn, WhichLetters,
};
use feedwire_testkit::TestServer;
use parking_lot::Mutex;
use tokio::sync::Notify;

async fn server() -> (TestServer, Client) {
    let server = TestServer::start().await;
    let client = Client::new(&format!("http://{}", server.address)).expect("an address");
    (server, client)
}

fn named(name: &str) -> NewStream {
    NewStream {
        name: Some(name.to_owned()),
        ..NewStream::default()
    }
}

/// A server with the stream `s`, and `count` events of three subjects.
async fn with_stream(stream: NewStream, count: u64) -> (TestServer, Client) {
    let (server, client) = server().await;
    client.create_stream(&stream).await.expect("made");
    if count > 0 {
        publish(&client, 1, count).await;
    }
    (server, client)
}

/// Publishes the numbers from `first` on, of three subjects.
async fn publish(client: &Client, first: u64, count: u64) {
    let events: Vec<_> = (first..first + count)
        .map(|number| {
            let event = NewEvent::new("t").subject(subject(number));
            event.data(&number).expect("JSON")
        })
        .collect();
    client.publish("f").batch(&events).await.expect("published");
}

fn subject(number: u64) -> String {
    format!("s{}", number % 3)
}

fn number(delivery: &Delivery) -> u64 {
    delivery.event.data().expect("a number")
}

/// The numbers that were done, and whoever waits for more.
#[derive(Debug, Default)]
struct Done {
    numbers: Mutex<Vec<u64>>,
    changed: Notify,
}

impl Done {
    async fn take(&self, delivery: Delivery) -> Result<(), Infallible> {
        self.numbers.lock().push(number(&delivery));
        self.changed.notify_waiters();
        tokio::task::yield_now().await;
        Ok(())
    }

    /// Ends when `count` numbers were done.
    async fn have(&self, count: u64) {
        loop {
            let changed = self.changed.notified();
            if self.different().len() as u64 >= count {
                return;
            }
            changed.await;
        }
    }

    fn different(&self) -> BTreeSet<u64> {
        self.numbers.lock().iter().copied().collect()
    }

    fn all(&self) -> Vec<u64> {
        self.numbers.lock().clone()
    }
}

/// Whether the numbers of each subject are in order, what is done again left aside.
fn is_in_order(numbers: &[u64]) -> bool {
    let mut seen = BTreeSet::new();
    let mut last = BTreeMap::new();
    numbers
        .iter()
        .filter(|number| seen.insert(**number))
        .all(|number| {
            last.insert(subject(*number), *number)
                .is_none_or(|before| before < *number)
        })
}

/// Runs a member until `count` events are done; they are all that it is sent.
async fn does(client: &Client, count: u64) -> Vec<u64> {
    let done = Done::default();
    let join = client.join("s").limit(count);
    join.run(async |delivery| done.take(delivery).await)
        .await
        .expect("it is a member");
    done.all()
}

/// The dead letters, once there are `count`: they come and go behind the answers to who refuses and acknowledges.
async fn letters_until(client: &Client, count: usize) -> DeadLetters {
    loop {
        let letters = client.dead_letters("s", None).await.expect("a list");
        if letters.dead_letters.len() == count {
            return letters;
        }
    }
}

#[tokio::test]
async fn a_stream_is_made_listed_shown_changed_sought_and_deleted() {
    let (_server, client) = server().await;
    publish(&client, 1, 5).await;
    let new = NewStream {
        filter: Some(StreamFilter {
            feeds: vec!["f".into()],
            ..StreamFilter::default()
        }),
        partitions: Some(4),
        ..named("billing")
    };
    let made = client.create_stream(&new).await.expect("made");
    assert_eq!((made.partitions, made.mode.as_str()), (4, "explicit"));
    client.create_stream(&named("alarms")).await.expect("made");
    let listed = client.streams(Some("alarms")).await.expect("a list");
    assert_eq!(listed.streams.len(), 1);
    assert_eq!(
        (listed.streams[0].name.as_str(), listed.next),
        ("billing", None)
    );
    let change = NewStream {
        max_deliveries: Some(MaxDeliveries::Unbounded),
        ..NewStream::default()
    };
    let changed = client.change_stream("billing", &change).await;
    let changed = changed.expect("changed");
    assert_eq!(
        (changed.max_deliveries, changed.filter),
        (None, made.filter)
    );
    let sought = client.seek("billing", "3").await.expect("it goes on");
    assert_eq!(sought.position, 3);
    let shown = client.stream("billing").await.expect("it is there");
    let checkpoints = shown.partition_details.iter();
    assert!(
        checkpoints
            .clone()
            .all(|partition| partition.checkpoint >= 3)
    );
    assert_eq!(checkpoints.len(), 4);
    client.delete_stream("billing").await.expect("deleted");
    let gone = client.stream("billing").await.expect_err("it is gone");
    assert_eq!(gone.problem().map(|problem| problem.status), Some(404));
}

#[tokio::test]
async fn two_members_do_all_that_there_is_and_each_subject_in_order() {
    let (server, client) = with_stream(named("s"), 0).await;
    let done = Done::default();
    let member = || {
        let join = client.join("s").concurrency(4);
        join.run_until(done.have(300), async |delivery| done.take(delivery).await)
    };
    let publishing = async {
        for first in 0..10 {
            publish(&client, first * 30 + 1, 30).await;
        }
    };
    let (one, other, ()) = tokio::join!(member(), member(), publishing);
    one.and(other).expect("both are members");
    let numbers = done.all();
    assert!(is_in_order(&numbers), "{numbers:?}");
    assert!(done.different().into_iter().eq(1..=300));
    let stream = client.stream("s").await.expect("it is there").stream;
    assert_eq!(stream.lag.events, 0, "what is done is acknowledged");
    server.stopped().await;
}

#[tokio::test]
async fn an_event_that_fails_comes_again_before_the_later_ones_of_its_subject() {
    let (_server, client) = with_stream(named("s"), 9).await;
    let tried = Mutex::new(Vec::new());
    let join = client.join("s").limit(9).concurrency(3);
    let joined = join.run(async |delivery: Delivery| {
        let number = number(&delivery);
        tried.lock().push((number, delivery.attempt));
        if number == 4 && delivery.attempt < Some(2) {
            Err("not now")
        } else {
            Ok(())
        }
    });
    joined.await.expect("it is a member");
    let tried = tried.into_inner();
    let of_subject: Vec<_> = tried.iter().filter(|(number, _)| number % 3 == 1).collect();
    assert_eq!(of_subject[..2], [&(1, Some(1)), &(4, Some(1))]);
    assert_eq!(of_subject[2], &(4, Some(2)));
    assert_eq!(of_subject[3].0, 7);
    assert_eq!(tried.len(), 10);
    assert_eq!(
        client.stream("s").await.expect("there").stream.lag.events,
        0
    );
}

#[tokio::test]
async fn who_ends_has_acknowledged_what_is_done_and_nothing_else() {
    let (_server, client) = with_stream(named("s"), 9).await;
    let first = does(&client, 4).await;
    assert_eq!(first.len(), 4);
    let rest = does(&client, 5).await;
    let all: BTreeSet<u64> = first.into_iter().chain(rest).collect();
    assert!(all.into_iter().eq(1..=9));
}

#[tokio::test]
async fn what_was_begun_when_a_member_is_stopped_is_done_and_acknowledged() {
    let (_server, client) = with_stream(named("s"), 1).await;
    let (begun, goes_on) = (Notify::new(), Notify::new());
    let joined = client.join("s").run_until(begun.notified(), async |_| {
        begun.notify_waiters();
        goes_on.notified().await;
        Ok::<(), Infallible>(())
    });
    let letting_go = async {
        begun.notified().await;
        goes_on.notify_one();
    };
    let (joined, ()) = tokio::join!(joined, letting_go);
    joined.expect("it is a member");
    assert_eq!(
        client.stream("s").await.expect("there").stream.lag.events,
        0
    );
}

#[tokio::test]
async fn what_a_member_that_was_dropped_had_in_hand_goes_to_another() {
    let (_server, client) = with_stream(named("s"), 6).await;
    let begun = Notify::new();
    let joined = client.join("s").run(async |_| {
        begun.notify_one();
        pending::<Result<(), Infallible>>().await
    });
    tokio::select! {
        ended = joined => panic!("{ended:?}"),
        () = begun.notified() => {}
    }
    assert_eq!(does(&client, 6).await.len(), 6);
}

#[tokio::test]
async fn who_finds_no_place_waits_for_one_and_takes_over() {
    let one = NewStream {
        members_max: Some(1),
        heartbeat: Some("1s".into()),
        ..named("s")
    };
    let (_server, client) = with_stream(one, 3).await;
    let mut first = client.join("s").membership();
    while !matches!(first.next().await, Ok(Some(Turn::Delivery(_)))) {}
    let (full, done) = (Notify::new(), Done::default());
    let waiting = client.join("s").limit(3).tries(1).on_notice(|notice| {
        let Notice::Away {
            reason: Interruption::Request(error),
            ..
        } = notice
        else {
            panic!("{notice:?}");
        };
        let kind = error.problem().map(|problem| problem.kind().to_owned());
        assert_eq!(kind.as_deref(), Some("stream-full"));
        full.notify_one();
    });
    let waiting = waiting.run(async |delivery| done.take(delivery).await);
    let leaving = async {
        full.notified().await;
        drop(first);
    };
    let (waited, ()) = tokio::join!(waiting, leaving);
    waited.expect("it is a member then");
    assert_eq!(done.different().len(), 3);
}

#[tokio::test]
async fn what_fails_too_often_is_a_dead_letter_which_is_sent_again_and_done() {
    let once = NewStream {
        max_deliveries: Some(MaxDeliveries::Times(1)),
        ..named("s")
    };
    let (_server, client) = with_stream(once, 6).await;
    let join = client.join("s").limit(5);
    let joined = join.run(async |delivery: Delivery| {
        if number(&delivery) == 1 {
            Err("never")
        } else {
            Ok(())
        }
    });
    joined.await.expect("it is a member");
    let letters = letters_until(&client, 1).await;
    let [letter] = &letters.dead_letters[..] else {
        panic!("{letters:?}");
    };
    let event = letter.event.as_ref().expect("it is there");
    let event = Event::from_json(event.get()).expect("an event");
    assert_eq!((letter.position, event.data::<u64>().ok()), (1, Some(1)));

    let which = WhichLetters {
        positions: vec![1],
        all: false,
    };
    let chosen = client.redrive("s", &which).await.expect("chosen");
    assert_eq!(chosen.count, 1);
    assert_eq!(does(&client, 1).await, [1]);
    letters_until(&client, 0).await;
    let all = WhichLetters {
        positions: Vec::new(),
        all: true,
    };
    assert_eq!(client.drop_letters("s", &all).await.expect("none").count, 0);
}

#[tokio::test]
async fn a_stream_that_is_not_there_or_goes_away_ends_its_members() {
    let (_server, client) = with_stream(named("s"), 1).await;
    let status = |error: &JoinError| match error {
        JoinError::Refused(error) => error.problem().map(|problem| problem.status),
        JoinError::Unreadable { .. } | JoinError::GaveUp { .. } => None,
    };
    let missing = client.join("missing").membership().next().await;
    assert_eq!(status(&missing.expect_err("it is not there")), Some(404));

    let begun = Notify::new();
    let joined = client.join("s").run(async |_| {
        begun.notify_one();
        Ok::<(), Infallible>(())
    });
    let deleting = async {
        begun.notified().await;
        client.delete_stream("s").await.expect("deleted");
    };
    let (joined, ()) = tokio::join!(joined, deleting);
    assert_eq!(status(&joined.expect_err("it is gone")), Some(404));
}

#[tokio::test]
async fn a_membership_tells_all_that_comes_and_acknowledges_nothing_by_itself() {
    let (_server, client) = with_stream(named("s"), 1).await;
    let mut membership = client.join("s").membership();
    let joined = membership.next().await.expect("a member");
    assert!(
        matches!(&joined, Some(Turn::Joined(stream)) if stream.name == "s"),
        "{joined:?}"
    );
    let mut held = 0;
    let delivery = loop {
        match membership.next().await.expect("a member") {
            Some(Turn::Heartbeat(heartbeat)) => held = heartbeat.partitions.len(),
            Some(Turn::Delivery(delivery)) => break delivery,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((held, delivery.attempt), (64, Some(1)));
    let lag = async || client.stream("s").await.expect("there").stream.lag.events;
    assert_eq!(lag().await, 1);
    let ack = Ack {
        through: vec![delivery.receipt.expect("it has one")],
        ..Ack::default()
    };
    let settled = client.ack("s", &ack).await.expect("taken");
    assert_eq!((settled.settled, settled.refused), (1, vec![]));
    assert_eq!(lag().await, 0);
}

#[tokio::test]
async fn where_nothing_is_acknowledged_events_are_done_as_they_come() {
    let delivered = NewStream {
        mode: Some("delivered".into()),
        ..named("s")
    };
    let (_server, client) = with_stream(delivered, 9).await;
    let done = Done::default();
    let told = |notice: &Notice<'_>| panic!("{notice:?}");
    let join = client.join("s").limit(9).hold(2).on_notice(told);
    join.run(async |delivery| done.take(delivery).await)
        .await
        .expect("it is a member");
    assert!(is_in_order(&done.all()));
    assert_eq!(done.different().len(), 9);
    let refused = client.ack("s", &Ack::default()).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_member_can_be_a_task_of_its_own() {
    fn is_a_task<T: Send + 'static>(task: T) -> T {
        task
    }
    let (_server, client) = with_stream(named("s"), 1).await;
    let join = client.join("s").limit(1);
    let task = is_a_task(join.run(async |_| Ok::<(), Infallible>(())));
    task.await.expect("it is a member");
}
