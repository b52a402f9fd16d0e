//! Syncs that fail, and disks that are full: told, mended, and gone on from.

use super::history::{History, Written, assert_same, create, open, read_all};
use super::sim::{Faults, Sim};
use crate::writer::RESERVE;
use crate::{Batch, Log, NewRecord, Scope, submit};

/// Everything that was acknowledged is there, and nothing that was not submitted.
fn assert_kept(log: &Log, history: &History) {
    let records = read_all(log, &Scope::all());
    for written in &history.written {
        let of_batch = |position| position >= written.first && position <= written.last();
        let found = records.iter().filter(|record| of_batch(record.position));
        let count = found.inspect(|record| assert_same(record, written)).count();
        assert!(
            count == 0 || count == written.records.len(),
            "batches are whole"
        );
        assert!(
            count > 0 || !written.is_acknowledged(),
            "what was acknowledged is there"
        );
    }
    let submitted = |position| {
        let mut written = history.written.iter();
        written.any(|written| position >= written.first && position <= written.last())
    };
    assert!(records.iter().all(|record| submitted(record.position)));
}

fn append_some(history: &mut History, log: &Log, count: usize) {
    for _ in 0..count {
        if history.random.chance(3) {
            drop(history.submit(log));
        } else {
            history.append(log);
        }
    }
}

#[test]
fn after_a_sync_that_failed_the_log_goes_back_and_on_whatever_the_disk_kept() {
    for seed in 0..8 {
        for failing in 0..40 {
            let sim = Sim::new(seed * 100 + failing);
            let log = create(&sim);
            let mut history = History::new(seed);
            append_some(&mut history, &log, 3);
            sim.set_faults(Faults {
                // One fails, and some of those with which it is mended.
                failing_syncs: vec![failing, failing + 1 + seed % 3],
                ..Faults::default()
            });
            append_some(&mut history, &log, 20);
            sim.set_faults(Faults::default());
            append_some(&mut history, &log, 3);
            history.append(&log);
            let last = history.written.last().expect("it was appended");
            assert!(last.is_acknowledged(), "the log goes on");
            assert_kept(&log, &history);
            drop(log);
            for image in [sim.after_kill(), sim.after_power_cut(seed), sim] {
                let log = open(&image).expect("a failed sync is no damage");
                assert_kept(&log, &history);
            }
        }
    }
}

#[test]
fn a_batch_whose_versions_count_one_that_failed_is_refused() {
    let sim = Sim::new(1);
    let log = create(&sim);
    let mut history = History::new(1);
    let failures = log.failures();
    sim.set_faults(Faults {
        failing_syncs: vec![0],
        ..Faults::default()
    });
    history.append(&log);
    let submit = |failures| log.submit(one(), &[2], 0, failures, Box::new(|_| ()));
    assert!(matches!(submit(failures), Err(submit::Error::Failed)));
    assert!(submit(log.failures()).is_ok());
}

fn one() -> Batch {
    let record = NewRecord {
        feed: b"f",
        ty: b"t",
        subject: b"s",
        time: None,
        payload: b"",
    };
    Batch::new([record]).expect("a batch")
}

#[test]
fn while_syncs_fail_nothing_new_is_readable_or_acknowledged() {
    for seed in 0..20 {
        nothing_unsynced_is_served(seed);
    }
}

fn nothing_unsynced_is_served(seed: u64) {
    let sim = Sim::new(seed);
    let log = create(&sim);
    let mut history = History::new(seed);
    history.append(&log);
    let head = log.bounds().last;
    sim.set_faults(Faults {
        failing_syncs: (0..1000).collect(),
        ..Faults::default()
    });
    append_some(&mut history, &log, 10);
    history.append(&log);
    assert_eq!(log.bounds().last, head);
    let acknowledged = history
        .written
        .iter()
        .filter(|written| written.is_acknowledged());
    assert_eq!(acknowledged.count(), 1);
    assert!(log.close().is_err(), "an end that cannot be marked is told");

    // What a process before could not sync reads back; it is synced before it is served.
    let killed = sim.after_kill();
    let log = open(&killed).expect("a failed sync is no damage");
    let served = read_all(&log, &Scope::all());
    let cut = killed.after_power_cut(seed);
    drop(log);
    let log = open(&cut).expect("a power cut is no damage");
    assert_eq!(read_all(&log, &Scope::all()), served);
}

#[test]
fn without_room_nothing_is_accepted_and_with_room_the_log_goes_on() {
    for room in (0..400_000).step_by(9973) {
        let sim = Sim::new(room);
        let log = create(&sim);
        let mut history = History::new(room);
        sim.set_faults(Faults {
            room: Some(RESERVE + room),
            ..Faults::default()
        });
        let mut is_full = false;
        for _ in 0..300 {
            let before = history.written.len();
            history.append(&log);
            is_full |= history.written.len() == before;
        }
        let mut accepted = history.written.iter();
        assert!(
            accepted.all(Written::is_acknowledged),
            "nothing is poisoned"
        );
        assert!(is_full || room > 100_000, "the disk is full at some time");
        sim.set_faults(Faults::default());
        let before = history.written.len();
        append_some(&mut history, &log, 10);
        history.append(&log);
        assert_eq!(history.written.len(), before + 11, "there is room again");
        let positions = history
            .written
            .windows(2)
            .all(|w| w[0].last() + 1 == w[1].first);
        assert!(positions, "what was refused used no positions");
        assert_kept(&log, &history);
        drop(log);
        assert_kept(&open(&sim).expect("a full disk is no damage"), &history);
    }
}
