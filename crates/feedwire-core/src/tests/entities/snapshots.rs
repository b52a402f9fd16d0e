//! Lists of entities, and readings that begin with the states.

use std::collections::BTreeMap;

use feedwire_event::{Cursor, Labels};

use super::*;
use crate::entities::StateCursor;
use crate::{Allowance, Confinement, LabelFilter, Right, Rights};
use crate::{Expression, Filter};

/// The states that a snapshot of `of` tells, taking `size` at once, and where it started.
async fn snapshot(
    world: &World,
    of: &str,
    size: usize,
    at: Option<StateCursor>,
) -> (Vec<String>, u64) {
    let snapshot = world.core.snapshot(&world.grant, filter(of), at).await;
    let mut snapshot = snapshot.expect("a snapshot");
    let mut all = Vec::new();
    while let Some(records) = snapshot.next(Limit::records(size)).await.expect("states") {
        all.extend(records.iter().map(told));
    }
    (all, snapshot.start().get())
}

async fn planes() -> World {
    let world = World::new().await;
    for (of, text) in [
        ("b/2", "{}"),
        ("a/2", r#"{"x":2}"#),
        ("a/1", r#"{"x":1}"#),
        ("b/1", "{}"),
        ("a/3", "{}"),
    ] {
        change(&world, of, text).await;
    }
    change(&world, "a/3", "").await;
    world
}

#[tokio::test]
async fn entities_are_listed_in_the_order_of_their_names_in_pages_of_any_size() {
    let world = planes().await;
    let all = [r#"a/1 {"x":1}"#, r#"a/2 {"x":2}"#, "b/1 {}", "b/2 {}"];
    for size in [1, 2, 3, 9] {
        assert_eq!(listed(&world, "", size).await, all);
        assert_eq!(listed(&world, "a", size).await, all[..2]);
        assert_eq!(listed(&world, "b,a,c,a", size).await, all);
        assert_eq!(listed(&world, ";;2,1,9,2", size).await, all);
        assert_eq!(listed(&world, "b,a;;2", size).await, [all[1], all[3]]);
        assert!(listed(&world, "c", size).await.is_empty());
        assert!(listed(&world, "a;;9", size).await.is_empty());
    }
}

#[tokio::test]
async fn entities_are_found_by_the_labels_of_their_subjects() {
    let world = planes().await;
    let labels = Labels::new(BTreeMap::from([("room".to_owned(), "hall".to_owned())]));
    let labels = labels.expect("labels");
    let set = world
        .core
        .set_labels(&world.grant, key("a", "2").subject, labels, None);
    set.await.expect("set");
    assert_eq!(
        listed(&world, ";;;room=hall", 1).await,
        [r#"a/2 {"x":2}"#, "b/2 {}"]
    );
    assert_eq!(listed(&world, "a;;;room", 9).await, [r#"a/2 {"x":2}"#]);
    assert!(listed(&world, ";;;room=attic", 9).await.is_empty());
}

#[tokio::test]
async fn a_snapshot_tells_every_state_at_the_position_that_made_it() {
    let world = planes().await;
    for size in [1, 3, 9] {
        let (told, start) = snapshot(&world, "", size, None).await;
        assert_eq!(
            told,
            [r#"a/1 {"x":1}"#, r#"a/2 {"x":2}"#, "b/1 {}", "b/2 {}"]
        );
        assert_eq!(start, 6);
    }
    let snapshot = world.core.snapshot(&world.grant, filter("a"), None).await;
    let records = snapshot
        .expect("a snapshot")
        .next(EVERYTHING)
        .await
        .expect("states");
    let records = records.expect("there are some");
    let positions: Vec<_> = records
        .iter()
        .map(|record| record.position().get())
        .collect();
    assert_eq!(positions, [3, 2]);
    assert!(records.iter().all(|record| record.ty() == "load"));
}

#[tokio::test]
async fn a_snapshot_goes_on_behind_what_was_told() {
    let world = planes().await;
    let start = Position::new(6).expect("a position");
    let after = Some(key("a", "2"));
    let cursor = StateCursor { start, after };
    change(&world, "c/1", "{}").await;
    change(&world, "b/1", "").await;
    let (told, start) = snapshot(&world, "", 9, Some(cursor)).await;
    assert_eq!(
        (told, start),
        (vec!["b/2 {}".to_owned(), "c/1 {}".to_owned()], 6)
    );
    let ahead = StateCursor {
        start: Position::new(99).expect("a position"),
        after: None,
    };
    let ahead = world
        .core
        .snapshot(&world.grant, filter(""), Some(ahead))
        .await;
    assert!(matches!(ahead, Err(crate::read::Error::CursorAhead { .. })));
}

#[tokio::test]
async fn who_may_not_see_an_entity_is_not_told_its_name_by_a_cursor() {
    let world = planes().await;
    let hall = Labels::new(BTreeMap::from([("room".to_owned(), "hall".to_owned())]));
    let hall = hall.expect("labels");
    let set = world
        .core
        .set_labels(&world.grant, key("a", "1").subject, hall, None);
    set.await.expect("set");
    let reads: Rights = [Right::Read].into_iter().collect();
    let by_label = Allowance {
        rights: reads,
        feeds: Vec::new(),
        confinement: Some(Confinement::Labels(vec![LabelFilter {
            key: "room".to_owned(),
            value: None,
        }])),
    };
    let by_feed = Allowance {
        rights: reads,
        feeds: vec![
            "a.*".parse().expect("a pattern"),
            "b".parse().expect("a pattern"),
        ],
        confinement: None,
    };
    for (allowance, all) in [
        (by_label, &[r#"a/1 {"x":1}"#, "b/1 {}"][..]),
        (by_feed, &["b/1 {}", "b/2 {}"][..]),
    ] {
        let confined = world.granting(allowance);
        for size in [1, 9] {
            assert_eq!(listed(&confined, "", size).await, all);
        }
        let snapshot = confined.core.snapshot(&confined.grant, filter(""), None);
        let mut snapshot = snapshot.await.expect("a snapshot");
        let mut last = None;
        while let Some(records) = snapshot.next(Limit::records(1)).await.expect("states") {
            let record = records.last().expect("there is one");
            last = Some(key(record.feed(), record.subject().expect("a subject")));
            assert_eq!(snapshot.cursor().after, last);
        }
        assert_eq!(snapshot.cursor().after, last);
    }
}

/// A consumer that folds what it is told has in the end what is there, whatever changes while it is told.
#[tokio::test]
async fn states_and_then_changes_come_to_the_present() {
    let world = planes().await;
    let mut snapshot = world
        .core
        .snapshot(&world.grant, filter(""), None)
        .await
        .expect("a snapshot");
    let start = Start::After(Cursor(snapshot.start()));
    let mut folded = BTreeMap::new();
    let mut fold = |record: &Record| {
        let key = (
            record.feed().to_owned(),
            record.subject().expect("a subject").to_owned(),
        );
        match text(record) {
            state if state.is_empty() => folded.remove(&key),
            state => folded.insert(key, state),
        };
    };
    let mut meanwhile = [
        ("a/1", ""),
        ("b/1", r#"{"y":1}"#),
        ("a/0", "{}"),
        ("c/1", "{}"),
        ("b/1", ""),
    ]
    .into_iter();
    while let Some(records) = snapshot.next(Limit::records(1)).await.expect("states") {
        records.iter().for_each(&mut fold);
        if let Some((of, text)) = meanwhile.next() {
            change(&world, of, text).await;
        }
    }
    let mut reader = world.follow_until(start, filter(""), Until::Now).await;
    while let Step::Events(delivery) = reader.next(EVERYTHING).await.expect("events") {
        delivery
            .events
            .iter()
            .for_each(|event| fold(event.record()));
    }
    let folded: Vec<String> = folded
        .iter()
        .map(|((f, s), state)| format!("{f}/{s} {state}"))
        .collect();
    assert_eq!(folded, listed(&world, "", 9).await);
}

#[tokio::test]
async fn entities_are_listed_and_told_by_an_expression_of_their_whole_state_and_their_ids() {
    let world = planes().await;
    let put = Write {
        wanted: Wanted::Put {
            state: State::parse(r#"{"x":7,"y":1}"#).expect("a state"),
            ids: Some(ids(r#"{"tail":"LN-ABC"}"#)),
        },
        ..write("a/4", "")
    };
    try_change(&world, put).await.expect("changed");
    change(&world, "a/4", r#"~{"y":2}"#).await;
    let asking = |text: &str| Filter {
        expression: Some(Expression::new(text).expect("an expression")),
        ..Filter::default()
    };
    let check = async |text: &str, expected: &[&str], changed: &[u64]| {
        let part = Part {
            after: None,
            limit: Limit::records(9),
        };
        let page = world.core.entities(&world.grant, asking(text), part).await;
        let page = page.expect("a page").entities;
        let listed: Vec<String> = page.iter().map(Entity::record).map(told).collect();
        assert_eq!(listed, expected, "{text}");
        let snapshot = world.core.snapshot(&world.grant, asking(text), None).await;
        let mut snapshot = snapshot.expect("a snapshot");
        let mut all = Vec::new();
        while let Some(records) = snapshot.next(Limit::records(1)).await.expect("states") {
            all.extend(records.iter().map(told));
        }
        assert_eq!(all, expected, "{text}");
        let reader = world.follow_until(Start::Beginning, asking(text), Until::Now);
        let changes = crate::tests::world::next(&mut reader.await, EVERYTHING).await;
        assert_eq!(changes, changed, "{text}");
    };
    let fourth = r#"a/4 {"x":7,"y":2}"#;
    check("data.x > 1", &[r#"a/2 {"x":2}"#, fourth], &[2, 7, 8]).await;
    check("ids.tail == 'LN-ABC' && data.x == 7", &[fourth], &[7, 8]).await;
    let others = ["a/1 {\"x\":1}", "a/2 {\"x\":2}", "b/1 {}", "b/2 {}"];
    check("ids == null", &others, &[1, 2, 3, 4, 5, 6]).await;
}
