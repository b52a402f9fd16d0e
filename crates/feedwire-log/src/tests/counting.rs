//! What a log counts of what it does.

use bytes::Bytes;

use super::history::create;
use super::sim::{Faults, Sim};
use crate::{Batch, Erasure, Keep, Log, NewRecord};

fn records(count: usize) -> Batch {
    let record = NewRecord {
        feed: b"f",
        ty: b"t",
        subject: b"s",
        time: None,
        payload: b"payload",
    };
    Batch::new(vec![record; count]).expect("a batch")
}

fn append(log: &Log, count: usize) {
    let versions = vec![1; count];
    log.append(records(count), &versions, 0).expect("appended");
}

#[test]
fn commits_batches_records_and_syncs_are_counted() {
    let log = create(&Sim::new(1));
    let before = log.stats();
    assert_eq!((before.batches, before.commits.count()), (0, 0));
    append(&log, 3);
    append(&log, 1);
    let stats = log.stats();
    assert_eq!((stats.batches, stats.commits.sum), (2, 4));
    assert_eq!(stats.commits.count(), 2, "each was waited for");
    assert_eq!(stats.syncs.count() - before.syncs.count(), 2);
    assert!(stats.syncs.sum > before.syncs.sum, "time has passed");
    assert!(stats.appended_bytes > 0 && stats.size_bytes >= stats.appended_bytes);
    assert_eq!((stats.segments, stats.queued_bytes), (1, 0));
}

#[test]
fn a_log_is_failing_from_a_sync_that_failed_until_it_is_mended() {
    let sim = Sim::new(2);
    let log = create(&sim);
    append(&log, 1);
    sim.set_faults(Faults {
        failing_syncs: vec![0],
        ..Faults::default()
    });
    log.append(records(1), &[1], 0).expect_err("a failed sync");
    let stats = log.stats();
    assert_eq!((stats.failures, stats.is_failing), (1, true));
    append(&log, 1);
    let stats = log.stats();
    assert_eq!((stats.failures, stats.is_failing), (1, false));
    assert_eq!(stats.batches, 2, "what failed was not appended");
}

#[test]
fn what_was_erased_and_trimmed_is_counted() {
    let log = create(&Sim::new(3));
    append(&log, 5);
    let erasure = Erasure {
        feed: Some(Bytes::from_static(b"f")),
        subject: None,
        through: 4,
    };
    log.erase(&erasure).expect("erased");
    assert_eq!(log.stats().erased_records, 4);
    append(&log, 1);
    let segments = log.stats().segments;
    let nothing = Keep {
        older_than: Some(i64::MAX),
        bytes: None,
    };
    log.trim(nothing, u64::MAX).expect("trimmed");
    let stats = log.stats();
    assert!(stats.trimmed_segments > 0, "{stats:?}");
    assert!(stats.segments <= segments, "{stats:?}");
}
