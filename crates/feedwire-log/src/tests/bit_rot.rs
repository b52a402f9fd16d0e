//! One byte after the other of a small log rots: what was acknowledged is there as it was, or it is said that it is not.

use super::history::{History, create, open, read_all};
use super::sim::Sim;
use crate::check::{Severity, check_in};
use crate::{Chunk, Limit, Log, Record, Scope, open as opening, read};

/// Masks that change a byte: one bit, and all of them.
const MASKS: [u8; 2] = [0x10, 0xff];

/// A log of some sealed segments, trimmed and erased in part, that was closed, or not.
fn small_log(is_closed: bool) -> (Sim, Vec<Record>) {
    let sim = Sim::new(3);
    let log = create(&sim);
    let mut history = History::new(5);
    for _ in 0..16 {
        history.append(&log);
    }
    history.erase(&log);
    history.trim(&log);
    for _ in 0..3 {
        history.append(&log);
    }
    let records = read_all(&log, &Scope::all());
    if is_closed {
        log.close().expect("nothing goes wrong");
        return (sim, records);
    }
    (sim.after_kill(), records)
}

/// All records, or why they cannot be read.
fn read_every(log: &Log) -> Result<Vec<Record>, read::Error> {
    let limit = Limit {
        records: 1000,
        bytes: 1 << 20,
    };
    let (mut after, mut records) = (log.bounds().first - 1, Vec::new());
    loop {
        let Chunk {
            records: more,
            through,
            head,
        } = log.read(&Scope::all(), after, limit)?;
        records.extend(more);
        if through >= head {
            return Ok(records);
        }
        after = through;
    }
}

/// What becomes of a log with a rotten byte.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refused,
    Told,
    Same,
    /// The last commit is gone, and nothing else.
    Cut,
}

fn outcome(sim: &Sim, records: &[Record]) -> Outcome {
    let log = match open(sim) {
        Ok(log) => log,
        Err(opening::Error::Damaged(_) | opening::Error::Format { .. }) => return Outcome::Refused,
        Err(error) => panic!("rot is damage, not {error}"),
    };
    match read_every(&log) {
        Ok(read) if read == records => Outcome::Same,
        Ok(read) => {
            assert!(records.starts_with(&read), "what is there is as it was");
            Outcome::Cut
        }
        Err(read::Error::Damaged { .. }) => Outcome::Told,
        Err(error) => panic!("rot is damage, not {error}"),
    }
}

#[test]
fn rot_in_a_log_that_was_closed_is_refused_or_told_or_of_no_consequence() {
    let (sim, records) = small_log(true);
    let report = check_in(&sim).expect("a log that can be checked");
    assert_eq!(report.findings, []);
    for (name, bytes) in sim.contents() {
        for offset in 0..bytes.len() {
            // Room that was allocated ahead is all alike.
            if offset > 6000 && offset % 1021 != 0 {
                continue;
            }
            let mask = MASKS[offset % 2];
            let copy = sim.after_kill();
            copy.rot(&name, offset, mask);
            let findings = check_in(&copy).expect("a log that can be checked").findings;
            assert!(
                findings.iter().any(|found| found.damage.file == name),
                "{name} {offset}"
            );
            let lost = findings
                .iter()
                .any(|found| found.severity == Severity::Lost);
            let outcome = outcome(&copy, &records);
            assert_ne!(outcome, Outcome::Cut, "{name} at {offset}");
            assert!(
                outcome == Outcome::Same || lost,
                "what is lost is found: {name} {offset}"
            );
            let is_index = name.contains(".idx");
            assert!(
                !is_index || outcome == Outcome::Same,
                "an index is made anew: {offset}"
            );
        }
    }
}

#[test]
fn rot_in_a_log_that_was_not_closed_takes_the_last_commit_at_most() {
    let (sim, records) = small_log(false);
    let active = sim
        .contents()
        .into_keys()
        .rfind(|name| name.contains(".seg"));
    let name = active.expect("a log has an active segment");
    let last_batch = records
        .iter()
        .rev()
        .take_while(|record| record.index > 0)
        .count()
        + 1;
    for offset in 0..4000 {
        let mask = MASKS[offset % 2];
        let copy = sim.after_kill();
        copy.rot(&name, offset, mask);
        if outcome(&copy, &records) == Outcome::Cut {
            let log = open(&copy).expect("what was cut stays cut");
            let left = read_all(&log, &Scope::all());
            assert_eq!(left.len(), records.len() - last_batch, "{offset}");
        }
    }
}
