//! Readings of the active segment while it grows.

use std::sync::Arc;

use super::*;
use crate::storage::Disk;
use crate::{Batch, NewRecord, Options, open};

/// Appends a batch of one record.
fn append(log: &Shared, payload: &[u8]) {
    let record = NewRecord {
        feed: b"f",
        ty: b"t",
        subject: b"s",
        time: None,
        payload,
    };
    let (told, done) = std::sync::mpsc::sync_channel(1);
    let batch = Batch::new([record]).expect("a batch");
    let tell = Box::new(move |outcome| drop(told.send(outcome)));
    let submitted = log.submit_patiently(batch, &[1], 0, tell);
    submitted.expect("it is taken");
    assert!(done.recv().expect("it is told").is_ok());
}

/// Takes the end of a segment, then has it grow by `payload`, then reads; returns the positions.
fn read_across_an_append(scope: &Scope, direction: Direction, payload: &[u8]) -> Vec<u64> {
    let place = tempfile::tempdir().expect("a folder");
    let disk = Disk::lock(place.path()).expect("a lock");
    let disk = disk.expect("nobody else has it");
    open::create(&disk, 1).expect("it is made");
    let opened = open::open(Arc::new(disk), Options::default());
    let (log, committer) = opened.expect("it opens");
    let committer = committer.start().expect("a thread");
    append(&log, b"before");
    let (segments, head) = (Arc::clone(&log.retained.read().segments), log.head());
    let source = log.source(&segments[0]).expect("it is open");
    append(&log, payload);
    append(&log, b"after");

    let from = match direction {
        Direction::Forward => 0,
        // Beyond the head, as one who has read it since would ask.
        Direction::Backward => log.head(),
    };
    let limit = Limit {
        records: 10,
        bytes: usize::MAX,
    };
    let mut collect = Collect::new(direction, from, head, limit);
    let read = if scope.is_all() {
        walk::collect(&source, &mut collect)
    } else {
        collect_matches(&source, scope, &mut collect)
    };
    assert!(read.is_ok(), "{:?}", read.err());
    log.close();
    let ended = committer.join().expect("it does not panic");
    ended.expect("its end is marked");
    let records = collect.chunk(0).records.into_iter();
    records.map(|record| record.position).collect()
}

#[test]
fn a_reading_that_an_append_overtakes_ends_where_it_began() {
    let feed = Scope {
        feeds: vec![b"f".as_slice().into()],
        ..Scope::all()
    };
    // Far enough for the last record to have an anchor of its own.
    let far = vec![b'x'; 100 << 10];
    for scope in [feed, Scope::all()] {
        for direction in [Direction::Forward, Direction::Backward] {
            for payload in [&far[..10], &far] {
                let read = read_across_an_append(&scope, direction, payload);
                assert_eq!(read, [1], "{scope:?} {direction:?}");
            }
        }
    }
}
