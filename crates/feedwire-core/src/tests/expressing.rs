//! Readings of what an expression is true of: from the log, at the tail, in pages, and looking back.

use std::fmt::Write as _;
use std::sync::Arc;

use feedwire_engine::Limit;
use feedwire_event::json::Canonical;
use feedwire_event::{Cursor, Data, Event, FeedName, Position, Subject};

use super::labelling::set;
use super::streaming::{self, join, take};
use super::waking::wait;
use super::world::{EVERYTHING, World, next, parse};
use crate::back::Part;
use crate::stream::{Selection, Settings};
use crate::{Expression, Filter, Reader, Repetition, Span, Start, Until};

fn asking(text: &str) -> Filter {
    Filter {
        expression: Some(Expression::new(text).expect("an expression")),
        ..Filter::default()
    }
}

/// Publishes one batch of events about the subject `1`, whose data are these texts.
async fn publish(world: &World, data: &[&str]) {
    let events: Vec<(FeedName, Event)> = data
        .iter()
        .map(|text| {
            let (feed, event) = parse("a/x/1");
            let data = Some(Data::Json(Canonical::string(text)));
            (feed, Event { data, ..event })
        })
        .collect();
    let published = world
        .core
        .publish(&world.grant, &events, Vec::new(), &Repetition::Unknown)
        .await;
    published.expect("published");
}

async fn follow(world: &World, start: Start, text: &str) -> Reader {
    let reader = world.follow(start, asking(text)).await;
    reader.expect("a reader")
}

/// Waits until the tail has come to `position`.
async fn come_to(world: &World, position: u64) {
    let everything = world.follow(Start::Beginning, Filter::default()).await;
    let mut witness = everything.expect("a reader");
    while witness.cursor().0.get() < position {
        next(&mut witness, EVERYTHING).await;
    }
}

/// The positions that a page has, and the cursor behind it.
async fn page(reader: &mut Reader, records: usize) -> (Vec<u64>, u64) {
    let limit = Limit {
        records,
        bytes: usize::MAX,
    };
    let delivery = reader.present(limit).await.expect("a page");
    let events = delivery.events.iter();
    let positions = events
        .map(|event| event.record().position().get())
        .collect();
    (positions, delivery.cursor.0.get())
}

#[tokio::test]
async fn what_passes_is_handed_out_from_the_log_and_then_from_the_tail() {
    let world = World::new().await;
    publish(&world, &["on time", "late", "late"]).await;
    let mut reader = follow(&world, Start::Beginning, "data == 'late'").await;
    assert_eq!(next(&mut reader, EVERYTHING).await, [2, 3]);
    publish(&world, &["on time"]).await;
    let (positions, ()) = tokio::join!(
        next(&mut reader, EVERYTHING),
        publish(&world, &["early", "late"])
    );
    assert_eq!(positions, [6]);
    publish(&world, &["late", "early"]).await;
    assert_eq!(next(&mut reader, EVERYTHING).await, [7]);
}

#[tokio::test]
async fn a_cursor_moves_on_where_nothing_passes() {
    let world = World::new().await;
    let reader = follow(&world, Start::Now, "data == 'late'").await;
    publish(&world, &["early", "on time"]).await;
    come_to(&world, 2).await;
    let mut readers = [reader];
    wait(&mut readers, &Arc::default());
    assert_eq!(readers[0].cursor().0.get(), 2);
}

#[tokio::test]
async fn pages_go_on_over_what_does_not_pass() {
    let world = World::new().await;
    for _ in 0..3 {
        publish(&world, &["early"]).await;
        publish(&world, &["late"]).await;
    }
    let mut reader = follow(&world, Start::Beginning, "data.startsWith('la')").await;
    assert_eq!(page(&mut reader, 1).await, (vec![2], 2));
    assert_eq!(page(&mut reader, 2).await, (vec![4], 4));
    assert_eq!(page(&mut reader, 9).await, (vec![6], 6));
    assert_eq!(page(&mut reader, 9).await, (Vec::new(), 6));
    let mut never = follow(&world, Start::Beginning, "data == 'never'").await;
    assert_eq!(page(&mut never, 1).await, (Vec::new(), 6));
    let filter = asking("data == 'late'");
    let mut bounded = world
        .follow_until(Start::Beginning, filter, Until::Now)
        .await;
    assert_eq!(next(&mut bounded, EVERYTHING).await, [2, 4, 6]);
    assert!(bounded.is_over());
}

#[tokio::test]
async fn labels_are_those_that_the_subject_has_now() {
    let world = World::new().await;
    publish(&world, &["x"]).await;
    let text = "has(labels.room) && labels.room == 'lobby'";
    let mut reader = follow(&world, Start::Beginning, text).await;
    assert_eq!(page(&mut reader, 9).await, (Vec::new(), 1));
    set(&world, "1", &[("room", "lobby")]).await;
    let mut reader = follow(&world, Start::Beginning, text).await;
    assert_eq!(page(&mut reader, 9).await, (vec![1], 1));
}

#[tokio::test]
async fn an_expression_narrows_what_the_rest_of_the_filter_lets_pass() {
    let world = World::new().await;
    world.publish(&["a/x/1", "b/x/1", "a/y/1", "a/x/2"]).await;
    let filter = Filter {
        subjects: vec![Subject::new("1").expect("a subject")],
        ..asking("feed == 'a' && data == null")
    };
    let mut reader = world
        .follow(Start::Beginning, filter)
        .await
        .expect("a reader");
    assert_eq!(next(&mut reader, EVERYTHING).await, [1, 3]);
}

#[tokio::test]
async fn what_passes_is_found_looking_back() {
    let world = World::new().await;
    publish(&world, &["late", "early", "late", "early"]).await;
    let part = Part {
        before: None,
        span: Span::default(),
        limit: EVERYTHING,
    };
    let page = world
        .core
        .back(&world.grant, asking("data == 'late'"), part)
        .await;
    let records = page.expect("a page").records;
    let positions: Vec<u64> = records.iter().map(|r| r.position().get()).collect();
    assert_eq!(positions, [3, 1]);
}

/// An expression that looks at a large event so often that few of them are a turn, and some tens all that is looked at in one go.
fn laborious() -> String {
    let mut text = String::from("data.size() > 0");
    for letter in 'b'..='z' {
        write!(text, " && !data.contains('{letter}')").expect("a text takes all");
    }
    text
}

/// Batches of two large events, the second of which passes.
async fn publish_large(world: &World, batches: usize) {
    let (passing, other) = ("a".repeat(200_000), "b".repeat(200_000));
    for _ in 0..batches {
        publish(world, &[&other, &passing]).await;
    }
}

#[tokio::test]
async fn an_expression_that_takes_long_hands_out_whole_batches_as_it_comes_to_them() {
    let world = World::new().await;
    let mut tailing = follow(&world, Start::Now, &laborious()).await;
    publish_large(&world, 14).await;
    come_to(&world, 28).await;
    let filter = asking(&laborious());
    let mut logging = world
        .follow_until(Start::Beginning, filter, Until::Now)
        .await;
    for reader in [&mut tailing, &mut logging] {
        let mut found = next(reader, EVERYTHING).await;
        assert!(found.len() < 14, "it is not looked at all in one go");
        assert_eq!(reader.cursor().0.get(), found[found.len() - 1]);
        while found.len() < 14 {
            found.extend(next(reader, EVERYTHING).await);
        }
        let expected: Vec<u64> = (1..=14).map(|batch| 2 * batch).collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn a_reader_that_is_interrupted_while_it_looks_loses_nothing() {
    let world = World::new().await;
    let reader = follow(&world, Start::Now, &laborious()).await;
    publish_large(&world, 2).await;
    come_to(&world, 4).await;
    let mut readers = [reader];
    for _ in 0..3 {
        // It gives others their turn, and is given up then.
        wait(&mut readers, &Arc::default());
        assert_eq!(readers[0].cursor(), Cursor(Position::ZERO));
    }
    let [mut reader] = readers;
    let mut found = next(&mut reader, EVERYTHING).await;
    while found.len() < 2 {
        found.extend(next(&mut reader, EVERYTHING).await);
    }
    assert_eq!(found, [2, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_sends_and_counts_what_its_expression_is_true_of() {
    let world = streaming::world(Settings {
        selection: Selection {
            expression: Some(Expression::new("subject != 'b'").expect("an expression")),
            ..Selection::default()
        },
        ..streaming::settings()
    })
    .await;
    world.publish(&["f/t/a", "f/t/b", "f/t/b"]).await;
    let mut member = join(&world).await;
    assert_eq!(take(&mut member, 1).await.0, [1]);
    world.publish(&["f/t/b", "f/t/c"]).await;
    let (positions, _) = take(&mut member, 1).await;
    assert_eq!(positions, [5]);
    world.publish(&["f/t/b"]).await;
    drop(member);
    let mut later = join(&world).await;
    assert_eq!(streaming::drain(&mut later).await, [1, 5]);
}
