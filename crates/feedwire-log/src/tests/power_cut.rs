//! The power goes after every write and every sync of random histories.

use std::ops::Range;

use super::history::{History, asks, assert_same, create, open, read_all, read_all_back};
use super::random::Random;
use super::sim::{Faults, Sim};
use crate::{Batch, Log, NewRecord, Scope};

const ACTIONS: usize = 14;
const IMAGES: u64 = 3;

#[test]
fn whatever_a_power_cut_leaves_what_was_acknowledged_is_there() {
    cut_everywhere(0..4);
}

#[test]
fn positions_are_given_once_whatever_a_power_cut_leaves() {
    cut_everywhere(4..8);
}

#[test]
fn opening_after_a_power_cut_bears_power_cuts_too() {
    cut_everywhere(8..12);
}

#[test]
fn a_power_cut_while_a_failed_sync_is_mended_loses_nothing_either() {
    for seed in 20..23 {
        for failing in [3, 7, 12] {
            cut_everywhere_of(seed, &[failing, failing + 1 + seed % 3]);
        }
    }
}

/// Histories in several tests, so that they can run at the same time; each checks all.
fn cut_everywhere(histories: Range<u64>) {
    for seed in histories {
        cut_everywhere_of(seed, &[]);
    }
}

/// Lives through a history again and again, until the power holds to its end.
fn cut_everywhere_of(seed: u64, failing_syncs: &[u64]) {
    for cut_after in 0.. {
        let (sim, history) = live(seed, cut_after, failing_syncs);
        for image in 0..IMAGES {
            let mut random = Random(cut_after * 31 + image);
            let image = again_cut(&sim.after_power_cut(random.next()), &mut random);
            check(&image, &history, failing_syncs.is_empty());
        }
        if !sim.is_off() {
            break;
        }
    }
}

/// Lives through a history until the power goes.
fn live(seed: u64, cut_after: u64, failing_syncs: &[u64]) -> (Sim, History) {
    let sim = Sim::new(seed);
    let mut log = create(&sim);
    sim.set_faults(Faults {
        cut_after: Some(cut_after),
        failing_syncs: failing_syncs.to_vec(),
        ..Faults::default()
    });
    let mut history = History::new(seed);
    for _ in 0..ACTIONS {
        history.act(&log);
        if history.random.chance(10) {
            drop(log);
            match open(&sim) {
                Ok(opened) => log = opened,
                Err(_) => return (sim, history),
            }
        }
        if sim.is_off() {
            break;
        }
    }
    drop(log);
    (sim, history)
}

/// Opens what is left and compares. If no sync failed, what is there is the beginning of what was submitted.
fn check(image: &Sim, history: &History, is_beginning: bool) {
    let files = image.contents();
    let log = open(image).expect("a power cut is no damage");
    verify(&log, history, is_beginning);
    let fresh = Batch::new([NewRecord {
        feed: b"fresh",
        ty: b"t",
        subject: b"",
        time: None,
        payload: b"",
    }]);
    let fresh = log
        .append(fresh.expect("a batch"), &[0], 0)
        .expect("the log goes on");
    let reached = image.reached();
    for written in &history.written {
        for (position, wanted) in (written.first..).zip(&written.records) {
            let marker = &wanted.payload[..12];
            let is_seen = files.values().any(|file| holds(file, marker)) || holds(&reached, marker);
            assert!(
                !is_seen || position < fresh.first,
                "a position is given once"
            );
        }
    }
    for wanted in history
        .given_again
        .iter()
        .flat_map(|written| &written.records)
    {
        assert!(
            !holds(&reached, &wanted.payload[..12]),
            "a position is given once"
        );
    }
    drop(log);
    let log = open(image).expect("an orderly end is no damage");
    assert_eq!(log.bounds().last, fresh.last);
}

/// Opens with the power going at some operation, twice.
fn again_cut(image: &Sim, random: &mut Random) -> Sim {
    let mut image = image.after_kill();
    for _ in 0..2 {
        let cut_after = Some(random.below(12) as u64);
        image.set_faults(Faults {
            cut_after,
            ..Faults::default()
        });
        drop(open(&image));
        image = image.after_power_cut(random.next());
    }
    image
}

fn holds(file: &[u8], marker: &[u8]) -> bool {
    file.windows(marker.len()).any(|window| window == marker)
}

/// What is read is what was submitted up to some point, with everything in it that was acknowledged.
fn verify(log: &Log, history: &History, is_beginning: bool) {
    let first = log.bounds().first;
    let (least, most) = history.first;
    assert!(
        first >= least && first <= most,
        "{first} is not from {least} to {most}"
    );
    let records = read_all(log, &Scope::all());
    assert_eq!(records, read_all_back(log, &Scope::all()));
    let mut rest = &records[..];
    let mut is_over = false;
    for written in history
        .written
        .iter()
        .filter(|written| written.last() >= first)
    {
        let count = rest
            .iter()
            .take_while(|record| record.position <= written.last())
            .count();
        let (found, behind) = rest.split_at(count);
        rest = behind;
        for record in found {
            assert!(
                record.position >= written.first,
                "only what was submitted is there"
            );
            assert_same(record, written);
        }
        let (mut kept, mut lost) = (0, 0);
        for (position, wanted) in (written.first..).zip(&written.records) {
            let is_there = found.iter().any(|record| record.position == position);
            let erased = |is_done| {
                let mut erasures = history.erasures.iter();
                erasures.any(|(e, done)| *done >= is_done && asks(e, position, wanted))
            };
            if erased(true) {
                assert!(!is_there, "what was erased is gone");
            } else if is_there {
                kept += 1;
            } else if !erased(false) {
                lost += 1;
            }
        }
        assert!(kept == 0 || lost == 0, "batches are whole");
        assert!(
            lost == 0 || !written.is_acknowledged(),
            "what was acknowledged is there"
        );
        assert!(
            kept == 0 || !is_over,
            "what is there is the beginning of what was submitted"
        );
        is_over |= lost > 0 && is_beginning;
    }
    assert!(log.bounds().last >= last_acknowledged(history));
}

fn last_acknowledged(history: &History) -> u64 {
    let acknowledged = history
        .written
        .iter()
        .filter(|written| written.is_acknowledged());
    acknowledged
        .map(super::history::Written::last)
        .max()
        .unwrap_or(0)
}
