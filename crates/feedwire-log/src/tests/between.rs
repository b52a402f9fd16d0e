//! What happens between two steps of something else: rolls, failures and full disks that trims, erasures and readings meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::history::{OPTIONS, create, open, read_all};
use super::sim::{Faults, OnSync, Sim};
use crate::segment::Segment;
use crate::writer::RESERVE;
use crate::{Batch, Bounds, Erasure, Keep, Limit, Log, NewRecord, Options, Scope, append, submit};

const LIMIT: Limit = Limit {
    records: 10,
    bytes: 10_000,
};

const NOTHING: Keep = Keep {
    older_than: None,
    bytes: Some(0),
};

fn of(subject: &[u8], len: usize) -> Batch {
    let record = NewRecord {
        feed: b"f",
        ty: b"t",
        subject,
        time: None,
        payload: &vec![b'x'; len],
    };
    Batch::new([record]).expect("a batch")
}

fn failing_syncs(from: u64) -> Faults {
    Faults {
        failing_syncs: (from..1_000).collect(),
        ..Faults::default()
    }
}

fn with_room(bytes: u64) -> Faults {
    Faults {
        room: Some(bytes),
        ..Faults::default()
    }
}

/// A log with one record, behind which positions were skipped because a sync failed.
fn skipped(sim: &Sim) -> Log {
    let log = create(sim);
    log.append(of(b"s", 10), &[1], 0).expect("it is appended");
    sim.set_faults(failing_syncs(0));
    let failed = log.append(of(b"s", 10), &[2], 0);
    assert!(matches!(failed, Err(append::Error::Failed(_))));
    sim.set_faults(Faults::default());
    log
}

#[test]
fn a_full_segment_that_nobody_has_sealed_yet_is_erased_from() {
    let sim = Sim::new(1);
    crate::open::create(&sim, 7).expect("nothing goes wrong yet");
    let opened = crate::open::open(Arc::new(sim.clone()), OPTIONS);
    let (log, committer) = opened.expect("nothing goes wrong yet");
    let committer = committer.start().expect("a thread");
    let (told, done) = std::sync::mpsc::sync_channel(1);
    let tell = || {
        let told = told.clone();
        Box::new(move |outcome| drop(told.send(outcome)))
    };
    let appended = log.submit(of(b"gone", 10), &[1], 0, 0, tell());
    appended.expect("it is taken");
    assert!(done.recv().expect("it is told").is_ok());
    // The new segment and the folder are synced, the footer is not.
    sim.set_faults(failing_syncs(2));
    assert!(log.submit_roll(tell()).expect("there is room"));
    assert!(done.recv().expect("it is told").is_ok());
    // It ends behind the thread that seals.
    log.close();
    let marked = committer.join().expect("it does not panic");
    drop(marked);
    sim.set_faults(Faults::default());
    let segments = Arc::clone(&log.retained.read().segments);
    assert!(matches!(*segments[0], Segment::Live(_)), "it is not sealed");

    let erasure = Erasure {
        feed: None,
        subject: Some(b"gone".as_slice().into()),
        through: 1,
    };
    assert_eq!(log.erase_sealed(&erasure).expect("it is erased"), 1);
}

#[test]
fn who_has_read_everything_lost_nothing_when_skipped_positions_are_trimmed() {
    let log = skipped(&Sim::new(1));
    assert_eq!(log.trim(NOTHING, u64::MAX).expect("it is trimmed"), 2);
    let end = Bounds { first: 2, last: 1 };
    assert_eq!(log.bounds(), end, "the next position is not behind the end");
    let chunk = log.read(&Scope::all(), 1, LIMIT).expect("nothing is lost");
    assert_eq!((chunk.records.len(), chunk.through), (0, 1));
    let lost = log.read(&Scope::all(), 0, LIMIT);
    let Err(crate::read::Error::Expired {
        first,
        lost_at_most,
        ..
    }) = lost
    else {
        panic!("{lost:?}");
    };
    assert_eq!((first, lost_at_most), (2, 1));
    let back = log.read_back(&Scope::all(), u64::MAX, LIMIT);
    assert!(back.expect("there is nothing").through <= end.first);

    let next = log.append(of(b"s", 10), &[2], 0).expect("it is appended");
    assert!(next.first > 2, "a position was skipped");
    assert_eq!(log.bounds().first, next.first);
    for scope in [
        Scope::all(),
        Scope {
            types: vec![b"t".as_slice().into()],
            ..Scope::all()
        },
    ] {
        let chunk = log.read(&scope, 1, LIMIT).expect("nothing is lost");
        assert_eq!(chunk.records.len(), 1);
    }
}

#[test]
fn a_disk_that_appends_have_filled_can_be_trimmed_and_appended_to_again() {
    let sim = Sim::new(1);
    let log = create(&sim);
    sim.set_faults(with_room(RESERVE + 100_000));
    let full = (0..1_000).find_map(|_| log.append(of(b"s", 1_000), &[1], 0).err());
    let full = full.expect("the disk is full at some time");
    let refused = append::Error::Submit(submit::Error::NoSpace {
        min_free_bytes: RESERVE,
    });
    assert_eq!(full.to_string(), refused.to_string());
    let head = log.bounds().last;
    let first = log.trim(NOTHING, u64::MAX).expect("there is room for that");
    assert_eq!(first, head + 1);
    log.append(of(b"s", 1_000), &[1], 0).expect("there is room");
    drop(log);
    let log = open(&sim).expect("a full disk is no damage");
    assert_eq!(read_all(&log, &Scope::all()).len(), 1);
}

#[test]
fn appends_leave_free_what_they_are_told_to_and_go_on_when_there_is_more() {
    const MIN_FREE: u64 = 10 << 20;
    // What all indexes of the segments take.
    const INDEXES: u64 = 50_000;
    let sim = Sim::new(1);
    crate::open::create(&sim, 7).expect("nothing goes wrong yet");
    let options = Options {
        min_free_bytes: MIN_FREE,
        ..OPTIONS
    };
    let log = Log::open_in(Arc::new(sim.clone()), options).expect("it opens");
    // More than is taken ahead in one go, and several segments.
    sim.set_faults(with_room(MIN_FREE + 200_000));
    let append = || log.append(of(b"s", 1_000), &[1], 0);
    let full = (0..1_000).find_map(|_| append().err());
    let is_told = matches!(
        full,
        Some(append::Error::Submit(submit::Error::NoSpace {
            min_free_bytes: MIN_FREE
        }))
    );
    assert!(is_told, "{full:?}");
    let left = sim.room().expect("it is bounded");
    let expected = MIN_FREE - INDEXES..MIN_FREE + 10_000;
    assert!(expected.contains(&left), "{left}");
    append().expect_err("it stays so");

    sim.set_faults(with_room(MIN_FREE + 200_000));
    append().expect("there is room");
    // What is kept free is there for what makes room.
    sim.set_faults(with_room(MIN_FREE - 1));
    let head = log.bounds().last;
    let first = log.trim(NOTHING, u64::MAX).expect("there is room for that");
    assert_eq!(first, head + 1);
}

#[test]
fn where_there_is_no_room_to_seal_what_is_sealed_is_trimmed() {
    let sim = Sim::new(1);
    let log = create(&sim);
    for _ in 0..20 {
        log.append(of(b"s", 1_000), &[1], 0).expect("there is room");
    }
    // Not enough for a segment or an index.
    sim.set_faults(with_room(120));
    let first = log.trim(NOTHING, u64::MAX).expect("that takes little");
    assert!(first > 1, "something was let go of");
    assert_eq!(log.bounds().first, first);
    let kept = read_all(&log, &Scope::all());
    assert_eq!(kept.len() as u64, log.bounds().last + 1 - first);
}

#[test]
fn who_submits_does_not_wait_for_the_syncs_that_mend_the_log() {
    let sim = Sim::new(1);
    crate::open::create(&sim, 7).expect("nothing goes wrong yet");
    let opened = crate::open::open(Arc::new(sim.clone()), OPTIONS);
    let (log, committer) = opened.expect("nothing goes wrong yet");
    let committer = committer.start().expect("a thread");
    let (told, done) = std::sync::mpsc::sync_channel(1);
    let append = || {
        let told = told.clone();
        let tell = Box::new(move |outcome| drop(told.send(outcome)));
        let appended = log.submit_patiently(of(b"s", 10), &[1], 0, tell);
        appended.expect("it is taken");
        done.recv().expect("it is told").is_ok()
    };
    sim.set_faults(Faults {
        failing_syncs: vec![0],
        ..Faults::default()
    });
    assert!(!append());
    let (syncs, held) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, counted_held, shared) =
        (Arc::clone(&syncs), Arc::clone(&held), Arc::downgrade(&log));
    sim.on_sync(Some(OnSync(Arc::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let log = shared.upgrade().expect("the log is open");
        let is_held = log.intake.try_lock().is_none();
        counted_held.fetch_add(usize::from(is_held), Ordering::Relaxed);
    }))));
    assert!(append(), "it is mended");
    sim.on_sync(None);
    assert!(syncs.load(Ordering::Relaxed) > 2, "mending syncs");
    assert_eq!(held.load(Ordering::Relaxed), 0);
    log.close();
    let ended = committer.join().expect("it does not panic");
    ended.expect("its end is marked");
}
