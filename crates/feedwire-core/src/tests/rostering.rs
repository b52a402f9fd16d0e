//! Rosters: who is on one, in which order, and for whom.

use feedwire_event::{FeedName, Subject};

use super::confining::allowance;
use super::labelling::set;
use super::world::World;
use crate::limits::STORE_SCAN;
use crate::roster::{Page, Part, Roster};
use crate::{LabelFilter, LabelGroup, read};

fn roster() -> Roster {
    Roster {
        feed: FeedName::new("a").expect("a name"),
        enters: "kind".to_owned(),
        leaves: "gone".to_owned(),
    }
}

fn part() -> Part {
    Part {
        limit: 10_000,
        ..Part::default()
    }
}

fn subject(name: &str) -> Subject {
    Subject::new(name).expect("a subject")
}

fn group(key: &str) -> LabelGroup {
    let (key, value) = (key.to_owned(), None);
    LabelFilter { key, value }.into()
}

async fn ask(world: &World, part: &Part) -> Result<Page, read::Error> {
    world.core.roster(&world.grant, &roster(), part).await
}

/// The names of a part, with an ellipsis behind them where there are more.
async fn told(world: &World, part: &Part) -> String {
    let page = ask(world, part).await.expect("a page");
    let names = page.subjects.iter().map(|(name, _)| name.as_str());
    let more = page.more.then_some("…");
    names.chain(more).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn those_are_on_it_that_had_something_or_are_labelled_so_and_none_that_left() {
    let world = World::new().await;
    world
        .publish(&["a/x/4", "a/x/2", "b/x/9", "a/x", "a/x/6"])
        .await;
    set(&world, "1", &[("kind", "lamp"), ("room", "lobby")]).await;
    set(&world, "3", &[("room", "lobby")]).await;
    set(&world, "4", &[("kind", "")]).await;
    set(&world, "5", &[("kind", "lamp"), ("gone", "away")]).await;
    set(&world, "6", &[("gone", "")]).await;
    assert_eq!(told(&world, &part()).await, "1 2 4");
    let page = ask(&world, &part()).await.expect("a page");
    let (_, labels) = &page.subjects[0];
    assert_eq!(labels.get("room"), Some("lobby"));
    let labels = vec![group("room")];
    let in_a_room = Part { labels, ..part() };
    assert_eq!(told(&world, &in_a_room).await, "1");
    let subjects = ["9", "5", "4", "1", "3", "1"].map(subject).to_vec();
    let named = Part { subjects, ..part() };
    assert_eq!(told(&world, &named).await, "1 4");
    let behind = Part {
        after: Some(subject("1")),
        ..named
    };
    assert_eq!(told(&world, &behind).await, "4");
}

#[tokio::test]
async fn it_is_told_in_parts_that_miss_nobody() {
    let world = World::new().await;
    let had: Vec<String> = (0..STORE_SCAN * 2)
        .map(|at| format!("a/x/{:04}", at * 2))
        .collect();
    for some in had.chunks(1_000) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        world.publish(&some).await;
    }
    for name in ["0000", "0001", "1999", "2001", "3997", "4001", "z"] {
        set(&world, name, &[("kind", "")]).await;
    }
    let all = told(&world, &part()).await;
    let names: Vec<&str> = all.split(' ').collect();
    assert_eq!(names.len(), STORE_SCAN * 2 + 6);
    assert!(names.is_sorted());
    let mut parts = Vec::new();
    let mut after = None;
    loop {
        let part = Part {
            after,
            limit: 333,
            ..Part::default()
        };
        let page = ask(&world, &part).await.expect("a page");
        parts.extend(page.subjects.iter().map(|(name, _)| name.to_string()));
        after = page.subjects.last().map(|(name, _)| name.clone());
        if !page.more {
            break;
        }
    }
    assert_eq!(parts, names);
    let few = Part { limit: 2, ..part() };
    assert_eq!(told(&world, &few).await, "0000 0001 …");
}

#[tokio::test]
async fn whoever_is_confined_is_told_of_its_own() {
    let world = World::new().await;
    world.publish(&["a/x/1", "a/x/2"]).await;
    set(&world, "2", &[("room", "lobby")]).await;
    let confined = |text: &str| world.granting(allowance(text));
    let by_subject = confined("read;;=1");
    assert_eq!(told(&by_subject, &part()).await, "1");
    let by_label = confined("read;;room=lobby");
    assert_eq!(told(&by_label, &part()).await, "2");
    let elsewhere = confined("read;b");
    assert!(ask(&elsewhere, &part()).await.is_err());
    let others = Part {
        subjects: vec![subject("2")],
        ..part()
    };
    assert!(ask(&by_subject, &others).await.is_err());
}
