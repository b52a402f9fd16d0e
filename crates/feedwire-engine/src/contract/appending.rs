//! What an append promises to whoever wrote, and to whoever reads.

use std::sync::Arc;
use std::time::Duration;

use feedwire_event::limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX};
use feedwire_event::{Position, Version};
use tokio::task::JoinSet;

use super::Place;
use super::fixture::{ALL, Bench, NOON, at, batch, positions, record};
use crate::{AppendError, Batch, Log, Record, Scope};

pub async fn an_append_is_answered_with_where_its_events_are(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let one = bench.append(&["f t s", "f t", "g t s"]).await;
    assert_eq!((one.first, one.last), (at(1), at(3)));
    assert_eq!(one.recorded_at, NOON);
    assert_eq!(one.versions, [Version(1), Version::NONE, Version(1)]);
    let two = bench.append(&["f t s"]).await;
    assert_eq!((two.first, two.last), (at(4), at(4)));
    assert_eq!(two.versions, [Version(2)]);
}

pub async fn records_come_back_as_they_were_appended(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let mut odd = record("orders order.placed");
    odd.subject = Some(super::fixture::subject("Ærø 🛫/42"));
    odd.payload = vec![0, 255, 10, 13, 0].into();
    let mut bare = record("orders t");
    bare.payload = bytes::Bytes::new();
    let new = vec![odd.clone(), bare.clone()];
    let new = Batch::new(new, Vec::new()).expect("a batch");
    bench.try_append(new).await.expect("it is appended");
    let records = bench.read(&Scope::all()).await;
    for (record, new) in records.iter().zip([&odd, &bare]) {
        assert_eq!(record.feed(), new.feed.as_str());
        assert_eq!(record.ty(), new.ty.as_str());
        assert_eq!(
            record.subject(),
            new.subject.as_ref().map(feedwire_event::Subject::as_str)
        );
        assert_eq!(record.payload_bytes(), new.payload);
    }
    let places: Vec<_> = records.iter().map(|r| r.stamp().place).collect();
    assert_eq!(
        places
            .iter()
            .map(|p| (p.index, p.count))
            .collect::<Vec<_>>(),
        [(0, 2), (1, 2)]
    );
    assert_eq!(records[0].stamp().version, Version(1));
    assert_eq!(records[1].stamp().version, Version::NONE);
}

pub async fn positions_grow_without_a_gap_within_a_batch(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    let mut last = Position::ZERO;
    for round in 0..3 {
        for count in 1..=5 {
            let appended = bench.append(&vec!["f t s"; count]).await;
            assert!(appended.first > last, "{appended:?} after {last}");
            assert_eq!(appended.last, appended.first.plus(count as u64 - 1));
            last = appended.last;
        }
        bench = if round == 0 {
            bench.reopen().await
        } else {
            bench.crash().await
        };
    }
}

pub async fn recorded_at_never_goes_back(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let hour = Duration::from_hours(1);
    let earlier = NOON.before(hour);
    let appended = |now| bench.log.append(batch(&["f t s"]), now);
    let times = [
        appended(NOON).await.expect("it is appended").recorded_at,
        appended(earlier).await.expect("it is appended").recorded_at,
    ];
    assert_eq!(times, [NOON, NOON]);
    let bench = bench.reopen().await;
    let appended = bench.log.append(batch(&["f t s"]), earlier).await;
    assert_eq!(appended.expect("it is appended").recorded_at, NOON);
    let records = bench.read(&Scope::all()).await;
    assert!(records.iter().all(|r| r.stamp().recorded_at == NOON));
}

pub async fn the_time_of_the_producer_is_kept_and_defaults_to_recorded_at(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let before = NOON.before(Duration::from_hours(24));
    let mut early = record("f t s");
    early.time = Some(before);
    let batch = Batch::new(vec![early, record("f t s")], Vec::new()).expect("a batch");
    bench.try_append(batch).await.expect("it is appended");
    let records = bench.read(&Scope::all()).await;
    let times: Vec<_> = records.iter().map(|r| r.stamp().time).collect();
    assert_eq!(times, [before, NOON]);
}

pub async fn a_batch_at_its_limits_is_taken(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&vec!["f t s"; BATCH_EVENTS_MAX]).await;
    let mut large = record("f t");
    large.payload = vec![b'x'; BATCH_BYTES_MAX / 16 - 2].into();
    let batch = Batch::new(vec![large; 16], Vec::new()).expect("a batch");
    bench.try_append(batch).await.expect("it is appended");
    let records = bench.read(&Scope::all()).await;
    assert_eq!(records.len(), BATCH_EVENTS_MAX + 16);
    let bytes: usize = records[BATCH_EVENTS_MAX..].iter().map(Record::bytes).sum();
    assert_eq!(bytes, BATCH_BYTES_MAX);
}

pub async fn what_was_acknowledged_outlives_the_engine(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t"]).await;
    bench.append(&["g t s"]).await;
    let before = bench.read(&Scope::all()).await;
    let bench = bench.reopen().await;
    assert_eq!(bench.read(&Scope::all()).await, before);
    assert_eq!(bench.log.bounds().last, at(3));
    assert_eq!(*bench.log.head().borrow(), at(3));
}

pub async fn what_was_acknowledged_outlives_a_crash(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s", "f t"]).await;
    bench.append(&["g t s"]).await;
    let before = bench.read(&Scope::all()).await;
    let bench = bench.crash().await;
    assert_eq!(bench.read(&Scope::all()).await, before);
}

async fn write(log: Arc<dyn Log>, writer: usize, batches: usize) -> Vec<(Position, Position)> {
    let mut acknowledged = Vec::new();
    for number in 0..batches {
        let text = format!("f t w{writer}");
        let records = vec![text.as_str(); 1 + (number + writer) % 7];
        let appended = log.append(batch(&records), NOON).await;
        let appended = appended.expect("it is appended");
        assert!(
            log.bounds().last >= appended.last,
            "acknowledged is readable"
        );
        acknowledged.push((appended.first, appended.last));
    }
    acknowledged
}

pub async fn the_head_never_shows_what_cannot_be_read(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let mut head = bench.log.head();
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        writers.spawn(write(Arc::clone(&bench.log), writer, 25));
    }
    let mut seen = 0;
    // Positions are without gaps here: as many records can be read as the head has shown.
    loop {
        let now = *head.borrow_and_update();
        let chunk = bench.log.read(&Scope::all(), at(seen), ALL).await;
        let chunk = chunk.expect("it is read");
        assert!(chunk.head >= now, "the head went back");
        seen += chunk.records.len() as u64;
        assert!(seen >= now.get(), "the head shows what cannot be read");
        assert_eq!(chunk.through, at(seen));
        if writers.is_empty() {
            break;
        }
        tokio::select! {
            changed = head.changed() => changed.expect("the log is open"),
            Some(written) = writers.join_next() => drop(written.expect("a writer ends well")),
        }
    }
    assert_eq!(bench.log.bounds().last, at(seen));
}

pub async fn no_reader_is_shown_part_of_a_batch_while_writers_race(place: &dyn Place) {
    let bench = Bench::new(place).await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        writers.spawn(write(Arc::clone(&bench.log), writer, 20));
    }
    let mut after = Position::ZERO;
    let mut seen = Vec::new();
    let mut acknowledged = Vec::new();
    loop {
        let done = writers.is_empty();
        let chunk = bench.log.read(&Scope::all(), after, ALL).await;
        let chunk = chunk.expect("it is read");
        let back = bench.log.read_back(&Scope::all(), Position::MAX, ALL).await;
        let mut back = back.expect("it is read").records;
        back.reverse();
        check_whole(&chunk.records);
        check_whole(&back);
        seen.extend(chunk.records);
        after = chunk.through;
        if done {
            break;
        }
        if let Some(written) = writers.try_join_next() {
            acknowledged.extend(written.expect("a writer ends well"));
        }
        tokio::task::yield_now().await;
    }
    check_whole(&seen);
    acknowledged.sort();
    let all: Vec<u64> = (acknowledged.iter())
        .flat_map(|(first, last)| first.get()..=last.get())
        .collect();
    assert_eq!(positions(&seen), all);
}

/// Each batch is there from its first record to its last.
fn check_whole(records: &[Record]) {
    let mut next = 0;
    for record in records {
        let place = record.stamp().place;
        assert_eq!(place.index, next, "at {}", record.position());
        next = if place.is_last() { 0 } else { next + 1 };
    }
    assert_eq!(next, 0, "the last batch is whole");
}

pub async fn a_closed_engine_refuses_appends(place: &dyn Place) {
    let bench = Bench::new(place).await;
    bench.append(&["f t s"]).await;
    bench.engine.close().await;
    let refused = bench.try_append(batch(&["f t s"])).await;
    assert!(matches!(refused, Err(AppendError::Closed)), "{refused:?}");
    let bench = bench.reopen().await;
    assert_eq!(positions(&bench.read(&Scope::all()).await), [1]);
}
