//! Reading back, newest first, within windows of the producers' time.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::memory::Memory;
use feedwire_engine::{Engine, Limit, Retention};
use feedwire_event::{Position, Subject, Timestamp};
use proptest::prelude::*;

use super::world::{EVERYTHING, World, filter, parse};
use crate::back::{Page, Part};
use crate::limits::{BACK_RECORDS_MAX, PRODUCER_AHEAD_MAX, TAIL_BYTES_MAX};
use crate::{Allowance, Clock, Confinement, Repetition, Right, Span, read};

const HOUR: i64 = 3_600;

fn second(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn span(from: impl Into<Option<i64>>, to: impl Into<Option<i64>>) -> Span {
    Span {
        from: from.into().map(second),
        to: to.into().map(second),
    }
}

fn of(span: Span, records: usize) -> Part {
    Part {
        before: None,
        span,
        limit: Limit {
            records,
            ..EVERYTHING
        },
    }
}

/// Publishes one batch of events written as `feed/type/subject`, which happened at `time`.
async fn publish_at(world: &World, time: i64, events: &[&str]) {
    let events = events.iter().map(|event| {
        let (feed, mut event) = parse(event);
        event.time = Some(second(time));
        (feed, event)
    });
    let events: Vec<_> = events.collect();
    let published = world
        .core
        .publish(&world.grant, &events, Vec::new(), &Repetition::Unknown);
    published.await.expect("published");
}

async fn page(world: &World, asked: &str, part: Part) -> Page {
    let page = world.core.back(&world.grant, filter(asked), part).await;
    page.expect("it is granted")
}

fn positions(page: &Page) -> Vec<u64> {
    let records = page.records.iter();
    records.map(|record| record.position().get()).collect()
}

/// The positions of all pages of `part`, and how many pages there were.
async fn all(world: &World, asked: &str, mut part: Part) -> (Vec<u64>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = page(world, asked, part).await;
        assert!(page.records.len() <= part.limit.records);
        found.extend(positions(&page));
        pages += 1;
        match page.next {
            Some(next) => part.before = Some(next),
            None => return (found, pages),
        }
    }
}

#[tokio::test]
async fn events_of_a_filter_are_read_newest_first() {
    let world = World::new().await;
    world.publish(&["a/x/1", "b/x/1", "a/y/2"]).await;
    world.publish(&["a/x/1", "a/x"]).await;
    let check = async |asked: &str, expected: &[u64]| {
        let page = page(&world, asked, of(Span::default(), 9)).await;
        assert_eq!((&*positions(&page), page.next), (expected, None), "{asked}");
    };
    check("", &[5, 4, 3, 2, 1]).await;
    check("a", &[5, 4, 3, 1]).await;
    check("a;x;1", &[4, 1]).await;
    check("b;y", &[]).await;
    check("nowhere", &[]).await;
}

#[tokio::test]
async fn pages_go_on_where_the_one_before_ended_also_within_a_batch() {
    let world = World::new().await;
    world.publish(&["a/x/1", "b/x/1", "a/y/2"]).await;
    world.publish(&["a/x/1", "a/x"]).await;
    let whole = vec![5, 4, 3, 2, 1];
    for (records, expected) in [(1, 5), (2, 3), (3, 2), (4, 2), (5, 1), (6, 1)] {
        let told = all(&world, "", of(Span::default(), records)).await;
        assert_eq!(told, (whole.clone(), expected), "{records} a page");
    }
}

#[tokio::test]
async fn a_page_ends_before_it_has_too_many_bytes_and_has_one_event_at_least() {
    let world = World::new().await;
    world.publish(&["a/x/1", "a/x/1", "a/x/1"]).await;
    let everything = page(&world, "", of(Span::default(), 9)).await;
    let each = everything.records[0].bytes();
    for (bytes, expected) in [(0, 1), (each, 1), (2 * each - 1, 1), (2 * each, 2)] {
        let limit = Limit {
            bytes,
            ..EVERYTHING
        };
        let part = Part {
            limit,
            ..of(Span::default(), 9)
        };
        let page = page(&world, "", part).await;
        assert_eq!(page.records.len(), expected, "{bytes} bytes");
        assert_eq!(
            page.next,
            page.records.last().map(feedwire_engine::Record::position)
        );
    }
    let nothing_asked = page(&world, "", of(Span::default(), 0)).await;
    assert_eq!(positions(&nothing_asked), [3]);
}

#[tokio::test]
async fn a_window_goes_by_the_producers_time_and_has_its_first_moment_but_not_its_last() {
    let world = World::new().await;
    world.clock.set(100);
    for time in [10, 20, 30, 15] {
        publish_at(&world, time, &["a/x/1"]).await;
    }
    // The time of what says none is that of its recording.
    world.publish(&["a/x/1"]).await;
    let check = async |window, expected: &[u64]| {
        let page = page(&world, "a", of(window, 9)).await;
        assert_eq!(
            (&*positions(&page), page.next),
            (expected, None),
            "{window:?}"
        );
    };
    check(span(None, None), &[5, 4, 3, 2, 1]).await;
    check(span(10, 20), &[4, 1]).await;
    check(span(20, None), &[5, 3, 2]).await;
    check(span(None, 20), &[4, 1]).await;
    check(span(20, 20), &[]).await;
    check(span(30, 10), &[]).await;
    check(span(100, 101), &[5]).await;
}

#[tokio::test]
async fn a_producers_clock_may_be_ahead_by_a_day() {
    let world = World::new().await;
    let day = i64::try_from(PRODUCER_AHEAD_MAX.as_secs()).expect("a day");
    world.clock.set(1_000 * HOUR);
    publish_at(&world, 1_000 * HOUR + day, &["a/x/1"]).await;
    publish_at(&world, 1_000 * HOUR + day + 1, &["a/x/1"]).await;
    world.clock.set(1_030 * HOUR);
    world.publish(&["a/x/1"]).await;
    let window = span(1_000 * HOUR + day, None);
    let found = page(&world, "a", of(window, 9)).await;
    assert_eq!(positions(&found), [3, 2, 1]);
    // Further ahead is beyond what is looked at.
    let window = span(1_000 * HOUR + day + 1, None);
    let found = page(&world, "a", of(window, 9)).await;
    assert_eq!(positions(&found), [3]);
}

#[tokio::test]
async fn a_window_at_the_end_of_a_long_log_takes_one_look() {
    let world = World::new().await;
    let many = vec!["a/x/1"; 1_000];
    for _ in 0..=BACK_RECORDS_MAX / many.len() {
        world.publish(&many).await;
    }
    world.clock.set(48 * HOUR);
    world.publish(&["a/x/1"]).await;
    let last = page(&world, "a", of(span(47 * HOUR, None), 9)).await;
    assert_eq!((last.records.len(), last.next), (1, None));
    // One that may reach far back is looked for a stretch at a time.
    let window = of(span(HOUR, 2 * HOUR), 9);
    let first_look = page(&world, "a", window).await;
    assert_eq!(first_look.records, []);
    let next = first_look.next.expect("there may be more");
    assert!(next > Position::ZERO.next());
    let (found, pages) = all(&world, "a", window).await;
    assert_eq!((found, pages), (Vec::new(), 2));
}

#[tokio::test]
async fn pages_stay_where_they_are_while_events_arrive() {
    let world = World::new().await;
    world.publish(&["a/x/1", "a/x/1", "a/x/1"]).await;
    let first = page(&world, "a", of(Span::default(), 2)).await;
    assert_eq!(positions(&first), [3, 2]);
    world.publish(&["a/x/1", "a/x/1"]).await;
    let part = Part {
        before: first.next,
        ..of(Span::default(), 2)
    };
    let second = page(&world, "a", part).await;
    assert_eq!((&*positions(&second), second.next), (&[1][..], None));
}

#[tokio::test]
async fn what_is_erased_is_not_there() {
    let world = World::new().await;
    world.publish(&["a/x/1", "a/x/2", "a/x/1"]).await;
    let subject = Subject::new("1").ok();
    let asked = world.core.erase(&world.grant, None, subject).await;
    asked.expect("asked");
    world.publish(&["a/x/1"]).await;
    let (found, _) = all(&world, "", of(Span::default(), 1)).await;
    assert_eq!(found, [4, 2]);
}

#[tokio::test]
async fn what_is_no_longer_retained_ends_a_history_and_is_no_error() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    for at in [10, 20, 30] {
        world.clock.set(at);
        world.publish(&["a/x/1"]).await;
    }
    let first = page(&world, "a", of(Span::default(), 2)).await;
    assert_eq!(positions(&first), [3, 2]);
    world.core.feeds(&world.grant).await.expect("counted");
    let log = engine.log(world.grant.project()).await.expect("a log");
    let keep = Retention {
        age: Some(Duration::from_secs(5)),
        bytes: None,
    };
    let now = world.clock.now();
    log.trim(keep, now, Position::MAX).await.expect("trimmed");
    for before in [first.next, Some(Position::ZERO), Position::new(1)] {
        let part = Part {
            before,
            ..of(Span::default(), 2)
        };
        let rest = page(&world, "a", part).await;
        assert_eq!((rest.records.len(), rest.next), (0, None), "{before:?}");
    }
    let (found, pages) = all(&world, "a", of(span(0, None), 9)).await;
    assert_eq!((&*found, pages), (&[3][..], 1));
    let before = |before| Part {
        before: Some(before),
        ..of(Span::default(), 9)
    };
    let head = Position::new(3).expect("a position");
    let last = page(&world, "a", before(head.next())).await;
    assert_eq!(positions(&last), [3]);
    let beyond = before(head.next().next());
    let refused = world.core.back(&world.grant, filter("a"), beyond).await;
    let is_told = matches!(&refused, Err(read::Error::CursorAhead { head: at, .. }) if *at == head);
    assert!(is_told, "{refused:?}");
}

#[tokio::test]
async fn whoever_is_confined_reads_back_what_is_its_own() {
    let world = World::new().await;
    world.publish(&["a/x/1", "a/x/2", "b/x/1", "a.b/x/1"]).await;
    let own = |rights: Right, feeds: &str, subject: Option<&str>| {
        let only = subject.map(|name| vec![Subject::new(name).expect("a subject")]);
        world.granting(Allowance {
            rights: [rights].into_iter().collect(),
            feeds: vec![feeds.parse().expect("a pattern")],
            confinement: only.map(Confinement::Subjects),
        })
    };
    let check = async |reader: World, asked: &str, expected: Option<&[u64]>| {
        let part = of(Span::default(), 9);
        let page = reader.core.back(&reader.grant, filter(asked), part).await;
        match (page, expected) {
            (Ok(page), Some(expected)) => assert_eq!(positions(&page), expected),
            (Err(read::Error::Forbidden(_)), None) => {}
            (page, _) => panic!("{asked} was told {page:?}"),
        }
    };
    check(own(Right::Read, "a", None), "", Some(&[2, 1])).await;
    check(own(Right::Read, "a.*", None), "", Some(&[4])).await;
    check(own(Right::Read, "*", Some("1")), "", Some(&[4, 3, 1])).await;
    check(own(Right::Read, "a", None), "b", None).await;
    check(own(Right::Read, "a", Some("1")), "a;;2", None).await;
    check(own(Right::Publish, "a", None), "a", None).await;
}

/// Pages of random histories, while more is published between two of them.
async fn pages_are_as_in_a_list(batches: Vec<Vec<i64>>, window: (i64, i64), records: usize) {
    let world = World::new().await;
    let (from, to) = window;
    let mut times = Vec::new();
    let publish = async |batch: &[i64], times: &mut Vec<i64>| {
        for time in batch {
            publish_at(&world, *time, &["a/x/1", "b/x/1"]).await;
            times.extend([*time, *time]);
        }
    };
    let (before, meanwhile) = batches.split_at(batches.len() / 2);
    for batch in before {
        publish(batch, &mut times).await;
    }
    let positions_of_a = (1_u64..)
        .zip(&times)
        .filter(|(position, time)| position % 2 == 1 && (from..to).contains(*time));
    let mut expected: Vec<u64> = positions_of_a.map(|(position, _)| position).collect();
    expected.reverse();
    let (mut found, mut part) = (Vec::new(), of(span(from, to), records));
    let mut meanwhile = meanwhile.iter();
    loop {
        let page = page(&world, "a", part).await;
        assert!(page.records.len() <= records);
        found.extend(positions(&page));
        if let Some(batch) = meanwhile.next() {
            publish(batch, &mut times).await;
        }
        match page.next {
            Some(next) => part.before = Some(next),
            None => break,
        }
    }
    assert_eq!(found, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_have_each_event_of_the_window_once_while_more_arrive(
        batches in prop::collection::vec(prop::collection::vec(0_i64..40, 1..4), 0..16),
        window in (0_i64..30, 0_i64..45),
        records in 1_usize..6,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let run = pages_are_as_in_a_list(batches, window, records);
        runtime.expect("a runtime").block_on(run);
    }
}
