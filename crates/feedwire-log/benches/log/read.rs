//! Reading: everything in one go, and a feed that is a thousandth of the log.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use feedwire_log::{Limit, Log, Options, Scope};

use crate::bare::pread;
use crate::fill::fill;
use crate::report::{per_second, rate, row, table, time};

const RECORDS: u64 = 2_000_000;
const RARE: u64 = 1_000;
const LIMIT: Limit = Limit {
    records: usize::MAX,
    bytes: 1 << 20,
};

pub(crate) fn run(place: &Path) {
    let payload = [b'x'; 250];
    let mixed = create(&place.join("mixed"), |log| {
        fill(log, RECORDS, &payload, Some(RARE));
    });
    let alone = create(&place.join("alone"), |log| {
        fill(log, RECORDS / RARE, &payload, Some(1));
    });
    let rare = Scope {
        feeds: vec![Bytes::from_static(b"rare")],
        ..Scope::default()
    };

    let raw = pread(&place.join("mixed"));
    let (bytes, all) = read_all(&mixed, &Scope::all(), RECORDS);
    table(
        "Sequential read of 2 M events of 280 B, warm",
        &["what", "events/s", "bytes/s", "of bare pread"],
    );
    let speed = per_second(bytes, all);
    let ratio = format!("{:.2}", speed / raw);
    row(&[
        "log".to_owned(),
        rate(per_second(RECORDS, all)),
        format!("{}B", rate(speed)),
        ratio,
    ]);
    row(&[
        "bare pread, 256 KiB".to_owned(),
        String::new(),
        format!("{}B", rate(raw)),
        "1.00".to_owned(),
    ]);

    // Small readings are repeated, so that one interruption does not decide; what is read again comes partly from memory.
    let readings = |log: &Log| {
        let read = |_| read_all(log, &rare, RECORDS / RARE).1;
        let first = read(0);
        let mut again: Vec<Duration> = (0..21).map(read).collect();
        again.sort_unstable();
        [first, again[10]].map(|span| per_second(RECORDS / RARE, span))
    };
    let (of_mixed, of_alone) = (readings(&mixed), readings(&alone));
    let title = "A feed of 2,000 events that is 1 in 1,000 of a log, warm";
    table(
        title,
        &[
            "reading",
            "alone in its log",
            "1 in 1,000 of a log",
            "ratio",
        ],
    );
    for (what, of) in [("the first time", 0), ("again", 1)] {
        let ratio = format!("{:.2}", of_mixed[of] / of_alone[of]);
        row(&[what, &rate(of_alone[of]), &rate(of_mixed[of]), &ratio]);
    }
    for name in ["mixed", "alone"] {
        std::fs::remove_dir_all(place.join(name)).expect("removed");
    }
}

fn create(folder: &Path, fill: impl FnOnce(&Log)) -> Log {
    let log = Log::create(folder, 1, Options::default()).expect("a log");
    fill(&log);
    log
}

/// Reads `scope` from the start and expects `records`; returns how many bytes, and how long it took.
fn read_all(log: &Log, scope: &Scope, records: u64) -> (u64, Duration) {
    let ((found, bytes), span) = time(|| {
        let (mut found, mut bytes, mut after) = (0, 0, 0);
        loop {
            let chunk = log.read(scope, after, LIMIT).expect("read");
            found += chunk.records.len() as u64;
            bytes += chunk
                .records
                .iter()
                .map(|record| record.bytes().len() as u64)
                .sum::<u64>();
            after = chunk.through;
            if after >= chunk.head {
                return (found, bytes);
            }
        }
    });
    assert_eq!(found, records);
    (bytes, span)
}
