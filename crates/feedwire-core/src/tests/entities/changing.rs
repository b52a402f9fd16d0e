//! Putting, patching and deleting, one writer and many.

use std::sync::Arc;

use feedwire_event::ChangeKind;
use tokio::task::JoinSet;

use super::*;
use crate::publish;

#[tokio::test]
async fn what_is_put_makes_an_event_of_what_changed_and_nothing_where_it_is_so_already() {
    let world = World::new().await;
    let put = async |text| change(&world, "planes/N1", text).await;
    assert_eq!(put(r#"{"a":1,"b":{"c":1,"d":2}}"#).await, ("create", 1));
    assert_eq!(put(r#"{"b":{"d":2.0,"c":1},"a":1}"#).await, ("none", 1));
    assert_eq!(put(r#"{"a":null,"b":{"c":3}}"#).await, ("update", 2));
    assert_eq!(put("").await, ("delete", 3));
    assert_eq!(put("").await, ("none", 0));
    assert_eq!(put("{}").await, ("create", 4));
    assert_eq!(
        changes(&world, "").await,
        [
            "1 create planes/N1",
            r#"2 update planes/N1 ["/a","/b/c"] ["/b/d"]"#,
            "3 delete planes/N1",
            "4 create planes/N1",
        ]
    );
    assert_eq!(state(&world, "planes/N1").await, Some(("{}".to_owned(), 4)));
}

#[tokio::test]
async fn the_record_of_a_change_holds_the_whole_new_state() {
    let world = World::new().await;
    change(&world, "planes/N1", r#"{"a":1,"b":2}"#).await;
    change(&world, "planes/N1", r#"{"a":1,"b":3}"#).await;
    let reader = world.follow_until(Start::Beginning, filter(""), Until::Now);
    let delivery = reader.await.present(EVERYTHING).await.expect("events");
    let states = delivery.events.iter().map(|event| text(event.record()));
    let states: Vec<String> = states.collect();
    assert_eq!(states, [r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3}"#]);
}

#[tokio::test]
async fn a_patch_changes_what_it_names_alone() {
    let world = World::new().await;
    change(&world, "planes/N1", r#"{"a":1,"n":1.10,"b":{"c":1}}"#).await;
    assert_eq!(
        change(&world, "planes/N1", r#"~{"b":{"d":2},"a":null}"#).await,
        ("update", 2)
    );
    assert_eq!(
        change(&world, "planes/N1", r#"~{"b":{"d":2}}"#).await,
        ("none", 2)
    );
    let patched = r#"{"n":1.10,"b":{"c":1,"d":2}}"#.to_owned();
    assert_eq!(state(&world, "planes/N1").await, Some((patched, 2)));
    // One that is not there is made of what the patch has.
    assert_eq!(
        change(&world, "planes/N2", r#"~{"a":1,"b":null}"#).await,
        ("create", 3)
    );
    assert_eq!(
        state(&world, "planes/N2").await,
        Some((r#"{"a":1}"#.to_owned(), 3))
    );
    let none = try_change(&world, write("planes/N2", "~[]")).await;
    assert!(matches!(none, Err(Error::PatchedState { .. })), "{none:?}");
    let of_nothing = Write {
        wanted: Wanted::Patched {
            state: None,
            ids: Some(patch(r#"{"no":1}"#)),
        },
        ..write("planes/N3", "")
    };
    let none = try_change(&world, of_nothing).await;
    assert!(matches!(none, Err(Error::NotThere(_))), "{none:?}");
}

#[tokio::test]
async fn ids_are_part_of_what_is_put() {
    let world = World::new().await;
    let with = |text: Option<&str>| Write {
        wanted: Wanted::Put {
            state: State::parse("{}").expect("a state"),
            ids: text.map(ids),
        },
        ..write("planes/N1", "")
    };
    let patched = |text| Write {
        wanted: Wanted::Patched {
            state: None,
            ids: Some(patch(text)),
        },
        ..write("planes/N1", "")
    };
    let kind = async |write| {
        try_change(&world, write)
            .await
            .map(|outcome| outcome.change)
    };
    let update = Some(ChangeKind::Update);
    assert_eq!(
        kind(with(Some(r#"{"no":1}"#))).await.expect("put"),
        Some(ChangeKind::Create)
    );
    assert_eq!(kind(with(Some(r#"{"no":1.0}"#))).await.expect("put"), None);
    assert_eq!(kind(with(Some(r#"{"no":2}"#))).await.expect("put"), update);
    assert_eq!(
        kind(patched(r#"{"id":"x"}"#)).await.expect("patched"),
        update
    );
    let EntityKey { feed, subject } = key("planes", "N1");
    let entity = world.core.entity(&world.grant, &feed, &subject);
    let entity = entity.await.expect("it is read").expect("it is there");
    let change = entity
        .payload()
        .expect("a payload")
        .change
        .expect("a change");
    assert_eq!(change.ids, r#"{"no":2,"id":"x"}"#);
    assert!(matches!(
        kind(patched(r#"{"id":[]}"#)).await,
        Err(Error::PatchedIds { .. })
    ));
    assert_eq!(kind(patched("null")).await.expect("patched"), update);
    assert_eq!(kind(with(None)).await.expect("put"), None);
}

#[tokio::test]
async fn a_change_is_made_only_of_what_was_expected() {
    let world = World::new().await;
    let expecting = |expected, text| Write {
        expected: Some(expected),
        ..write("planes/N1", text)
    };
    let refused = async |expected| match try_change(&world, expecting(expected, "{}")).await {
        Err(Error::Unexpected { position, .. }) => position.map_or(0, Position::get),
        other => panic!("refused, not {other:?}"),
    };
    assert_eq!(refused(Expected::Present).await, 0);
    assert_eq!(refused(at(1)).await, 0);
    try_change(&world, expecting(Expected::Absent, r#"{"a":1}"#))
        .await
        .expect("put");
    assert_eq!(refused(Expected::Absent).await, 1);
    assert_eq!(refused(at(2)).await, 1);
    try_change(&world, expecting(at(1), r#"{"a":2}"#))
        .await
        .expect("put");
    try_change(&world, expecting(Expected::Present, r#"{"a":3}"#))
        .await
        .expect("put");
    assert_eq!(
        state(&world, "planes/N1").await,
        Some((r#"{"a":3}"#.to_owned(), 3))
    );
}

#[tokio::test]
async fn a_batch_of_changes_is_all_or_none_and_names_each_entity_once() {
    let world = World::new().await;
    change(&world, "a/2", r#"{"x":1}"#).await;
    let writes = [
        write("a/3", "{}"),
        write("a/2", r#"{"x":1}"#),
        write("a/1", "{}"),
        write("b/1", "{}"),
    ];
    let outcomes = world
        .core
        .change_entities(&world.grant, &writes)
        .await
        .expect("changed");
    let positions: Vec<_> = outcomes
        .iter()
        .map(|o| o.position.map(Position::get))
        .collect();
    assert_eq!(positions, [Some(2), Some(1), Some(3), Some(4)]);
    assert_eq!(outcomes[1].change, None);
    let writes = [write("a/4", "{}"), write("a/5", "~[]")];
    let none = world.core.change_entities(&world.grant, &writes).await;
    assert!(none.is_err());
    assert_eq!(state(&world, "a/4").await, None);
    let writes = [write("a/4", "{}"), write("a/5", "{}"), write("a/4", "{}")];
    let none = world.core.change_entities(&world.grant, &writes).await;
    assert!(matches!(none, Err(Error::Twice(of)) if of == key("a", "4")));
}

#[tokio::test]
async fn events_beside_the_changes_leave_the_state_as_it_is() {
    let world = World::new().await;
    world.publish(&["planes/update/N1"]).await;
    assert_eq!(state(&world, "planes/N1").await, None);
    assert_eq!(
        change(&world, "planes/N1", r#"{"a":1}"#).await,
        ("create", 2)
    );
    world.publish(&["planes/delete/N1"]).await;
    assert_eq!(change(&world, "planes/N1", r#"{"a":1}"#).await, ("none", 2));
    assert_eq!(
        change(&world, "planes/N1", r#"{"a":2}"#).await,
        ("update", 4)
    );
}

/// Each writer adds one to what it has read: none of it may be lost.
#[tokio::test]
async fn writers_of_one_entity_see_what_the_one_before_has_made_of_it() {
    let world = Arc::new(World::new().await);
    change(&world, "a/1", r#"{"n":0}"#).await;
    let mut writers = JoinSet::new();
    for _ in 0..8 {
        let world = world.clone();
        writers.spawn(async move {
            for _ in 0..5 {
                loop {
                    let (state, position) = state(&world, "a/1").await.expect("it is there");
                    let state: serde_json::Value = serde_json::from_str(&state).expect("JSON");
                    let next = state["n"].as_u64().expect("a number") + 1;
                    let write = Write {
                        expected: Some(at(position)),
                        ..write("a/1", &format!("{{\"n\":{next}}}"))
                    };
                    world.publish(&["a/beside/1"]).await;
                    match try_change(&world, write).await {
                        Ok(_) => break,
                        Err(Error::Unexpected { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.expect("a writer");
    }
    let (text, _) = state(&world, "a/1").await.expect("it is there");
    assert_eq!(text, r#"{"n":40}"#);
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_nothing_is_changed() {
    let world = World::new().await;
    let large = format!(
        "{{\"a\":\"{}\"}}",
        "x".repeat(feedwire_event::limits::EVENT_BYTES_MAX)
    );
    let refused = try_change(&world, write("a/1", &large)).await;
    assert!(
        matches!(refused, Err(Error::Publish(publish::Error::Batch(_)))),
        "{refused:?}"
    );
    assert_eq!(state(&world, "a/1").await, None);
}

#[tokio::test]
async fn a_state_as_large_as_may_be_is_changed_too() {
    let world = World::new().await;
    let large = |value: u8, bytes: usize| format!("{{\"{value}\":\"{}\"}}", "x".repeat(bytes));
    let mut bytes = feedwire_event::limits::EVENT_BYTES_MAX - crate::limits::LOAD_ROOM_BYTES;
    while try_change(&world, write("a/1", &large(1, bytes)))
        .await
        .is_err()
    {
        bytes -= 1;
    }
    assert_eq!(change(&world, "a/1", &large(2, bytes)).await, ("update", 2));
    assert_eq!(
        listed(&world, "a", 2).await,
        [format!("a/1 {}", large(2, bytes))]
    );
}
