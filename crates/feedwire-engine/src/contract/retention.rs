//! What trimming promises: what stays, and what is said of what went.

use std::time::Duration;

use feedwire_event::{Position, Timestamp, Version};

use super::Place;
use super::fixture::{ALL, Bench, NOON, NOTHING, at, batch, feed, head, positions, record, scope};
use crate::{Batch, Expired, FeedTrim, ReadError, Record, Retention, Scope};

const HOUR: Duration = Duration::from_hours(1);

fn hours(count: i64) -> Timestamp {
    Timestamp::from_micros(NOON.as_micros() + count * 3_600_000_000)
}

async fn append_at(bench: &Bench<'_>, records: &[&str], time: Timestamp) {
    let appended = bench.log.append(batch(records), time).await;
    appended.expect("it is appended");
}

async fn trim(bench: &Bench<'_>, keep: Retention, now: Timestamp, not_past: Position) -> Position {
    let first = bench.log.trim(keep, now, not_past).await;
    let first = first.expect("it is trimmed");
    assert_eq!(bench.log.bounds().first, first);
    first
}

async fn expired(bench: &Bench<'_>, scope: &Scope, after: Position) -> Option<Expired> {
    match bench.log.read(scope, after, ALL).await {
        Ok(_) => None,
        Err(ReadError::Expired(expired)) => Some(expired),
        Err(other) => panic!("it was to be read or expired, not {other:?}"),
    }
}

pub async fn without_limits_nothing_is_trimmed(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s"]).await;
    let first = trim(&bench, Retention::default(), hours(10_000), at(1)).await;
    assert_eq!(first, at(1));
    assert_eq!(bench.read(&Scope::all()).await.len(), 1);
    assert!(bench.log.trims().await.expect("they are read").is_empty());
}

pub async fn records_young_enough_are_kept(place: &dyn Place) {
    let bench = Bench::new(place).await;
    for hour in 0..5 {
        append_at(&bench, &["f t s", "f t"], hours(hour)).await;
    }
    let keep = Retention {
        age: Some(2 * HOUR),
        bytes: None,
    };
    let first = trim(&bench, keep, hours(4), at(10)).await;
    assert!(
        first <= at(5),
        "{first}: what is two hours old is to be kept"
    );
    let records = bench.read(&Scope::all()).await;
    assert_eq!(positions(&records), (first.get()..=10).collect::<Vec<_>>());
    assert_eq!(trim(&bench, keep, hours(7), at(10)).await, at(11));
    assert!(bench.read(&Scope::all()).await.is_empty());
}

pub async fn the_newest_bytes_are_kept(place: &dyn Place) {
    let bench = Bench::new(place).await;
    for _ in 0..10 {
        bench.append(&["f t s"]).await;
    }
    // What an engine adds to a record counts too, so that this many bytes hold nine of them at most.
    let keep = |bytes| Retention {
        age: None,
        bytes: Some(bytes),
    };
    assert_eq!(trim(&bench, keep(1 << 30), NOON, at(10)).await, at(1));
    let first = trim(&bench, keep(90), NOON, at(10)).await;
    let records = bench.read(&Scope::all()).await;
    assert_eq!(positions(&records), (first.get()..=10).collect::<Vec<_>>());
    assert_eq!(trim(&bench, keep(0), NOON, at(10)).await, at(11));
}

pub async fn nothing_above_the_given_position_is_trimmed(place: &dyn Place) {
    let bench = Bench::new(place).await;
    for _ in 0..4 {
        bench.append(&["f t s", "f t"]).await;
    }
    for not_past in 0..8 {
        let first = trim(&bench, NOTHING, hours(9), at(not_past)).await;
        assert!(first <= at(not_past + 1), "{first} is past {not_past}");
        let records = bench.read(&Scope::all()).await;
        assert_eq!(positions(&records), (first.get()..=8).collect::<Vec<_>>());
    }
}

pub async fn where_no_record_is_to_stay_none_does(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t"]).await;
    bench.append(&["f t s"]).await;
    assert_eq!(bench.trim_all().await, at(4));
    assert!(bench.read(&Scope::all()).await.is_empty());
    let back = bench.log.read_back(&Scope::all(), Position::MAX, ALL).await;
    let back = back.expect("it is read");
    assert!(back.records.is_empty() && back.through <= at(4));
    let bounds = bench.log.bounds();
    assert_eq!((bounds.first, bounds.last), (at(4), at(3)));
    let bench = bench.crash().await;
    let bounds = bench.log.bounds();
    assert!(bounds.first >= at(4) && bounds.first == bounds.last.next().max(at(4)));
    assert!(bench.read(&Scope::all()).await.is_empty());
}

pub async fn a_reader_before_what_is_retained_is_told(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t"]).await;
    bench.trim_all().await;
    append_at(&bench, &["f t s"], hours(1)).await;
    let told = |after, lost_at_most| {
        let told = Expired {
            first: at(3),
            first_at: Some(hours(1)),
            lost_at_most,
        };
        (at(after), Some(told))
    };
    for (after, expected) in [told(0, 2), told(1, 1), (at(2), None), (at(3), None)] {
        assert_eq!(expired(&bench, &Scope::all(), after).await, expected);
        assert_eq!(expired(&bench, &scope("", "t", ""), after).await, expected);
        assert_eq!(expired(&bench, &scope("", "", "s"), after).await, expected);
        assert_eq!(expired(&bench, &scope("f", "", ""), after).await, expected);
    }
}

pub async fn a_feed_expires_by_its_own_trims(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["a t s", "a t s"]).await;
    bench.append(&["b t s", "b t s"]).await;
    bench.trim_all().await;
    bench.append(&["c t s", "b t s"]).await;
    let bench = bench.reopen().await;
    let check = async |feeds: &str, after: u64, through: Option<u64>| {
        let told = expired(&bench, &scope(feeds, "", ""), at(after)).await;
        assert_eq!(told.is_some(), through.is_some(), "{feeds:?} after {after}");
        let Some((told, through)) = told.zip(through) else {
            return;
        };
        let lost = told.lost_at_most;
        assert!(lost >= 1 && lost <= through - after, "{lost} of {feeds:?}");
        assert!(told.first > at(through) && told.first <= at(5), "{told:?}");
        let from_there = scope(feeds, "", "");
        assert_eq!(
            expired(&bench, &from_there, told.first.previous()).await,
            None
        );
    };
    check("", 0, Some(4)).await;
    check("", 3, Some(4)).await;
    check("", 4, None).await;
    check("a", 0, Some(2)).await;
    check("a", 1, Some(2)).await;
    check("a", 2, None).await;
    check("b", 3, Some(4)).await;
    check("b", 4, None).await;
    check("c", 0, None).await;
    check("a b", 2, Some(4)).await;
    check("a c", 2, None).await;
    check("a c", 0, Some(2)).await;
    let records = bench.log.read(&scope("c", "", ""), at(0), ALL).await;
    assert_eq!(positions(&records.expect("it is read").records), [5]);
}

pub async fn trims_count_events_batches_and_subjects(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["b t s", "a t s", "b t s", "b t r"]).await;
    bench.append(&["b t s", "b t", "b t q"]).await;
    bench.append(&["B t s"]).await;
    bench.trim_all().await;
    bench.append(&["c t s", "b t s"]).await;
    let trim = |name: &str, through, events, batches, subjects| FeedTrim {
        feed: feed(name),
        through: at(through),
        events,
        batches,
        subjects,
    };
    assert_eq!(
        bench.log.trims().await.expect("they are read"),
        [
            trim("B", 8, 1, 1, 1),
            trim("a", 2, 1, 1, 1),
            trim("b", 7, 6, 2, 3)
        ]
    );
}

pub async fn trims_outlive_the_engine_and_add_up(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    for round in 1..=3 {
        bench.append(&["f t s", "f t"]).await;
        bench.trim_all().await;
        bench = bench.reopen().await;
        let trims = bench.log.trims().await.expect("they are read");
        let counts: Vec<_> = trims
            .iter()
            .map(|t| (t.events, t.batches, t.subjects))
            .collect();
        assert_eq!(counts, [(2 * round, round, 1)]);
        assert_eq!(trims[0].through, bench.log.bounds().last);
    }
}

pub async fn what_is_left_of_a_large_log_and_what_was_trimmed_add_up(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    for hour in 0..60 {
        let own = format!("f t s{}", hour % 7);
        let mut records = vec![record(&own), record("g t s"), record("f t")];
        for record in &mut records {
            record.payload = vec![b'x'; 1_000].into();
        }
        let batch = Batch::new(records, Vec::new()).expect("a batch");
        let appended = bench.log.append(batch, hours(hour)).await;
        appended.expect("it is appended");
    }
    let keep = |hours: u32| Retention {
        age: Some(HOUR * hours),
        bytes: None,
    };
    for (hours_kept, not_past) in [(50, 180), (30, 45), (30, 180), (10, 180)] {
        let before = bench.log.bounds().first;
        let first = trim(&bench, keep(hours_kept), hours(60), at(not_past)).await;
        assert!(first >= before && first <= at(not_past + 1));
        assert!(
            first <= at(180 - 3 * u64::from(hours_kept) + 1),
            "{first} of {hours_kept}"
        );
        let left = bench.read(&Scope::all()).await;
        assert_eq!(positions(&left), (first.get()..=180).collect::<Vec<_>>());
        let trims = bench.log.trims().await.expect("they are read");
        for (name, events, subjects) in [("f", 120, 7), ("g", 60, 1)] {
            let of_it = |r: &&Record| r.feed() == name;
            let born = |r: &&Record| of_it(r) && r.stamp().version == Version(1);
            let trim = trims.iter().find(|trim| trim.feed == feed(name));
            let gone = trim.map_or((0, 0, 0), |trim| (trim.events, trim.batches, trim.subjects));
            assert_eq!(gone.0 + left.iter().filter(of_it).count() as u64, events);
            assert_eq!(gone.1, (first.get() - 1) / 3);
            assert_eq!(gone.2 + left.iter().filter(born).count() as u64, subjects);
        }
        let told = expired(&bench, &Scope::all(), Position::ZERO).await;
        let expected = (first > at(1)).then_some(first);
        assert_eq!(told.map(|told| told.first), expected);
        bench = bench.reopen().await;
        assert_eq!(bench.head("g s").await, Some(head(60, 179)));
        assert_eq!(bench.head("f s0").await, Some(head(9, 169)));
    }
}

pub async fn appending_goes_on_after_everything_was_trimmed(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    bench.append(&["f t s", "f t"]).await;
    bench.trim_all().await;
    bench = bench.reopen().await;
    let appended = bench.append(&["f t s"]).await;
    assert!(appended.first >= at(3));
    assert_eq!(appended.versions, [Version(2)]);
    assert_eq!(bench.read(&Scope::all()).await.len(), 1);
    // What was recorded last bounds what comes, though it is gone.
    bench.trim_all().await;
    bench = bench.reopen().await;
    let earlier = bench.log.append(batch(&["f t s"]), NOON.before(HOUR)).await;
    assert_eq!(earlier.expect("it is appended").recorded_at, NOON);
}
