//! What a reading promises: what is in scope, where it ends, and that it makes way.

use std::time::Duration;

use feedwire_event::{Position, Timestamp};

use super::Place;
use super::fixture::{ALL, Bench, NOON, at, batch, positions, scope};
use crate::{Chunk, Limit, Record, Scope};

fn records(records: usize) -> Limit {
    Limit {
        records,
        bytes: ALL.bytes,
    }
}

async fn forward(bench: &Bench<'_>, scope: &Scope, after: u64, limit: Limit) -> Chunk {
    let chunk = bench.log.read(scope, at(after), limit).await;
    chunk.expect("it is read")
}

async fn back(bench: &Bench<'_>, scope: &Scope, before: u64, limit: Limit) -> Chunk {
    let chunk = bench.log.read_back(scope, at(before), limit).await;
    chunk.expect("it is read")
}

async fn mixed(bench: &Bench<'_>) {
    bench.append(&["f t a", "f u b", "g t a"]).await;
    bench.append(&["g u", "f t"]).await;
    bench.append(&["h v c"]).await;
    bench.append(&["g t a", "f u a", "h t b"]).await;
}

pub async fn every_form_of_scope_reads_what_it_names(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let check = async |feeds: &str, types: &str, subjects: &str, expected: &[u64]| {
        let scope = scope(feeds, types, subjects);
        let chunk = forward(&bench, &scope, 0, ALL).await;
        assert_eq!(positions(&chunk.records), expected, "{scope:?}");
        assert!(chunk.records.iter().all(|r| scope.has(r)));
        assert_eq!((chunk.through, chunk.head), (at(9), at(9)));
        let chunk = back(&bench, &scope, 10, ALL).await;
        let mut descending = expected.to_vec();
        descending.reverse();
        assert_eq!(positions(&chunk.records), descending, "{scope:?}, back");
        assert!(chunk.through <= at(1));
        assert_eq!(chunk.head, at(9));
    };
    check("", "", "", &[1, 2, 3, 4, 5, 6, 7, 8, 9]).await;
    check("f", "", "", &[1, 2, 5, 8]).await;
    check("f h", "", "", &[1, 2, 5, 6, 8, 9]).await;
    check("", "u", "", &[2, 4, 8]).await;
    check("", "u v", "", &[2, 4, 6, 8]).await;
    check("", "", "a", &[1, 3, 7, 8]).await;
    check("", "", "b c", &[2, 6, 9]).await;
    check("f", "u", "", &[2, 8]).await;
    check("g", "", "a", &[3, 7]).await;
    check("", "t", "a b", &[1, 3, 7, 9]).await;
    check("f g", "t u", "a", &[1, 3, 7, 8]).await;
    check("f", "v", "", &[]).await;
    check("unheard-of", "", "", &[]).await;
    check("unheard-of f", "", "b", &[2]).await;
    check("f f", "", "", &[1, 2, 5, 8]).await;
}

pub async fn a_limit_of_records_ends_behind_a_whole_batch(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let check = async |limit: usize, last: u64| {
        let chunk = forward(&bench, &Scope::all(), 0, records(limit)).await;
        assert_eq!(positions(&chunk.records), (1..=last).collect::<Vec<_>>());
        assert_eq!((chunk.through, chunk.head), (at(last), at(9)));
    };
    check(0, 3).await;
    check(1, 3).await;
    check(3, 3).await;
    check(4, 5).await;
    check(5, 5).await;
    check(6, 6).await;
    check(7, 9).await;
    let check = async |limit: usize, first: u64| {
        let chunk = back(&bench, &Scope::all(), 10, records(limit)).await;
        let expected: Vec<u64> = (first..=9).rev().collect();
        assert_eq!(positions(&chunk.records), expected);
        assert_eq!((chunk.through, chunk.head), (at(first), at(9)));
    };
    check(0, 7).await;
    check(3, 7).await;
    check(4, 6).await;
    check(5, 4).await;
    check(7, 1).await;
}

pub async fn a_limit_of_bytes_ends_behind_a_whole_batch(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let all = forward(&bench, &Scope::all(), 0, ALL).await.records;
    let bytes = |count: usize| all[..count].iter().map(Record::bytes).sum::<usize>();
    let check = async |bytes: usize, last: u64| {
        let limit = Limit {
            records: ALL.records,
            bytes,
        };
        let chunk = forward(&bench, &Scope::all(), 0, limit).await;
        assert_eq!(chunk.through, at(last), "{bytes} bytes");
        assert_eq!(chunk.records.len() as u64, last);
    };
    check(0, 3).await;
    check(bytes(3), 3).await;
    check(bytes(3) + 1, 5).await;
    check(bytes(5), 5).await;
    check(bytes(6) + 1, 9).await;
}

pub async fn a_limit_inside_a_batch_never_cuts_it(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let scope = scope("", "t", "");
    for limit in 1..=2 {
        let chunk = forward(&bench, &scope, 0, records(limit)).await;
        assert_eq!(positions(&chunk.records), [1, 3]);
        assert!(chunk.through >= at(3) && chunk.through < at(5));
        let chunk = back(&bench, &scope, 10, records(limit)).await;
        assert_eq!(positions(&chunk.records), [9, 7]);
        assert!(chunk.through <= at(7) && chunk.through > at(5));
    }
}

pub async fn a_reading_can_start_inside_a_batch(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let chunk = forward(&bench, &Scope::all(), 1, records(1)).await;
    assert_eq!(positions(&chunk.records), [2, 3]);
    let chunk = back(&bench, &Scope::all(), 9, records(1)).await;
    assert_eq!(positions(&chunk.records), [8, 7]);
    let chunk = back(&bench, &Scope::all(), 5, records(1)).await;
    assert_eq!(positions(&chunk.records), [4]);
}

pub async fn a_filtered_reading_that_finds_nothing_reaches_the_head(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    let mut after = Position::ZERO;
    while after < at(9) {
        let chunk = forward(&bench, &scope("none", "", ""), after.get(), records(1)).await;
        assert!(chunk.records.is_empty());
        assert!(chunk.through > after, "it makes way");
        after = chunk.through;
    }
    assert_eq!(after, at(9));
}

pub async fn a_filtered_reading_in_steps_finds_everything_once(place: &dyn Place) {
    let bench = Bench::new(place).await;
    for number in 0..60 {
        let subject = format!("f t s{}", number % 7);
        bench
            .append(&["g t s1", &subject, "g u", &subject][..=number % 4])
            .await;
    }
    let scope = scope("f", "", "s1 s3 s5");
    let whole = forward(&bench, &scope, 0, ALL).await;
    assert!(whole.records.len() > 10);
    let mut stepped = Vec::new();
    let mut after = Position::ZERO;
    while after < whole.head {
        let chunk = forward(&bench, &scope, after.get(), records(2)).await;
        assert!(chunk.through > after, "it makes way");
        let last = chunk.records.last().map(Record::position);
        assert!(last.is_none_or(|last| last <= chunk.through));
        stepped.extend(chunk.records);
        after = chunk.through;
    }
    assert_eq!(stepped, whole.records);
    let mut stepped = Vec::new();
    let mut before = whole.head.next();
    while before > at(1) {
        let chunk = back(&bench, &scope, before.get(), records(2)).await;
        assert!(chunk.through < before, "it makes way");
        let last = chunk.records.last().map(Record::position);
        assert!(last.is_none_or(|last| last >= chunk.through));
        stepped.extend(chunk.records);
        before = chunk.through;
    }
    stepped.reverse();
    assert_eq!(stepped, whole.records);
}

pub async fn beyond_the_end_there_is_nothing(place: &dyn Place) {
    let bench = Bench::new(place).await;
    mixed(&bench).await;
    for after in [9, 10, Position::MAX.get()] {
        for scope in [Scope::all(), scope("f", "", "")] {
            let chunk = forward(&bench, &scope, after, ALL).await;
            assert!(chunk.records.is_empty());
            assert_eq!((chunk.through, chunk.head), (at(9), at(9)));
        }
    }
    let chunk = back(&bench, &Scope::all(), Position::MAX.get(), ALL).await;
    assert_eq!(chunk.records.len(), 9);
    for before in [0, 1] {
        let chunk = back(&bench, &Scope::all(), before, ALL).await;
        assert!(chunk.records.is_empty() && chunk.through <= at(1));
    }
}

pub async fn an_empty_log_reads_as_empty(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let bounds = bench.log.bounds();
    assert_eq!((bounds.first, bounds.last), (at(1), at(0)));
    assert_eq!(*bench.log.head().borrow(), at(0));
    let chunk = forward(&bench, &Scope::all(), 0, ALL).await;
    assert_eq!(
        (chunk.records.len(), chunk.through, chunk.head),
        (0, at(0), at(0))
    );
    let chunk = back(&bench, &Scope::all(), 1, ALL).await;
    assert_eq!((chunk.records.len(), chunk.head), (0, at(0)));
    assert!(chunk.through <= at(1));
    let sought = bench.log.seek(NOON).await;
    assert_eq!(sought.expect("it is sought"), at(0));
}

pub async fn seeking_finds_the_position_before_a_time(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let second = |n: i64| Timestamp::from_micros(NOON.as_micros() + n * 1_000_000);
    for (records, time) in [(2, 10), (1, 20), (3, 20), (1, 30)] {
        let appended = bench
            .log
            .append(batch(&vec!["f t"; records]), second(time))
            .await;
        appended.expect("it is appended");
    }
    let bench = bench.reopen().await;
    for (time, position) in [(0, 0), (10, 0), (11, 2), (20, 2), (21, 6), (30, 6), (31, 7)] {
        let sought = bench.log.seek(second(time)).await;
        assert_eq!(sought.expect("it is sought"), at(position), "second {time}");
    }
    let day = Duration::from_hours(24);
    for (time, position) in [
        (NOON.before(day), 0),
        (Timestamp::MIN, 0),
        (Timestamp::MAX, 7),
    ] {
        let sought = bench.log.seek(time).await;
        assert_eq!(sought.expect("it is sought"), at(position));
    }
}
