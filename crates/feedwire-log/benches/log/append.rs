//! Appending: single records by waiting writers, and batches.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use feedwire_log::{Log, Options};

use crate::bare::Limits;
use crate::fill::batch;
use crate::report::{micros, now, per_second, percentiles, rate, row, table};

const SPAN: Duration = Duration::from_secs(2);

/// What `writers` reached together.
struct Reached {
    records: f64,
    /// Bytes of tags and payloads.
    bytes: f64,
    p50: Duration,
    p99: Duration,
}

pub(crate) fn run(place: &Path, bare: &Limits) {
    let columns = [
        "writers × batch, payload",
        "events/s",
        "p50",
        "p99",
        "p50 / bare fdatasync",
    ];
    table("Append, one event at a time, each synced", &columns);
    for payload in [200, 1_024] {
        for writers in [1, 16, 64, 256] {
            let Reached {
                records, p50, p99, ..
            } = append(place, writers, 1, payload);
            let ratio = format!("{:.2}", p50.as_secs_f64() / bare.sync.as_secs_f64());
            let what = format!("{writers} × 1, {payload} B");
            row(&[what, rate(records), micros(p50), micros(p99), ratio]);
        }
    }
    let columns = [
        "writers × batch, payload",
        "events/s",
        "bytes/s",
        "of growing",
        "of filled",
        "p50",
    ];
    table(
        "Append in batches, beside a plain 256 KiB write + fdatasync",
        &columns,
    );
    for (records, payload) in [(100, 200), (100, 1_024), (1_000, 200), (1_000, 1_024)] {
        let reached = append(place, 4, records, payload);
        let of = |limit: f64| format!("{:.2}", reached.bytes / limit);
        row(&[
            format!("4 × {records}, {payload} B"),
            rate(reached.records),
            format!("{}B", rate(reached.bytes)),
            of(bare.growing),
            of(bare.filled),
            micros(reached.p50),
        ]);
    }
}

fn append(place: &Path, writers: u64, records: u64, payload: usize) -> Reached {
    let folder = place.join("append");
    let log = Log::create(&folder, 1, Options::default()).expect("a log");
    let payload = vec![b'x'; payload];
    let versions = vec![1; usize::try_from(records).expect("a small number")];
    let batches = AtomicU64::new(0);
    let start = now();
    let spans = std::thread::scope(|scope| {
        let write = || {
            let mut spans = Vec::new();
            while start.elapsed() < SPAN {
                let number = batches.fetch_add(1, Ordering::Relaxed) * records;
                let asked = now();
                log.append(batch(number, records, &payload, None), &versions, 0)
                    .expect("appended");
                spans.push(asked.elapsed());
            }
            spans
        };
        let writers: Vec<_> = (0..writers).map(|_| scope.spawn(write)).collect();
        writers
            .into_iter()
            .flat_map(|writer| writer.join().expect("a writer"))
            .collect::<Vec<_>>()
    });
    let span = start.elapsed();
    let total = spans.len() as u64 * records;
    let (p50, p99) = percentiles(spans);
    log.close().expect("closed");
    std::fs::remove_dir_all(folder).expect("removed");
    let tags = "flights".len() + "flight.departed".len() + "N00000".len();
    let bytes = total * (payload.len() + tags) as u64;
    Reached {
        records: per_second(total, span),
        bytes: per_second(bytes, span),
        p50,
        p99,
    }
}
