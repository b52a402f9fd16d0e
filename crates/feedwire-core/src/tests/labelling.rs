//! Labels of subjects, set and asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use feedwire_engine::memory::Memory;
use feedwire_event::{Labels, Subject};

use super::waking::wait;
use super::world::{EVERYTHING, World, filter, next};
use crate::limits::TAIL_BYTES_MAX;
use crate::store::{Check, Error};
use crate::{Filter, LabelGroup, Start};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    let pairs = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Labels::new(pairs.collect()).expect("labels")
}

pub(super) async fn set(world: &World, subject: &str, pairs: &[(&str, &str)]) {
    let subject = Subject::new(subject).expect("a subject");
    world
        .core
        .set_labels(&world.grant, subject, labels(pairs), None)
        .await
        .expect("set");
}

#[tokio::test]
async fn events_are_found_by_the_labels_that_their_subject_has_now() {
    let world = World::new().await;
    set(&world, "1", &[("room", "lobby"), ("floor", "0")]).await;
    world.publish(&["a/x/1", "a/x/2", "a/x"]).await;
    set(&world, "2", &[("room", "attic")]).await;
    let check = async |filter: Filter, expected: &[u64]| {
        let mut reader = world
            .follow(Start::Beginning, filter.clone())
            .await
            .expect("a reader");
        assert_eq!(next(&mut reader, EVERYTHING).await, expected, "{filter:?}");
    };
    check(filter(";;;room"), &[1, 2]).await;
    check(filter(";;;room=attic"), &[2]).await;
    set(&world, "1", &[]).await;
    check(filter(";;;room"), &[2]).await;
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_a_label_set_after_it_came() {
    let world = World::new().await;
    let any = world.follow(Start::Now, filter(";;;room")).await;
    let lobby = world.follow(Start::Now, filter(";;;room=lobby")).await;
    let (mut any, mut lobby) = (any.expect("a reader"), lobby.expect("a reader"));
    let publish = async {
        world.publish(&["a/x/1"]).await;
        set(&world, "1", &[("room", "attic")]).await;
        world.publish(&["a/x/1"]).await;
        set(&world, "1", &[("room", "lobby")]).await;
        world.publish(&["a/x/1"]).await;
    };
    let (in_lobby, ()) = tokio::join!(next(&mut lobby, EVERYTHING), publish);
    assert_eq!(in_lobby.last(), Some(&3));
    assert!(next(&mut any, EVERYTHING).await.contains(&3));
}

#[tokio::test]
async fn a_subject_passes_that_has_a_label_of_every_group() {
    let world = World::new().await;
    set(&world, "1", &[("room", "lobby"), ("floor", "0")]).await;
    set(&world, "2", &[("room", "attic"), ("floor", "9")]).await;
    set(&world, "3", &[("vip", "")]).await;
    world
        .publish(&["a/x/1", "a/x/2", "a/x/3", "a/x/4", "a/x"])
        .await;
    let check = async |groups: &str, expected: &[u64]| {
        let filter = filter(&format!(";;;{groups}"));
        let mut reader = world
            .follow(Start::Beginning, filter)
            .await
            .expect("a reader");
        assert_eq!(next(&mut reader, EVERYTHING).await, expected, "{groups}");
    };
    check("room=lobby|room=attic", &[1, 2]).await;
    check("room=lobby|vip", &[1, 3]).await;
    check("room=lobby|room", &[1, 2]).await;
    check("room|room=lobby", &[1, 2]).await;
    check("room,floor=9", &[2]).await;
    check("room=lobby|vip,floor=0|floor=9", &[1]).await;
    check("vip=", &[3]).await;
    check("a|b|c|d|vip", &[3]).await;
}

#[tokio::test]
async fn what_no_label_says_of_a_subject_is_told_by_the_type_of_its_events() {
    let world = World::new().await;
    set(&world, "1", &[("kind", "lamp")]).await;
    set(&world, "2", &[("kind", "door")]).await;
    set(&world, "3", &[("room", "lobby")]).await;
    let told = ["a/x/1", "a/x/2", "a/x/3", "a/x/4", "a/x", "a/y/4"];
    let check = async |start: Start, groups: &str, expected: &[u64]| {
        let filter = filter(&format!(";;;{groups}"));
        let mut reader = world.follow(start, filter).await.expect("a reader");
        if start == Start::Now {
            world.publish(&told).await;
        }
        assert_eq!(next(&mut reader, EVERYTHING).await, expected, "{groups}");
    };
    check(Start::Now, "kind=lamp|x@kind", &[1, 3, 4]).await;
    check(Start::Beginning, "kind=lamp|x@kind", &[1, 3, 4]).await;
    check(Start::Beginning, "kind=lamp|x@kind|y@kind", &[1, 3, 4, 6]).await;
    check(Start::Beginning, "kind=lamp|x@kind,room", &[3]).await;
    set(&world, "4", &[("kind", "door")]).await;
    check(Start::Beginning, "kind=lamp|x@kind", &[1, 3]).await;
}

#[test]
fn there_is_no_group_without_labels() {
    assert_eq!(LabelGroup::new([]), None);
}

#[tokio::test]
async fn a_waiting_reader_is_told_of_a_subject_for_as_long_as_a_label_of_every_group_is_its() {
    let world = World::new().await;
    set(&world, "1", &[("kind", "lamp")]).await;
    let asked = filter(";;;kind,room=lobby|room=attic");
    let reader = world.follow(Start::Now, asked).await;
    let witness = world.follow(Start::Now, filter("")).await;
    let mut witness = witness.expect("a reader");
    let mut reader = [reader.expect("a reader")];
    wait(&mut reader, &Arc::default());
    let [reader] = &mut reader;
    let mut position = 0;
    for (room, passes) in [
        ("", false),
        ("attic", true),
        ("lobby", true),
        ("hall", false),
    ] {
        set(&world, "1", &[("kind", "lamp"), ("room", room)]).await;
        world.publish(&["a/x/1"]).await;
        position += 1;
        assert_eq!(next(&mut witness, EVERYTHING).await, [position], "{room}");
        if passes {
            assert_eq!(next(reader, EVERYTHING).await, [position], "{room}");
        }
        assert_eq!(reader.cursor().0.get(), position, "{room}");
    }
}

#[tokio::test]
async fn labels_are_there_after_a_restart() {
    let engine = Arc::new(Memory::new());
    let world = World::over(engine.clone(), TAIL_BYTES_MAX).await;
    set(&world, "1", &[("room", "lobby")]).await;
    let again = World::over(engine, TAIL_BYTES_MAX).await;
    let subject = Subject::new("1").expect("a subject");
    let found = again
        .core
        .labels(&again.grant, &subject)
        .await
        .expect("labels");
    let expected = BTreeMap::from([("room".to_owned(), "lobby".to_owned())]);
    assert_eq!(found, Labels::new(expected).expect("labels"));
}

#[tokio::test]
async fn labels_are_replaced_only_where_those_that_are_there_pass() {
    let world = World::new().await;
    let subject = Subject::new("1").expect("a subject");
    let (none, lobby) = (Labels::default(), labels(&[("room", "lobby")]));
    let attic = labels(&[("room", "attic")]);
    let set = async |expected: &Labels, labels: &Labels| {
        let expected = expected.clone();
        let check: Check<Labels> = Box::new(move |present| *present == expected);
        world
            .core
            .set_labels(&world.grant, subject.clone(), labels.clone(), Some(check))
            .await
    };
    let changed = |set| matches!(set, Err(Error::Changed));
    assert!(changed(set(&lobby, &attic).await));
    assert!(set(&none, &lobby).await.is_ok());
    assert!(changed(set(&none, &attic).await));
    assert!(changed(set(&attic, &none).await));
    assert!(set(&lobby, &none).await.is_ok());
    assert!(set(&none, &attic).await.is_ok());
    let found = world.core.labels(&world.grant, &subject).await;
    assert_eq!(found.expect("labels"), attic);
}
