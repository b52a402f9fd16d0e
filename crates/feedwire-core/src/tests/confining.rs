//! What is done, read and counted by those who may not have everything.

use std::collections::BTreeMap;

use feedwire_event::{Labels, Position, Subject};

use super::world::{EVERYTHING, World, filter, next};
use crate::{
    Allowance, Confinement, Filter, Forbidden, LabelFilter, Right, Start, publish, read, store,
};

/// Rights, feeds and a confinement, written as `read,publish;orders,a.*;=1,2` for subjects and `;;room=lobby` for a label.
pub(super) fn allowance(text: &str) -> Allowance {
    let mut parts = text.split(';');
    let mut part = || parts.next().unwrap_or_default();
    let (rights, feeds) = (part().to_owned(), part().to_owned());
    let confinement = match part().split_once('=') {
        None => None,
        Some(("", subjects)) => {
            let subjects = subjects
                .split(',')
                .map(|s| Subject::new(s).expect("a subject"));
            Some(Confinement::Subjects(subjects.collect()))
        }
        Some((key, value)) => Some(Confinement::Labels(vec![LabelFilter {
            key: key.to_owned(),
            value: Some(value.to_owned()),
        }])),
    };
    Allowance {
        rights: rights
            .split(',')
            .map(|right| right.parse::<Right>().expect("a right"))
            .collect(),
        feeds: feeds
            .split(',')
            .filter(|feed| !feed.is_empty())
            .map(|feed| feed.parse().expect("a pattern"))
            .collect(),
        confinement,
    }
}

async fn label(world: &World, subject: &str, room: &str) {
    let labels = BTreeMap::from([("room".to_owned(), room.to_owned())]);
    let (subject, labels) = (
        Subject::new(subject).expect("a subject"),
        Labels::new(labels).expect("labels"),
    );
    world
        .core
        .set_labels(&world.grant, subject, labels, None)
        .await
        .expect("set");
}

async fn world() -> World {
    let world = World::new().await;
    label(&world, "1", "lobby").await;
    label(&world, "2", "attic").await;
    // Positions 1 to 6.
    world.publish(&["a/x/1", "b/x/2", "a.b/x/1"]).await;
    world.publish(&["a/y/2", "a/y/3", "b/y"]).await;
    world
}

/// What is read from the beginning, in one page, and counted of it.
async fn seen(world: &World, filter: Filter) -> Result<Vec<u64>, read::Error> {
    let mut reader = world.follow(Start::Beginning, filter).await?;
    let delivery = reader.present(EVERYTHING).await?;
    Ok(delivery
        .events
        .iter()
        .map(|event| event.record().position().get())
        .collect())
}

#[tokio::test]
async fn a_reading_has_what_is_granted_and_nothing_else() {
    let world = world().await;
    let check = async |granted: &str, asked: &str, expected: &[u64]| {
        let reader = world.granting(allowance(granted));
        let seen = seen(&reader, filter(asked)).await.expect("it is granted");
        assert_eq!(seen, expected, "{granted} asked for {asked}");
    };
    check("read", "", &[1, 2, 3, 4, 5, 6]).await;
    check("admin", "", &[1, 2, 3, 4, 5, 6]).await;
    check("read;a", "", &[1, 4, 5]).await;
    check("read;a.*", "", &[3]).await;
    check("read;a.*,b", "", &[2, 3, 6]).await;
    check("read;*", "b", &[2, 6]).await;
    check("read;;=1", "", &[1, 3]).await;
    check("read;;=1,3", "a", &[1, 5]).await;
    check("read;;=1,3", ";;3", &[5]).await;
    check("read;b;=2", "", &[2]).await;
    check("read;;room=lobby", "", &[1, 3]).await;
    check("read;;room=lobby", ";;2", &[]).await;
    check("read;a;room=attic", ";y", &[4]).await;
    check("read;;room=cellar", "", &[]).await;
}

#[tokio::test]
async fn what_the_type_of_an_event_tells_lets_nobody_out_of_a_confinement() {
    let world = world().await;
    let check = async |granted: &str, group: &str, expected: &[u64]| {
        let reader = world.granting(allowance(granted));
        let seen = seen(&reader, filter(&format!(";;;{group}"))).await;
        assert_eq!(seen.expect("it is granted"), expected, "{granted} {group}");
    };
    check("read", "kind=lamp|x@kind|y@kind", &[1, 2, 3, 4, 5]).await;
    check("read;;room=lobby", "kind=lamp|x@kind|y@kind", &[1, 3]).await;
    check("read;;room=cellar", "kind=lamp|x@kind|y@kind", &[]).await;
    check("read;;room=lobby", "room=attic|y@room", &[]).await;
    check("read;;=3", "kind=lamp|x@kind|y@kind", &[5]).await;
}

#[tokio::test]
async fn what_is_named_and_not_granted_is_refused_whether_it_is_there_or_not() {
    let world = world().await;
    let check = async |granted: &str, asked: &str, expected: &str| {
        let reader = world.granting(allowance(granted));
        let error = seen(&reader, filter(asked))
            .await
            .expect_err("it is not granted");
        assert!(matches!(error, read::Error::Forbidden(_)), "{error}");
        assert_eq!(error.to_string(), expected);
    };
    check("publish", "", "the right to read is needed in this project").await;
    check("read;a", "b", "feed b is not granted").await;
    check("read;a", "nowhere", "feed nowhere is not granted").await;
    check("read;a.*", "a", "feed a is not granted").await;
    check(
        "read;;=1",
        ";;2",
        r#"events about subject "2" are not granted"#,
    )
    .await;
    check(
        "read;;=1",
        ";;nobody",
        r#"events about subject "nobody" are not granted"#,
    )
    .await;
}

#[tokio::test]
async fn a_confined_reader_at_the_tail_gets_its_own_and_its_cursor_moves_on() {
    let world = world().await;
    for (granted, own) in [("read;;=2", 8), ("read;;room=attic", 11), ("read;a.*", 15)] {
        let confined = world.granting(allowance(granted));
        let mut reader = confined
            .follow(Start::Now, filter(""))
            .await
            .expect("a reader");
        let publish = async {
            world.publish(&["b/x/1"]).await;
            world.publish(&["a/x/2", "a.c/x/7"]).await;
        };
        let (got, ()) = tokio::join!(next(&mut reader, EVERYTHING), publish);
        assert_eq!(got, [own], "{granted}");
        assert_eq!(
            Some(reader.cursor().0),
            Position::new(own.next_multiple_of(3))
        );
    }
}

#[tokio::test]
async fn counts_are_of_what_is_granted() {
    let world = world().await;
    let check = async |granted: &str, expected: &[(&str, u64, u64, u64, u64)]| {
        let reader = world.granting(allowance(granted));
        let feeds = reader
            .core
            .feeds(&reader.grant)
            .await
            .expect("it is granted");
        let told: Vec<_> = feeds
            .feeds
            .iter()
            .map(|f| {
                (
                    f.name.as_str(),
                    f.events,
                    f.batches,
                    f.subjects,
                    f.last.get(),
                )
            })
            .collect();
        assert_eq!(told, expected, "{granted}");
        assert_eq!(feeds.head.get(), 6);
    };
    check(
        "read",
        &[("a", 3, 2, 3, 5), ("a.b", 1, 1, 1, 3), ("b", 2, 2, 1, 6)],
    )
    .await;
    check("read;a.*", &[("a.b", 1, 1, 1, 3)]).await;
    check("read;;=1", &[("a", 1, 1, 1, 1), ("a.b", 1, 1, 1, 3)]).await;
    check("read;;=2,3", &[("a", 2, 1, 2, 5), ("b", 1, 1, 1, 2)]).await;
    check("read;b;room=attic", &[("b", 1, 1, 1, 2)]).await;
    check("read;;room=cellar", &[]).await;
    // What was erased is not told of.
    let subject = Subject::new("2").ok();
    world
        .core
        .erase(&world.grant, None, subject)
        .await
        .expect("erased");
    check("read;;=2,3", &[("a", 1, 1, 1, 5)]).await;
}

#[tokio::test]
async fn labels_are_shown_to_those_who_may_see_the_subject() {
    let world = world().await;
    let check = async |granted: &str, subject: &str, shown: bool| {
        let reader = world.granting(allowance(granted));
        let subject = Subject::new(subject).expect("a subject");
        let labels = reader
            .core
            .labels(&reader.grant, &subject)
            .await
            .expect("it is granted");
        assert_eq!(!labels.is_empty(), shown, "{granted} {subject:?}");
    };
    check("read", "1", true).await;
    check("read;a", "1", true).await;
    check("read;;=1", "1", true).await;
    check("read;;=1", "2", false).await;
    check("read;;room=attic", "2", true).await;
    check("read;;room=attic", "1", false).await;
}

#[tokio::test]
async fn a_batch_is_published_when_every_event_of_it_is_granted() {
    let world = world().await;
    let check = async |granted: &str, events: &[&str], refused: Option<&str>| {
        let publisher = world.granting(allowance(granted));
        let before = world
            .core
            .head(&world.grant, Filter::default())
            .await
            .expect("a head");
        let outcome = publisher.try_publish(events).await;
        let after = world
            .core
            .head(&world.grant, Filter::default())
            .await
            .expect("a head");
        match refused {
            None => assert!(outcome.is_ok() && after > before, "{granted} {events:?}"),
            Some(words) => {
                let error = outcome.expect_err("it is not granted");
                assert!(matches!(error, publish::Error::Forbidden(_)), "{error}");
                assert_eq!(error.to_string(), words);
                assert_eq!(after, before);
            }
        }
    };
    check("publish", &["a/x/1", "q/x"], None).await;
    check(
        "read",
        &["a/x/1"],
        Some("the right to publish is needed in this project"),
    )
    .await;
    check(
        "publish;a",
        &["a/x/1", "b/x/1"],
        Some("feed b is not granted"),
    )
    .await;
    check("publish;a.*", &["a.z/x/1"], None).await;
    check("publish;;=1", &["a/x/1"], None).await;
    check(
        "publish;;=1",
        &["a/x/1", "a/x"],
        Some("events about no subject are not granted"),
    )
    .await;
    check(
        "publish;;=1",
        &["a/x/2"],
        Some(r#"events about subject "2" are not granted"#),
    )
    .await;
    check("publish;;room=lobby", &["a/x/1"], None).await;
    check(
        "publish;;room=lobby",
        &["a/x/9"],
        Some(r#"events about subject "9" are not granted"#),
    )
    .await;
    check("admin", &["_audit/x"], Some("feed _audit is not granted")).await;
}

#[tokio::test]
async fn what_is_settled_for_all_takes_a_grant_of_all() {
    let world = world().await;
    let subject = || Subject::new("1").expect("a subject");
    let forbidden = |done: Result<(), store::Error>| match done {
        Ok(()) => None,
        Err(store::Error::Read(read::Error::Forbidden(forbidden))) => Some(forbidden),
        Err(other) => panic!("{other}"),
    };
    for granted in ["publish;a", "publish;;=1", "read"] {
        let world = world.granting(allowance(granted));
        let set = world
            .core
            .set_labels(&world.grant, subject(), Labels::default(), None)
            .await;
        assert!(forbidden(set).is_some(), "{granted}");
    }
    for granted in ["publish", "admin"] {
        let world = world.granting(allowance(granted));
        let set = world
            .core
            .set_labels(&world.grant, subject(), Labels::default(), None)
            .await;
        assert_eq!(forbidden(set), None);
    }
    let everything_else = world.granting(allowance("read,publish,streams,connectors"));
    let erased = everything_else
        .core
        .erase(&everything_else.grant, None, Some(subject()))
        .await;
    assert_eq!(
        forbidden(erased.map(drop)),
        Some(Forbidden::Right(Right::Admin))
    );
    let keep = feedwire_engine::Retention::default();
    let kept = everything_else
        .core
        .set_retention(&everything_else.grant, keep, None)
        .await;
    assert_eq!(forbidden(kept), Some(Forbidden::Right(Right::Admin)));
}
