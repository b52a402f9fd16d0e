//! What a view promises: all or nothing, never ahead, never in between.

use std::sync::Arc;

use bytes::Bytes;
use feedwire_event::Position;

use super::Place;
use super::fixture::{Bench, at, project};
use crate::{Limit, Misapplied, View, Write};

async fn view(bench: &Bench<'_>, name: &'static str) -> Arc<dyn View> {
    let view = bench.engine.view(&project("p"), name).await;
    view.expect("it opens")
}

fn write(key: &str, value: Option<&str>) -> Write {
    Write {
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: value.map(|value| Bytes::copy_from_slice(value.as_bytes())),
    }
}

async fn apply(view: &dyn View, through: u64, writes: &[(&str, Option<&str>)]) {
    let writes = writes.iter().map(|(k, v)| write(k, *v)).collect();
    let applied = view.apply(at(through), writes).await;
    applied.expect("it is applied");
}

async fn content(view: &dyn View) -> Vec<(String, String)> {
    let text = |bytes: Bytes| String::from_utf8_lossy(&bytes).into_owned();
    let all = view.scan(b"", None, 100).await.expect("it is scanned");
    all.into_iter().map(|(k, v)| (text(k), text(v))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
    expected.iter().map(owned).collect()
}

pub async fn a_view_holds_what_was_applied(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t s"]).await;
    let view = view(&bench, "counts").await;
    assert_eq!(view.applied(), Position::ZERO);
    apply(
        &*view,
        1,
        &[("b", Some("1")), ("a", Some("2")), ("c", Some("3"))],
    )
    .await;
    assert_eq!(view.applied(), at(1));
    apply(&*view, 2, &[("b", None), ("a", Some("4")), ("d", None)]).await;
    assert_eq!(view.applied(), at(2));
    assert_eq!(content(&*view).await, pairs(&[("a", "4"), ("c", "3")]));
    assert_eq!(view.get(b"b").await.expect("it is read"), None);
    assert_eq!(
        view.get(b"a").await.expect("it is read").as_deref(),
        Some(&b"4"[..])
    );
    apply(&*view, 2, &[("aa", Some("5"))]).await;
    let page = view.scan(b"a", Some(b"a"), 5).await.expect("it is scanned");
    assert_eq!(
        page,
        [(Bytes::from_static(b"aa"), Bytes::from_static(b"5"))]
    );
    let page = view.scan(b"", None, 2).await.expect("it is scanned");
    assert_eq!(page.len(), 2);
    let keys = ["c", "b", "aa"].map(|key| Bytes::from_static(key.as_bytes()));
    let values = view.get_all(keys.to_vec()).await.expect("they are read");
    let values: Vec<_> = values.iter().map(Option::as_deref).collect();
    assert_eq!(values, [Some(&b"3"[..]), None, Some(&b"5"[..])]);
}

pub async fn a_page_of_a_view_ends_with_the_entry_that_reaches_a_bound(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s"]).await;
    let view = view(&bench, "counts").await;
    let entries = [
        ("a", Some("1")),
        ("b", Some("22")),
        ("c", Some("3")),
        ("d", Some("4")),
    ];
    apply(&*view, 1, &entries).await;
    let page = async |after: Option<&[u8]>, records, bytes| {
        let page = view.page(b"", after, Limit { records, bytes }).await;
        let keys = page.expect("it is read").into_iter().map(|(key, _)| key);
        keys.map(|key| String::from_utf8_lossy(&key).into_owned())
            .collect::<String>()
    };
    assert_eq!(page(None, 9, 1).await, "a");
    assert_eq!(page(None, 9, 2).await, "a");
    assert_eq!(page(None, 9, 3).await, "ab");
    assert_eq!(page(None, 9, 6).await, "abc");
    assert_eq!(page(None, 3, usize::MAX).await, "abc");
    assert_eq!(page(Some(b"b"), 9, usize::MAX).await, "cd");
    assert_eq!(page(None, 0, 9).await, "");
}

pub async fn a_view_never_gets_ahead_of_its_log(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s"]).await;
    let view = view(&bench, "counts").await;
    apply(&*view, 1, &[("a", Some("1"))]).await;
    let ahead = view.apply(at(2), vec![write("a", Some("2"))]).await;
    let ahead = ahead.expect_err("position 2 is not readable");
    let misapplied = Misapplied {
        from: at(1),
        to: at(2),
        head: at(1),
    };
    assert_eq!(ahead.0.downcast_ref(), Some(&misapplied));
    assert_eq!(view.applied(), at(1));
    assert_eq!(content(&*view).await, pairs(&[("a", "1")]));
}

pub async fn a_view_never_moves_back(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t s"]).await;
    let view = view(&bench, "counts").await;
    apply(&*view, 2, &[("a", Some("1"))]).await;
    let back = view.apply(at(1), vec![write("a", Some("2"))]).await;
    back.expect_err("position 1 is applied");
    assert_eq!(
        (view.applied(), content(&*view).await),
        (at(2), pairs(&[("a", "1")]))
    );
}

pub async fn a_synced_view_outlives_a_crash(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s"]).await;
    let counts = view(&bench, "counts").await;
    apply(&*counts, 1, &[("a", Some("1"))]).await;
    assert_eq!(counts.sync().await.expect("it is synced"), at(1));
    drop(counts);
    let bench = bench.crash().await;
    let counts = view(&bench, "counts").await;
    assert_eq!(counts.applied(), at(1));
    assert_eq!(content(&*counts).await, pairs(&[("a", "1")]));
    drop(counts);
    let bench = bench.reopen().await;
    assert_eq!(view(&bench, "counts").await.applied(), at(1));
}

pub async fn a_view_that_was_not_synced_stands_where_it_once_stood(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t s", "f t s"]).await;
    let counts = view(&bench, "counts").await;
    let mut stood = vec![Vec::new()];
    for (through, text) in [(1, "1"), (2, "2"), (3, "3")] {
        apply(&*counts, through, &[("a", Some(text)), (text, Some(text))]).await;
        stood.push(content(&*counts).await);
        if through == 1 {
            counts.sync().await.expect("it is synced");
        }
    }
    drop(counts);
    let bench = bench.crash().await;
    let counts = view(&bench, "counts").await;
    let applied = counts.applied();
    assert!(applied >= at(1), "what was synced is there");
    let stands = usize::try_from(applied.get()).expect("a small position");
    assert_eq!(content(&*counts).await, stood[stands]);
    // It catches up from there.
    apply(
        &*counts,
        3,
        &[("a", Some("3")), ("2", Some("2")), ("3", Some("3"))],
    )
    .await;
    assert_eq!(content(&*counts).await, stood[3]);
}

pub async fn a_reset_view_is_empty(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t s"]).await;
    let counts = view(&bench, "counts").await;
    let other = view(&bench, "other").await;
    apply(&*counts, 2, &[("a", Some("1")), ("b", Some("2"))]).await;
    apply(&*other, 2, &[("a", Some("1"))]).await;
    counts.reset().await.expect("it is reset");
    assert_eq!(
        (counts.applied(), content(&*counts).await),
        (at(0), Vec::new())
    );
    assert_eq!(content(&*other).await, pairs(&[("a", "1")]));
    apply(&*counts, 1, &[("c", Some("3"))]).await;
    drop((counts, other));
    let bench = bench.reopen().await;
    let counts = view(&bench, "counts").await;
    assert_eq!(counts.applied(), at(1));
    assert_eq!(content(&*counts).await, pairs(&[("c", "3")]));
}

pub async fn views_are_apart(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s"]).await;
    bench
        .engine
        .create(&project("q"))
        .await
        .expect("it is created");
    let one = view(&bench, "counts").await;
    let two = view(&bench, "counts-by-type").await;
    let other = bench
        .engine
        .view(&project("q"), "counts")
        .await
        .expect("it opens");
    apply(&*one, 1, &[("a", Some("1"))]).await;
    apply(&*two, 1, &[("b", Some("2"))]).await;
    assert_eq!(content(&*one).await, pairs(&[("a", "1")]));
    assert_eq!(content(&*two).await, pairs(&[("b", "2")]));
    assert_eq!(
        (other.applied(), content(&*other).await),
        (at(0), Vec::new())
    );
    // What is handed out twice is one view.
    let same = view(&bench, "counts").await;
    apply(&*one, 1, &[("a", Some("3"))]).await;
    assert_eq!(content(&*same).await, pairs(&[("a", "3")]));
}
