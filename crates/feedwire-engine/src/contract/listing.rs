//! What a list of a feed's subjects promises: their order, and that each stands in it once, where it is now.

use feedwire_event::Subject;

use super::Place;
use super::fixture::{Bench, erasure, feed, subject};

/// All subjects of feed `f` with version and position, listed `part` at a time.
async fn list(bench: &Bench<'_>, part: usize) -> Vec<(String, u64, u64)> {
    let mut all = Vec::new();
    let mut after: Option<Subject> = None;
    loop {
        let some = bench.log.subjects(&feed("f"), after.as_ref(), part).await;
        let some = some.expect("they are listed");
        assert!(some.len() <= part);
        let is_end = some.len() < part;
        after = some.last().map(|(name, _)| name.clone()).or(after);
        all.extend(some.iter().map(|(name, head)| {
            let name = name.as_str().to_owned();
            (name, head.version.0, head.position.get())
        }));
        if is_end {
            return all;
        }
    }
}

async fn check(bench: &Bench<'_>, expected: &[(&str, u64, u64)]) {
    let owned =
        |(name, version, position): &(&str, u64, u64)| ((*name).to_owned(), *version, *position);
    let expected: Vec<_> = expected.iter().map(owned).collect();
    for part in [1, 2, 3, 100] {
        assert_eq!(list(bench, part).await, expected, "{part} at a time");
    }
}

pub async fn subjects_are_listed_in_the_order_of_their_names(place: &dyn Place) {
    let bench = Bench::new(place).await;
    check(&bench, &[]).await;
    bench.append(&["f t b", "f t ab", "f t Z", "f t"]).await;
    bench.append(&["f t é", "f t a", "f t b"]).await;
    let listed = [
        ("Z", 1, 3),
        ("a", 1, 6),
        ("ab", 1, 2),
        ("b", 2, 7),
        ("é", 1, 5),
    ];
    check(&bench, &listed).await;
}

pub async fn a_list_has_the_subjects_of_one_feed(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let records = [
        "f. t a", "f t a", "f- t b", "e t a", "ff t a", "F t a", "f t c",
    ];
    bench.append(&records).await;
    check(&bench, &[("a", 1, 2), ("c", 1, 7)]).await;
    let other = bench.log.subjects(&feed("unheard-of"), None, 10).await;
    assert_eq!(other.expect("they are listed"), []);
}

pub async fn a_list_begins_behind_a_subject_that_need_not_be_there(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t a", "f t c", "f t e"]).await;
    let behind = async |name: &str, limit| {
        let (feed, after) = (feed("f"), subject(name));
        let some = bench.log.subjects(&feed, Some(&after), limit).await;
        let some = some.expect("they are listed");
        let names: Vec<String> = some.iter().map(|(name, _)| name.to_string()).collect();
        names.join(" ")
    };
    assert_eq!(behind("A", 10).await, "a c e");
    assert_eq!(behind("b", 10).await, "c e");
    assert_eq!(behind("b", 1).await, "c");
    assert_eq!(behind("c", 10).await, "e");
    assert_eq!(behind("c", 0).await, "");
    assert_eq!(behind("e", 10).await, "");
}

pub async fn a_list_says_where_a_subject_is_now(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    bench.append(&["f t a", "f t b", "f t c"]).await;
    bench.append(&["f t c", "f t a"]).await;
    let listed = [("a", 2, 5), ("b", 1, 2), ("c", 2, 4)];
    check(&bench, &listed).await;
    bench = bench.crash().await;
    check(&bench, &listed).await;
    // Some are known from before, some only since.
    bench.append(&["f t d", "f t b", "f t 0"]).await;
    let listed = [
        ("0", 1, 8),
        ("a", 2, 5),
        ("b", 2, 7),
        ("c", 2, 4),
        ("d", 1, 6),
    ];
    check(&bench, &listed).await;
    bench = bench.reopen().await;
    check(&bench, &listed).await;
    bench.trim_all().await;
    bench.append(&["f t c"]).await;
    let last = bench.log.bounds().last.get();
    let listed = [
        ("0", 1, 8),
        ("a", 2, 5),
        ("b", 2, 7),
        ("c", 3, last),
        ("d", 1, 6),
    ];
    check(&bench, &listed).await;
}

pub async fn who_is_forgotten_or_erased_is_passed_over(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    let records = ["f t a", "f t b", "f t c", "f t d", "f t e"];
    bench.append(&records).await;
    bench = bench.reopen().await;
    bench.append(&["f t f", "f t b"]).await;
    bench.forget(&erasure("f", "", 5)).await;
    check(&bench, &[("b", 2, 7), ("f", 1, 6)]).await;
    bench = bench.reopen().await;
    for name in ["b", "c", "f"] {
        bench.forget(&erasure("", name, 7)).await;
    }
    check(&bench, &[("a", 1, 1), ("d", 1, 4), ("e", 1, 5)]).await;
    bench.append(&["f t c"]).await;
    check(
        &bench,
        &[("a", 1, 1), ("c", 1, 8), ("d", 1, 4), ("e", 1, 5)],
    )
    .await;
    bench = bench.reopen().await;
    for name in ["a", "b", "c", "f"] {
        bench.erase(&erasure("f", name, 7)).await;
    }
    for _ in 0..2 {
        check(&bench, &[("c", 1, 8), ("d", 1, 4), ("e", 1, 5)]).await;
        bench = bench.crash().await;
    }
}
