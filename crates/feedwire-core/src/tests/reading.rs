//! Starts, ends and limits of a reading.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::Memory;
use feedwire_engine::{Engine, Limit};
use feedwire_event::{Cursor, FeedName, Position, ProjectName, Subject, Timestamp, TypeName};
use tokio_util::sync::CancellationToken;

use super::erasing::append;
use super::world::{EVERYTHING, Hands, World, filter, next};
use crate::filter::Matcher;
use crate::limits::TAIL_BYTES_MAX;
use crate::project::Project;
use crate::{Allowance, Filter, Partition, Reader, Start, Step, TypesIn, Until, read};

fn position(position: u64) -> Position {
    Position::new(position).expect("a position")
}

fn cursor(of: u64) -> Cursor {
    Cursor(position(of))
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// Three batches, recorded at 10, 20 and 30 seconds: positions 1 2, 3, 4 5 6.
async fn three_batches() -> World {
    let world = World::new().await;
    for (at, batch) in [
        (10, &["a/x/1", "b/y/2"][..]),
        (20, &["a/y/2"]),
        (30, &["b/x/1", "a/x/1", "a/x/3"]),
    ] {
        world.clock.set(at);
        world.publish(batch).await;
    }
    world
}

#[tokio::test]
async fn a_reading_starts_where_it_is_told() {
    let world = three_batches().await;
    let check = async |start: Start, expected: &[u64]| {
        let mut reader = world.follow(start, filter("")).await.expect("a reader");
        assert_eq!(next(&mut reader, EVERYTHING).await, expected, "{start:?}");
    };
    check(Start::Beginning, &[1, 2, 3, 4, 5, 6]).await;
    check(Start::After(cursor(0)), &[1, 2, 3, 4, 5, 6]).await;
    check(Start::After(cursor(4)), &[5, 6]).await;
    check(Start::At(seconds(20)), &[3, 4, 5, 6]).await;
    check(Start::At(seconds(21)), &[4, 5, 6]).await;
    let past = |after, time| Start::Past(position(after), time);
    check(past(0, None), &[1, 2, 3, 4, 5, 6]).await;
    check(past(4, None), &[5, 6]).await;
    check(past(1, Some(seconds(20))), &[3, 4, 5, 6]).await;
    check(past(4, Some(seconds(20))), &[5, 6]).await;
    let mut now = world
        .follow(Start::Now, filter(""))
        .await
        .expect("a reader");
    world.publish(&["a/x/1"]).await;
    assert_eq!(next(&mut now, EVERYTHING).await, [7]);
}

#[tokio::test]
async fn a_filter_lets_through_what_has_each_of_its_parts() {
    let world = three_batches().await;
    let check = async |text: &str, expected: &[u64]| {
        let mut reader = world
            .follow(Start::Beginning, filter(text))
            .await
            .expect("a reader");
        assert_eq!(next(&mut reader, EVERYTHING).await, expected, "{text}");
        assert_eq!(reader.cursor(), cursor(6));
    };
    check("a", &[1, 3, 5, 6]).await;
    check("a,b", &[1, 2, 3, 4, 5, 6]).await;
    check(";x", &[1, 4, 5, 6]).await;
    check(";;2,3", &[2, 3, 6]).await;
    check("a;x;1", &[1, 5]).await;
}

#[tokio::test]
async fn a_start_past_the_end_waits_for_what_comes_behind_it() {
    let world = three_batches().await;
    let start = Start::Past(position(8), None);
    let mut reader = world.follow(start, filter("")).await.expect("a reader");
    let none = reader.present(EVERYTHING).await.expect("a delivery");
    assert!(none.events.is_empty() && !none.more);
    assert_eq!(none.head, position(6));
    let publish = async {
        for _ in 7..=9 {
            world.publish(&["a/x/1"]).await;
        }
    };
    let (told, ()) = tokio::join!(next(&mut reader, EVERYTHING), publish);
    assert_eq!(told, [9]);
}

#[tokio::test]
async fn partitions_part_the_subjects_at_the_tail_as_in_the_log() {
    let world = World::new().await;
    let part = |number| Filter {
        partition: Partition::new(number, NonZeroU32::new(3).expect("three")),
        ..filter("")
    };
    let mut readers = Vec::new();
    for number in 0..3 {
        let reader = world.follow(Start::Now, part(number)).await;
        readers.push(reader.expect("a reader"));
    }
    let subjects: Vec<String> = (0..30).map(|number| format!("a/x/{number}")).collect();
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    world.publish(&subjects).await;
    let mut all = Vec::new();
    for (number, follower) in (0..).zip(&mut readers) {
        let tailed = next(follower, EVERYTHING).await;
        let logged = world.follow(Start::Beginning, part(number)).await;
        let logged = next(&mut logged.expect("a reader"), EVERYTHING).await;
        assert_eq!(tailed, logged);
        assert!(!tailed.is_empty());
        all.extend(tailed);
    }
    all.sort_unstable();
    assert_eq!(all, (1..=30).collect::<Vec<u64>>());
}

#[tokio::test]
async fn types_in_a_feed_are_held_against_that_feed_alone_at_the_tail_as_in_the_log() {
    let world = World::new().await;
    let of_a = |text: &str, types: &[&str]| Filter {
        types_in: Some(TypesIn {
            feed: FeedName::new("a").expect("a name"),
            types: types
                .iter()
                .map(|ty| TypeName::new(ty).expect("a name"))
                .collect(),
        }),
        ..filter(text)
    };
    let asked = [
        (of_a("", &["x"]), &[1, 3, 4, 5][..]),
        (of_a("", &["x", "y"]), &[1, 2, 3, 4, 5]),
        (of_a("", &[]), &[3, 4]),
        (of_a("a", &["x"]), &[1, 5]),
        (of_a("b", &["x"]), &[3, 4]),
        (of_a("a,b;y", &["x"]), &[4]),
        (of_a(";;2", &["y"]), &[2]),
    ];
    let mut tails = Vec::new();
    for (filter, _) in &asked {
        let tail = world.follow(Start::Now, filter.clone()).await;
        tails.push(tail.expect("a reader"));
    }
    world
        .publish(&["a/x/1", "a/y/2", "b/x/3", "b/y/1", "a/x/2"])
        .await;
    for ((filter, expected), mut tail) in asked.into_iter().zip(tails) {
        let told = format!("{filter:?}");
        assert_eq!(next(&mut tail, EVERYTHING).await, expected, "{told}");
        let logged = world.follow(Start::Beginning, filter).await;
        let mut logged = logged.expect("a reader");
        assert_eq!(next(&mut logged, EVERYTHING).await, expected, "{told}");
    }
}

#[tokio::test]
async fn a_limit_never_splits_a_batch() {
    let world = three_batches().await;
    let mut reader = world
        .follow(Start::Beginning, filter(""))
        .await
        .expect("a reader");
    let one = Limit {
        records: 1,
        bytes: usize::MAX,
    };
    for expected in [&[1, 2][..], &[3], &[4, 5, 6]] {
        assert_eq!(next(&mut reader, one).await, expected);
    }
    let mut tail = world
        .follow(Start::Now, filter(""))
        .await
        .expect("a reader");
    world.publish(&["a/x", "a/x"]).await;
    world.publish(&["a/x"]).await;
    assert_eq!(next(&mut tail, one).await, [7, 8]);
    assert_eq!(next(&mut tail, one).await, [9]);
}

#[tokio::test]
async fn a_reading_ends_where_it_is_told() {
    let world = three_batches().await;
    world.clock.set(100);
    let check = async |until: Until, expected: &[u64], end: u64| {
        let mut reader = world
            .follow_until(Start::Beginning, filter(""), until)
            .await;
        let mut seen = Vec::new();
        while let Step::Events(delivery) = reader.next(EVERYTHING).await.expect("a step") {
            seen.extend(
                delivery
                    .events
                    .iter()
                    .map(|event| event.record().position().get()),
            );
        }
        assert_eq!(
            (&seen[..], reader.cursor()),
            (expected, cursor(end)),
            "{until:?}"
        );
        assert!(reader.is_over());
    };
    check(Until::Now, &[1, 2, 3, 4, 5, 6], 6).await;
    check(Until::At(seconds(30)), &[1, 2, 3], 3).await;
    check(Until::At(seconds(5)), &[], 0).await;
    check(Until::At(seconds(90)), &[1, 2, 3, 4, 5, 6], 6).await;
}

#[tokio::test]
async fn until_now_leaves_out_what_comes_while_it_is_read() {
    let world = three_batches().await;
    let mut reader = world
        .follow_until(Start::Beginning, filter("a"), Until::Now)
        .await;
    world.publish(&["a/x/1"]).await;
    assert_eq!(next(&mut reader, EVERYTHING).await, [1, 3, 5, 6]);
    assert!(matches!(reader.next(EVERYTHING).await, Ok(Step::End)));
}

#[tokio::test]
async fn until_a_time_to_come_ends_with_the_first_event_of_that_time() {
    let world = three_batches().await;
    let until = Until::At(seconds(40));
    let mut reader = world.follow_until(Start::Now, filter(""), until).await;
    world.clock.set(39);
    world.publish(&["a/x/1"]).await;
    assert_eq!(next(&mut reader, EVERYTHING).await, [7]);
    world.clock.set(40);
    world.publish(&["a/x/1"]).await;
    assert!(matches!(reader.next(EVERYTHING).await, Ok(Step::End)));
    assert_eq!(reader.cursor(), cursor(7));
}

#[tokio::test]
async fn until_now_ends_at_once_when_nothing_passes() {
    let world = three_batches().await;
    for filtered in ["nofeed", ";nosuch", ";;nobody"] {
        let mut reader = world
            .follow_until(Start::Beginning, filter(filtered), Until::Now)
            .await;
        assert!(
            matches!(reader.next(EVERYTHING).await, Ok(Step::End)),
            "{filtered}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn until_a_time_to_come_ends_soon_after_it_when_nothing_comes() {
    let world = three_batches().await;
    world.clock.set(38);
    let until = Until::At(seconds(40));
    let mut reader = world
        .follow_until(Start::Now, filter("nofeed"), until)
        .await;
    let started = tokio::time::Instant::now();
    let time = async {
        tokio::time::sleep(Duration::from_secs(6)).await;
        world.clock.set(46);
    };
    let (step, ()) = tokio::join!(reader.next(EVERYTHING), time);
    assert!(matches!(step, Ok(Step::End)));
    assert_eq!(started.elapsed().as_secs(), 7);
}

#[tokio::test]
async fn a_cursor_past_the_head_is_told_so() {
    let world = three_batches().await;
    let error = world
        .follow(Start::After(cursor(7)), filter(""))
        .await
        .expect_err("no such cursor");
    assert!(matches!(error, read::Error::CursorAhead { head, .. } if head.get() == 6));
}

#[tokio::test]
async fn a_reader_of_a_feed_that_does_not_exist_yet_waits_for_it() {
    let world = World::new().await;
    let mut reader = world
        .follow(Start::Beginning, filter("later"))
        .await
        .expect("a reader");
    world.publish(&["a/x"]).await;
    world.publish(&["later/x"]).await;
    assert_eq!(next(&mut reader, EVERYTHING).await, [2]);
}

#[tokio::test]
async fn what_was_published_is_there_for_a_page_at_once() {
    let world = World::new().await;
    for position in 1..=100 {
        world.publish(&["a/x"]).await;
        let start = Start::After(cursor(position - 1));
        let mut reader = world.follow(start, filter("a")).await.expect("a reader");
        let page = reader.present(EVERYTHING).await.expect("a page");
        assert_eq!(
            (page.events.len(), page.cursor, page.more),
            (1, cursor(position), false)
        );
    }
}

#[tokio::test]
async fn readers_are_sent_away_when_the_server_stops() {
    let world = World::new().await;
    let mut tail = world
        .follow(Start::Now, filter("a"))
        .await
        .expect("a reader");
    let (step, ()) = tokio::join!(tail.next(EVERYTHING), world.core.close());
    assert!(matches!(step, Ok(Step::Closing)));
}

#[tokio::test]
async fn where_a_feed_ends_is_told_once_all_that_is_readable_is_counted() {
    let engine = Memory::new();
    let name = ProjectName::new("default").expect("a name");
    engine.create(&name).await.expect("created");
    let project = Project::open(&engine, &name, Arc::new(Hands::default()), TAIL_BYTES_MAX).await;
    let project = Arc::new(project.expect("opened"));
    let subject = Subject::new("1").expect("a subject");
    let appended = append(&project, "i", &subject).await;
    let matcher = Matcher::new(filter("a"), &Allowance::whole()).expect("granted");
    let clock = Arc::new(Hands::default());
    let reader = Reader::start(project.clone(), clock, matcher, Start::Beginning, None);
    let reader = reader.await.expect("a reader");
    let stop = CancellationToken::new();
    let asking = async {
        let feed = FeedName::new("a").expect("a name");
        let last = reader.last_of(&feed).await;
        stop.cancel();
        last.expect("counted")
    };
    // It is asked first, and counted then.
    let (last, ()) = tokio::join!(asking, project.follow_log(stop.clone()));
    assert_eq!(last, Some(appended.last));
}
