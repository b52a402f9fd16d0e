//! Logs to measure with.

use std::io::Write;
use std::path::Path;

use feedwire_log::{Batch, Log, NewRecord, Options};

/// How many subjects the records are about.
const SUBJECTS: u64 = 4_000;
const BATCH: u64 = 1_000;

/// A batch of `records` with `payload` bytes each, numbered from `number`; every `rare`th is in the feed `rare`.
pub(crate) fn batch(number: u64, records: u64, payload: &[u8], rare: Option<u64>) -> Batch {
    let subjects: Vec<_> = (0..records)
        .map(|index| format!("N{:05}", (number + index) % SUBJECTS))
        .collect();
    let is_rare = |index: u64| rare.is_some_and(|rare: u64| (number + index).is_multiple_of(rare));
    let records = (0..records)
        .zip(&subjects)
        .map(|(index, subject)| NewRecord {
            feed: if is_rare(index) { b"rare" } else { b"flights" },
            ty: b"flight.departed",
            subject: subject.as_bytes(),
            time: None,
            payload,
        });
    Batch::new(records).expect("a batch")
}

/// Appends `records` in batches of 1,000.
pub(crate) fn fill(log: &Log, records: u64, payload: &[u8], rare: Option<u64>) {
    for number in (0..records).step_by(1_000) {
        let versions = vec![1; usize::try_from(BATCH).expect("a small number")];
        log.append(batch(number, BATCH, payload, rare), &versions, 0)
            .expect("appended");
    }
}

/// Fills a log with 1 GiB, says so, and waits to be killed.
pub(crate) fn until_killed(folder: &Path, segment_bytes: u32) {
    let options = Options {
        segment_bytes,
        ..Options::default()
    };
    let log = Log::create(folder, 1, options).expect("a log");
    while log.size_bytes() < 1 << 30 {
        fill(&log, 20_000, &[b'x'; 200], None);
    }
    println!("{}", log.bounds().last);
    std::io::stdout().flush().expect("the parent listens");
    loop {
        std::thread::park();
    }
}
