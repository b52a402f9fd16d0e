//! Time, and figures as rows of a table.

use std::time::{Duration, Instant};

/// The present, for measuring spans.
#[expect(clippy::disallowed_methods, reason = "a benchmark is about real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How long `what` takes.
pub(crate) fn time<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let start = now();
    let value = what();
    (value, start.elapsed())
}

/// The median and the 99th percentile.
pub(crate) fn percentiles(mut spans: Vec<Duration>) -> (Duration, Duration) {
    spans.sort_unstable();
    let at = |percent: usize| spans[(spans.len() - 1) * percent / 100];
    (at(50), at(99))
}

/// `count` in a second of `span`.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn per_second(count: u64, span: Duration) -> f64 {
    count as f64 / span.as_secs_f64()
}

/// Prints the heading of a table.
pub(crate) fn table(title: &str, columns: &[&str]) {
    println!("\n### {title}\n");
    row(columns);
    println!("|{}", "---|".repeat(columns.len()));
}

/// Prints a row of a table.
pub(crate) fn row<S: AsRef<str>>(cells: &[S]) {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    println!("| {} |", cells.join(" | "));
}

/// A number of something a second, short.
pub(crate) fn rate(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.2} M", v / 1e6),
        v if v >= 1e3 => format!("{:.1} k", v / 1e3),
        v => format!("{v:.0}"),
    }
}

/// A short span.
pub(crate) fn micros(span: Duration) -> String {
    format!("{} µs", span.as_micros())
}
