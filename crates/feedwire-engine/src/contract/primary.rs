//! What the primary store promises.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::Place;
use super::fixture::project;
use crate::{Change, Engine, Entry, Precondition, Primary, PutError, Revision, Space};

const NOTHING: [&[u8]; 0] = [];

fn space(name: &'static str) -> Space {
    Space {
        project: project("p"),
        name,
    }
}

async fn put(store: &dyn Primary, key: &str, value: &'static str) -> Revision {
    let value = Bytes::from_static(value.as_bytes());
    let labels = space("labels");
    let put = store.put(&labels, key.as_bytes(), value, Precondition::Any);
    put.await.expect("it is put")
}

async fn get(store: &dyn Primary, key: &str) -> Option<Entry> {
    let entry = store.get(&space("labels"), key.as_bytes()).await;
    entry.expect("it is read")
}

pub async fn what_was_put_is_there(place: &dyn Place) {
    let engine = place.open().await;
    let store = engine.primary();
    assert_eq!(get(&*store, "k").await, None);
    let first = put(&*store, "k", "one").await;
    let value = Bytes::from_static(b"one");
    let entry = Entry {
        value,
        revision: first,
    };
    assert_eq!(get(&*store, "k").await, Some(entry));
    let second = put(&*store, "k", "").await;
    let entry = get(&*store, "k").await.expect("it is there");
    assert_eq!((entry.value.len(), entry.revision), (0, second));
    let deleted = store
        .delete(&space("labels"), b"k", Precondition::Any)
        .await;
    deleted.expect("it is deleted");
    assert_eq!(get(&*store, "k").await, None);
}

pub async fn a_change_is_made_only_if_its_precondition_holds(place: &dyn Place) {
    let engine = place.open().await;
    let store = engine.primary();
    let labels = space("labels");
    let try_put = async |precondition| {
        let value = Bytes::from_static(b"v");
        match store.put(&labels, b"k", value, precondition).await {
            Ok(revision) => Ok(revision),
            Err(PutError::Changed { current }) => Err(current),
            Err(other) => panic!("it was to be put or changed, not {other:?}"),
        }
    };
    let try_delete = async |precondition| match store.delete(&labels, b"k", precondition).await {
        Ok(()) => Ok(()),
        Err(PutError::Changed { current }) => Err(current),
        Err(other) => panic!("it was to be deleted or changed, not {other:?}"),
    };
    assert_eq!(
        try_put(Precondition::Revision(Revision(1))).await,
        Err(None)
    );
    assert_eq!(
        try_delete(Precondition::Revision(Revision(1))).await,
        Err(None)
    );
    assert_eq!(try_delete(Precondition::Absent).await, Ok(()));
    assert_eq!(try_delete(Precondition::Any).await, Ok(()));
    let one = try_put(Precondition::Absent).await.expect("it was absent");
    assert_eq!(try_put(Precondition::Absent).await, Err(Some(one)));
    assert_eq!(try_delete(Precondition::Absent).await, Err(Some(one)));
    let two = try_put(Precondition::Revision(one)).await;
    let two = two.expect("it was at this revision");
    assert!(two > one);
    assert_eq!(try_put(Precondition::Revision(one)).await, Err(Some(two)));
    assert_eq!(
        try_delete(Precondition::Revision(one)).await,
        Err(Some(two))
    );
    assert_eq!(try_delete(Precondition::Revision(two)).await, Ok(()));
    assert_eq!(try_put(Precondition::Revision(two)).await, Err(None));
}

pub async fn of_changes_with_the_same_precondition_one_is_made(place: &dyn Place) {
    let engine = place.open().await;
    let store = engine.primary();
    let mut precondition = Precondition::Absent;
    for _ in 0..5 {
        let mut racers = JoinSet::new();
        for racer in 0..8_u8 {
            let store = Arc::clone(&store);
            let value = Bytes::copy_from_slice(&[racer]);
            racers.spawn(async move {
                let labels = space("labels");
                let put = store.put(&labels, b"k", value.clone(), precondition);
                put.await.ok().map(|revision| Entry { value, revision })
            });
        }
        let won: Vec<Entry> = racers.join_all().await.into_iter().flatten().collect();
        assert_eq!(won.len(), 1);
        assert_eq!(get(&*store, "k").await.as_ref(), Some(&won[0]));
        precondition = Precondition::Revision(won[0].revision);
    }
}

pub async fn revisions_grow_with_every_change(place: &dyn Place) {
    let engine = place.open().await;
    let store = engine.primary();
    let one = put(&*store, "a", "v").await;
    let two = put(&*store, "b", "v").await;
    assert!(two > one);
    let deleted = store
        .delete(&space("labels"), b"b", Precondition::Any)
        .await;
    deleted.expect("it is deleted");
    drop(store);
    place.crash(engine).await;
    let engine = place.open().await;
    // A key that was removed and comes back is not at a revision it had before.
    let three = put(&*engine.primary(), "b", "v").await;
    assert!(three.0 > two.0 + 1, "{three:?} after {two:?} and a removal");
}

pub async fn a_scan_goes_in_pages(place: &dyn Place) {
    let engine = place.open().await;
    let store = engine.primary();
    let labels = space("labels");
    let keys: [&[u8]; 7] = [
        b"a",
        b"b",
        b"b\0",
        b"b\xff",
        b"b\xff\xff",
        b"bb",
        b"\xff\xff",
    ];
    for key in keys {
        let value = Bytes::copy_from_slice(key);
        let put = store.put(&labels, key, value, Precondition::Any).await;
        put.expect("it is put");
    }
    let scan = async |prefix: &[u8], after: Option<&[u8]>, limit: usize| {
        let page = store.scan(&labels, prefix, after, limit).await;
        let page = page.expect("it is scanned");
        assert!(page.iter().all(|(key, entry)| *key == entry.value));
        page.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    let b: [&[u8]; 5] = [b"b", b"b\0", b"bb", b"b\xff", b"b\xff\xff"];
    assert_eq!(scan(b"b", None, 10).await, b);
    assert_eq!(scan(b"b", None, 2).await, b[..2]);
    assert_eq!(scan(b"b", Some(b[1]), 2).await, b[2..4]);
    assert_eq!(scan(b"b", Some(b[3]), 2).await, b[4..]);
    assert_eq!(scan(b"b", Some(b[4]), 2).await, NOTHING);
    assert_eq!(scan(b"b", Some(b"a"), 10).await, b);
    assert_eq!(scan(b"b", Some(b"c"), 10).await, NOTHING);
    assert_eq!(scan(b"\xff", None, 10).await, [keys[6]]);
    assert_eq!(scan(b"c", None, 10).await, NOTHING);
    assert_eq!(scan(b"", None, 10).await.len(), 7);
    assert_eq!(scan(b"", Some(b"a"), 10).await.len(), 6);
    assert_eq!(scan(b"", None, 0).await, NOTHING);
}

pub async fn spaces_are_apart(place: &dyn Place) {
    let engine = place.open().await;
    let store = engine.primary();
    let of = |name: &str, space| Space {
        project: project(name),
        name: space,
    };
    let spaces = [
        of("a", "b"),
        of("a", "bb"),
        of("a", "b-c"),
        of("ab", "b"),
        of("a.b", "b"),
        of("A", "b"),
    ];
    for space in &spaces {
        let value = Bytes::from(format!("{space:?}"));
        let put = store.put(space, b"k", value, Precondition::Absent).await;
        put.expect("it is absent");
    }
    for space in &spaces {
        let page = store
            .scan(space, b"", None, 10)
            .await
            .expect("it is scanned");
        assert_eq!(page.len(), 1, "{space:?}");
        assert_eq!(page[0].1.value, format!("{space:?}"));
        let elsewhere = store.get(space, b"bk").await;
        assert_eq!(elsewhere.expect("it is read"), None);
    }
}

pub async fn changes_outlive_the_engine(place: &dyn Place) {
    let engine = place.open().await;
    let store = engine.primary();
    put(&*store, "gone", "v").await;
    let revision = put(&*store, "kept", "v").await;
    let deleted = store
        .delete(&space("labels"), b"gone", Precondition::Any)
        .await;
    deleted.expect("it is deleted");
    drop(store);
    place.crash(engine).await;
    let engine = place.open().await;
    check_kept(&*engine, revision).await;
    engine.close().await;
    drop(engine);
    check_kept(&*place.open().await, revision).await;
}

async fn check_kept(engine: &dyn Engine, revision: Revision) {
    let store = engine.primary();
    assert_eq!(get(&*store, "gone").await, None);
    let kept = get(&*store, "kept").await.expect("it is there");
    assert_eq!((&kept.value[..], kept.revision), (&b"v"[..], revision));
}

pub async fn a_watch_tells_changes_in_order(place: &dyn Place) {
    let engine = place.open().await;
    let store = engine.primary();
    put(&*store, "before", "v").await;
    let mut changes = store.watch(&space("labels")).await.expect("it is watched");
    let (labels, jobs) = (space("labels"), space("jobs"));
    let elsewhere = store.put(&jobs, b"k", Bytes::new(), Precondition::Any);
    elsewhere.await.expect("it is put");
    let mut expected = Vec::new();
    for number in 0..20 {
        let key = Bytes::from(format!("k{}", number % 3));
        let value = Bytes::from(number.to_string());
        let put = store.put(&labels, &key, value.clone(), Precondition::Any);
        let revision = put.await.expect("it is put");
        let entry = Some(Entry { value, revision });
        expected.push(Change { key, entry });
    }
    let refused = store
        .delete(&space("labels"), b"k0", Precondition::Absent)
        .await;
    refused.expect_err("it is there");
    for key in ["k1", "k1"] {
        let deleted = store
            .delete(&space("labels"), key.as_bytes(), Precondition::Any)
            .await;
        deleted.expect("it is deleted");
    }
    let key = Bytes::from_static(b"k1");
    expected.push(Change { key, entry: None });
    for change in expected {
        let told = changes.next().await.expect("the store is open");
        assert_eq!(told, Ok(change));
    }
    engine.close().await;
    assert_eq!(changes.next().await, None);
}
